#include "agent/evaluator/stored_integers.h"

#include "host/integer/quantise_network.h"
#include "host/integer/stated_network.h"

namespace bittern {

namespace {

NamedTensors floats_of(const TensorFile& checkpoint) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    tensors[name] = {tensor.shape, tensor.to_floats()};
  }
  return tensors;
}

}  // namespace

QuantisedNetwork stored_integers(const std::string& name, const Graph& graph,
                                 const TensorFile& checkpoint, const Policy& policy,
                                 const std::vector<WeightFormat>& weights,
                                 const std::vector<CodeFormat>& activations) {
  return quantise_network(name, graph, floats_of(checkpoint), policy, weights, activations);
}

QuantisedNetwork stored_stated_network(const Network& network, const TensorFile& checkpoint) {
  return stated_network(network.name, network.graph, floats_of(checkpoint));
}

}  // namespace bittern
