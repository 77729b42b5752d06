#include "host/network/model_size.h"

#include <algorithm>
#include <cmath>

#include "host/base/error.h"

namespace bittern {
namespace {

constexpr double kFloatBytes = 4.0;

}  // namespace

double codebook_layer_bytes(const Layer& layer, int bits) {
  return static_cast<double>(layer.weights()) * bits / 8.0 + kFloatBytes * std::exp2(bits);
}

std::vector<double> uncoded_bytes(const Network& network) {
  std::vector<double> bytes(network.layers.size(), 0.0);
  const std::vector<int> nodes = layer_nodes(network.graph);
  const std::vector<bool> used = nodes_in_use(network.graph);
  for (int index = 0; index < static_cast<int>(network.graph.nodes.size()); ++index) {
    const Node& node = network.graph.nodes[index];
    if (!used[index]) continue;
    // Nodes stand behind those whose outputs they take: the last layer up to here.
    const auto after = std::upper_bound(nodes.begin(), nodes.end(), index);
    const std::size_t layer =
        after == nodes.begin() ? 0 : static_cast<std::size_t>(after - nodes.begin()) - 1;
    if (layer >= bytes.size()) continue;
    if (node.op == Op::kBatchNorm) {
      bytes[layer] += kFloatBytes * 2.0 * node.shape.channels;
    } else if ((node.op == Op::kConv || node.op == Op::kLinear) && node.attributes.bias) {
      bytes[layer] += kFloatBytes * node.attributes.out_channels;
    }
  }
  return bytes;
}

double codebook_model_bytes(const Network& network, const Policy& policy) {
  if (policy.size() != network.layers.size()) {
    fail("model size: a policy for {} layers was given for network {}, which has {}", policy.size(),
         network.name, network.layers.size());
  }
  double sum = 0.0;
  for (const double bytes : uncoded_bytes(network)) sum += bytes;
  for (std::size_t layer = 0; layer < policy.size(); ++layer) {
    sum += codebook_layer_bytes(network.layers[layer], policy[layer].weight);
  }
  return sum;
}

double float_model_bytes(const Network& network) {
  double sum = kFloatBytes * static_cast<double>(network.weights());
  for (const double bytes : uncoded_bytes(network)) sum += bytes;
  return sum;
}

}  // namespace bittern
