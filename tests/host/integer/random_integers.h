#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "host/base/random.h"
#include "host/integer/quantise_network.h"
#include "host/integer/quantised_network.h"
#include "host/network/network.h"
#include "host/network/ops.h"
#include "host/network/passes/fold_batch_norm.h"
#include "host/network/passes/fuse_relu.h"
#include "host/network/passes/relu_behind_pool.h"
#include "host/network/weights.h"

namespace bittern {

/// Random tensors for every node of a graph; variances are positive.
inline NamedTensors random_tensors(const Graph& graph, Rng& rng) {
  NamedTensors tensors;
  const auto add = [&](const std::string& name, std::int64_t count, double around) {
    Tensor tensor;
    tensor.shape = {count};
    for (std::int64_t i = 0; i < count; ++i) {
      tensor.values.push_back(static_cast<float>(around + 0.4 * rng.normal()));
    }
    tensors[name] = tensor;
  };
  for (const Node& node : graph.nodes) {
    if (node.op == Op::kConv || node.op == Op::kLinear) {
      const Layer layer = layer_of(node, graph.shape_of(node.inputs[0]));
      add(node.name + ".weight", layer.weights(), 0.0);
      if (node.attributes.bias) add(node.name + ".bias", layer.out_channels, 0.1);
    } else if (node.op == Op::kBatchNorm) {
      for (const char* tensor : {"weight", "bias", "running_mean"}) {
        add(node.name + "." + tensor, node.shape.channels, 0.2);
      }
      add(node.name + ".running_var", node.shape.channels, 0.0);
      for (float& value : tensors[node.name + ".running_var"].values) value = 0.5f + value * value;
    }
  }
  return tensors;
}

/// A network in integers with random bits (1 or 2 to 8), scales (of the tensor or of each channel)
/// and weights.
inline QuantisedNetwork random_integers(const Network& network, Rng& rng) {
  NamedTensors tensors = random_tensors(network.graph, rng);
  const Graph graph = fuse_relu(relu_behind_pool(fold_batch_norm(network.graph, tensors)));
  const QuantisationScheme scheme = quantisation_scheme(graph);
  Policy policy;
  std::vector<WeightFormat> weights;
  for (const Layer& layer : layers(graph)) {
    BitPair bits;
    bits.weight = static_cast<int>(rng.integer(1, 8));
    bits.activation = static_cast<int>(rng.integer(layer.signed_input ? 2 : 1, 8));
    policy.push_back(bits);
    WeightFormat format{weight_range(bits.weight), {}};
    const std::int64_t scales = rng.uniform() < 0.5 ? 1 : layer.out_channels;
    for (std::int64_t i = 0; i < scales; ++i) {
      format.scales.push_back(
          static_cast<float>((0.3 + rng.uniform()) / std::max(1, format.range.high)));
    }
    weights.push_back(format);
  }
  std::vector<CodeFormat> activations;
  for (const CodePoint& point : scheme.points) {
    if (point.kind == CodePoint::Kind::kImage) continue;
    const int bits =
        point.kind == CodePoint::Kind::kLayer ? policy[point.place].activation : kStoredBits;
    CodeFormat format;
    format.range = activation_range(bits, point.is_signed);
    format.scale = static_cast<float>((0.3 + 2.0 * rng.uniform()) / format.range.high);
    activations.push_back(format);
  }
  return quantise_network(network.name, graph, tensors, policy, weights, activations);
}

/// Whether a layer's weights are odd codes.
inline bool has_odd_layers(const QuantisedNetwork& network) {
  return std::count(network.device_codes.begin(), network.device_codes.end(),
                    DeviceCodes::odd_weights()) > 0;
}

inline std::vector<std::uint8_t> random_image(const Shape& shape, Rng& rng) {
  std::vector<std::uint8_t> image;
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    image.push_back(static_cast<std::uint8_t>(rng.integer(0, 255)));
  }
  return image;
}

}  // namespace bittern
