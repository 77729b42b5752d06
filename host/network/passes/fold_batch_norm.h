#pragma once

#include "host/network/graph.h"
#include "host/network/weights.h"

namespace bittern {

/// Moves each batch norm that alone takes the output of a layer into that layer's weights and bias,
/// as hardware has it: w' = w g / sqrt(v + e), b' = (b - m) g / sqrt(v + e) + h, in double
/// precision. Other batch norms stay. `weights` has all tensors of the graph and afterwards those
/// of the returned one. Throws Error naming the tensor when one is missing or has another size.
Graph fold_batch_norm(const Graph& graph, NamedTensors& weights);

}  // namespace bittern
