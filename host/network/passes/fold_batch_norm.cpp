#include "host/network/passes/fold_batch_norm.h"

#include <cmath>

#include "host/base/error.h"
#include "host/network/ops.h"

namespace bittern {
namespace {

std::vector<float>& values_of(NamedTensors& weights, const std::string& name, std::size_t size) {
  const auto found = weights.find(name);
  if (found == weights.end()) fail("there is no tensor '{}' to fold a batch norm with", name);
  if (found->second.values.size() != size) {
    fail("tensor '{}' has {} values, expected {}", name, found->second.values.size(), size);
  }
  return found->second.values;
}

void fold(const Node& layer, const Node& norm, const Shape& input, NamedTensors& weights) {
  const auto channels = static_cast<std::size_t>(layer.attributes.out_channels);
  const auto each = static_cast<std::size_t>(layer_of(layer, input).reduction());
  std::vector<float>& weight = values_of(weights, layer.name + ".weight", channels * each);
  const std::vector<float>& gain = values_of(weights, norm.name + ".weight", channels);
  const std::vector<float>& shift = values_of(weights, norm.name + ".bias", channels);
  const std::vector<float>& mean = values_of(weights, norm.name + ".running_mean", channels);
  const std::vector<float>& variance = values_of(weights, norm.name + ".running_var", channels);
  if (!layer.attributes.bias) {
    weights[layer.name + ".bias"] = {{layer.attributes.out_channels}, std::vector<float>(channels)};
  }
  std::vector<float>& bias = values_of(weights, layer.name + ".bias", channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const double factor = gain[c] / std::sqrt(variance[c] + norm.attributes.epsilon);
    for (std::size_t i = c * each; i < (c + 1) * each; ++i) {
      weight[i] = static_cast<float>(weight[i] * factor);
    }
    bias[c] = static_cast<float>((static_cast<double>(bias[c]) - mean[c]) * factor + shift[c]);
  }
  for (const std::string& tensor : op_info(Op::kBatchNorm).tensors) {
    weights.erase(norm.name + "." + tensor);
  }
}

}  // namespace

Graph fold_batch_norm(const Graph& graph, NamedTensors& weights) {
  Graph folded = graph;
  const std::vector<int> uses = use_counts(graph);
  std::vector<bool> removed(graph.nodes.size(), false);
  for (std::size_t i = 0; i < folded.nodes.size(); ++i) {
    const Node& norm = folded.nodes[i];
    if (norm.op != Op::kBatchNorm || norm.inputs[0] == kImage) continue;
    const auto before = static_cast<std::size_t>(norm.inputs[0]);
    Node& layer = folded.nodes[before];
    if ((layer.op != Op::kConv && layer.op != Op::kLinear) || uses[before] != 1) continue;
    fold(layer, norm, graph.shape_of(layer.inputs[0]), weights);
    layer.attributes.bias = true;
    removed[i] = true;
  }
  return without_nodes(folded, removed);
}

}  // namespace bittern
