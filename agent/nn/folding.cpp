#include "agent/nn/folding.h"

#include <algorithm>

#include "agent/nn/training.h"
#include "host/network/passes/fold_batch_norm.h"

namespace bittern {

FoldedNetwork folded(const Network& network, const TensorFile& checkpoint,
                     const std::string& where) {
  FoldedNetwork result{network, checkpoint};
  const std::vector<Node>& nodes = network.graph.nodes;
  if (std::none_of(nodes.begin(), nodes.end(),
                   [](const Node& node) { return node.op == Op::kBatchNorm; })) {
    return result;
  }
  check_checkpoint(network, checkpoint, where);
  NamedTensors weights;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    weights[name] = {tensor.shape, tensor.to_floats()};
  }
  result.network.graph = fold_batch_norm(network.graph, weights);
  result.weights.tensors.clear();
  for (const auto& [name, tensor] : weights) {
    result.weights.tensors[name] = StoredTensor::from_floats(tensor.shape, tensor.values);
  }
  return result;
}

}  // namespace bittern
