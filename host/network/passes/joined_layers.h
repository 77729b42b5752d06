#pragma once

#include <cstddef>
#include <vector>

#include "host/network/graph.h"

namespace bittern {

/// Groups of layers (their places in layers()) whose outputs meet in the same node of kind `join`
/// (kAdd or kConcat), directly or through operations that are no layers, or that meet in a chain of
/// such nodes. Only groups of two layers and more, each in ascending order, the group with the
/// lowest layer first.
std::vector<std::vector<std::size_t>> joined_layers(const Graph& graph, Op join);

}  // namespace bittern
