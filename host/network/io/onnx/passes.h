#pragma once

#include "host/network/graph.h"
#include "host/network/weights.h"

namespace bittern::onnx_io {

/// Epsilon of a batch norm that is a multiplication and an addition: too small to change a
/// variance of 1.
constexpr double kNoEpsilon = 1e-12;

/// The graph without nodes that nothing uses, without borders that a convolution or pooling can add
/// itself, and with multiplications and additions of constants that follow one another as one, and
/// so values that are moved and then seen with other extents.
Graph tidied(const Graph& graph, NamedTensors& weights);

}  // namespace bittern::onnx_io
