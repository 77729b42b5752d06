#include "agent/nn/chain.h"

#include <string>

#include "host/base/error.h"

namespace bittern {
namespace {

/// "stem (from:)", for messages.
std::string source_name(const Network& network, const Source& source) {
  if (source.layer == Source::kImage) return "the input of the network";
  return "layer '" + network.layers[static_cast<std::size_t>(source.layer)].name + "'";
}

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  fail_usage(
      "{}: {}. Training and searching compute plain chains of layers with max pooling between "
      "them; this network can be measured, compared and validated",
      where, what);
}

void require_pools(const Source& source) {
  for (const Pool& pool : source.pools) {
    if (pool.global) {
      refuse(pool.where,
             "global pooling cannot be trained (give a pooling that has the size of the map as its "
             "kernel to take the maximum of it)");
    }
  }
}

}  // namespace

void require_chain(const Network& network) {
  if (network.layers.empty()) fail_usage("network {} has no layers", network.name);
  if (network.wiring.size() != network.layers.size()) {
    fail_usage("network {}: nothing says how its layers are connected", network.name);
  }
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const Wiring& wiring = network.wiring[i];
    const int previous = static_cast<int>(i) - 1;  // Source::kImage for the first one
    if (wiring.input.layer != previous) {
      refuse(wiring.where, fmt::format("layer '{}' takes its input from {} (from:), which is not "
                                       "what is before it: branches cannot be trained",
                                       layer.name, source_name(network, wiring.input)));
    }
    require_pools(wiring.input);
    if (i == 0 && !wiring.input.pools.empty()) {
      refuse(wiring.input.pools.front().where,
             "pooling of the input before the first layer cannot be trained (state the input as it "
             "is behind it)");
    }
    if (i > 0 && network.layers[i - 1].kind == LayerKind::kLinear &&
        layer.kind != LayerKind::kLinear) {
      refuse(wiring.where,
             fmt::format("layer '{}' is a convolution behind the linear layer '{}', which cannot "
                         "be trained (write it as a linear layer)",
                         layer.name, network.layers[i - 1].name));
    }
  }
  const Wiring& last = network.wiring.back();
  if (network.output.layer + 1 != static_cast<int>(network.layers.size())) {
    refuse(last.where,
           fmt::format("the network ends with the output of {}, not with that of its "
                       "last layer '{}': branches cannot be trained",
                       source_name(network, network.output), network.layers.back().name));
  }
  if (!network.output.pools.empty()) {
    refuse(network.output.pools.front().where,
           "pooling behind the last layer cannot be trained (end with a linear layer)");
  }
  if (last.relu) {
    refuse(last.where, fmt::format("a ReLU follows the last layer '{}', which would cut off its "
                                   "answers at 0: write relu: false there",
                                   network.layers.back().name));
  }
}

}  // namespace bittern
