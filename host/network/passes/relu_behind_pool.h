#pragma once

#include "host/network/graph.h"

namespace bittern {

/// Moves each ReLU behind the max pooling that alone takes its output: the values and gradients
/// stay the same (every window has a pixel of the map), and there are fewer of them.
Graph relu_behind_pool(const Graph& graph);

}  // namespace bittern
