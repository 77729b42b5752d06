#include "agent/nn/folding.h"

#include <algorithm>

#include "agent/nn/training.h"
#include "host/base/error.h"
#include "host/network/passes/equalise.h"
#include "host/network/passes/fold_batch_norm.h"

namespace bittern {

namespace {

NamedTensors floats_of(const TensorFile& file) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : file.tensors) {
    tensors[name] = {tensor.shape, tensor.to_floats()};
  }
  return tensors;
}

void store(const NamedTensors& tensors, TensorFile& file) {
  file.tensors.clear();
  for (const auto& [name, tensor] : tensors) {
    file.tensors[name] = StoredTensor::from_floats(tensor.shape, tensor.values);
  }
}

}  // namespace

FoldedNetwork folded(const Network& network, const TensorFile& checkpoint,
                     const std::string& where) {
  FoldedNetwork result{network, checkpoint};
  const std::vector<Node>& nodes = network.graph.nodes;
  if (std::none_of(nodes.begin(), nodes.end(),
                   [](const Node& node) { return node.op == Op::kBatchNorm; })) {
    return result;
  }
  check_checkpoint(network, checkpoint, where);
  NamedTensors weights = floats_of(checkpoint);
  result.network.graph = fold_batch_norm(network.graph, weights);
  store(weights, result.weights);
  return result;
}

FoldedNetwork equalised(const FoldedNetwork& network) {
  FoldedNetwork result = network;
  result.network.graph = relu_for_clip(network.network.graph);
  // Behind a ReLU that was a ReLU6 nothing has become negative: the layers are the same.
  NamedTensors weights = floats_of(network.weights);
  if (equalise_layers(result.network.graph, weights) == 0) {
    fail_usage(
        "network {}: there are no two layers to equalise: one must take what another gives, alone "
        "and channel by channel",
        network.network.name);
  }
  store(weights, result.weights);
  return result;
}

}  // namespace bittern
