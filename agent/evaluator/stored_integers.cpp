#include "agent/evaluator/stored_integers.h"

#include "host/integer/quantise_network.h"

namespace bittern {

QuantisedNetwork stored_integers(const std::string& name, const Graph& graph,
                                 const TensorFile& checkpoint, const Policy& policy,
                                 const std::vector<WeightFormat>& weights,
                                 const std::vector<CodeFormat>& activations) {
  NamedTensors tensors;
  for (const auto& [tensor_name, tensor] : checkpoint.tensors) {
    tensors[tensor_name] = {tensor.shape, tensor.to_floats()};
  }
  return quantise_network(name, graph, tensors, policy, weights, activations);
}

}  // namespace bittern
