#pragma once

#include <vector>

#include "host/network/ops.h"

namespace bittern {

/// Values of the image as it enters the network: pixel / 255.
Range image_range(const Graph& graph);

/// For every node the values that its output can have, as far as ReLU, clipping and normalisation
/// bound them. A layer whose input can be negative takes signed activations.
std::vector<Range> mark_ranges(const Graph& graph);

}  // namespace bittern
