#pragma once

#include <string>
#include <vector>

#include "host/integer/quantised_network.h"
#include "host/network/weights.h"

namespace bittern {

/// A network in integers.
/// @param graph    With all tensors in `tensors` under the names of checkpoints
///                 ("<node>.weight", ...): float values.
/// @param weights  Of each layer.
/// @param activations  Format of each point of quantisation_scheme(graph) but the first.
/// Throws Error (exit status 2) naming node and tensor for what does not fit together, and for a
/// layer whose sums with these weights could leave 32 bits.
QuantisedNetwork quantise_network(const std::string& name, const Graph& graph,
                                  const NamedTensors& tensors, const Policy& policy,
                                  const std::vector<WeightFormat>& weights,
                                  const std::vector<CodeFormat>& activations);

}  // namespace bittern
