#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/network/graph.h"
#include "host/network/quantiser.h"

namespace bittern {

/// How one layer of a quantised network multiplies: value = (code - zero point) * scale on both
/// sides.
struct LayerQuantisation {
  Quantiser weight;  ///< scales: one, or one for each output channel
  Quantiser input;   ///< scales: one, or one for each input channel
};

/// For each layer of a graph (in the order of layers()) the quantisers of its weights and of its
/// input, as the graph states them: its own `quantiser`, and that of the last kQuantise before it.
/// Between the two there may be what moves values only (max pooling, flatten, slice, rearrange,
/// upsample, ReLU; padding with zeros where zero is a code; clipping to values of codes). None
/// where one of them is missing.
std::vector<std::optional<LayerQuantisation>> layer_quantisation(const Graph& graph);

/// Whether a graph states quantisers anywhere: it then computes what its file says, and its bits
/// are not for others to choose.
bool has_quantisers(const Graph& graph);

/// The bits that a graph states. Throws Error (exit status 2) naming the first layer without a
/// quantiser of its weights or of its input, or with more than `most_bits`.
Policy stated_policy(const Graph& graph, int most_bits = 8);

}  // namespace bittern
