#pragma once

#include <vector>

#include "host/network/graph.h"

namespace bittern {

/// One window of a pooling, cut to the map: rows y0 .. y1 - 1, columns x0 .. x1 - 1.
struct PoolWindow {
  int y0 = 0;
  int y1 = 0;
  int x0 = 0;
  int x1 = 0;
  int count = 0;  ///< average: pixels that its sum is divided by
};

/// The window of an output pixel of a pooling over a map of this shape.
PoolWindow pool_window(const Node& node, const Shape& input, int row, int column);

/// What the sums of an average pooling are divided by, for each output pixel.
std::vector<int> average_counts(const Node& node, const Shape& input);

}  // namespace bittern
