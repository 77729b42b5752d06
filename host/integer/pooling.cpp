#include "host/integer/pooling.h"

#include <algorithm>

namespace bittern {

PoolWindow pool_window(const Node& node, const Shape& input, int row, int column) {
  const Attributes& a = node.attributes;
  const int top = row * a.stride_h - a.pad_top;
  const int left = column * a.stride_w - a.pad_left;
  PoolWindow window;
  window.y0 = std::max(top, 0);
  window.x0 = std::max(left, 0);
  window.y1 = std::min(top + a.kernel_h, input.height);
  window.x1 = std::min(left + a.kernel_w, input.width);
  if (a.count_padding) {
    // What hangs over behind the padding does not count.
    const int bottom = std::min(top + a.kernel_h, input.height + a.pad_bottom);
    const int right = std::min(left + a.kernel_w, input.width + a.pad_right);
    window.count = (bottom - top) * (right - left);
  } else {
    window.count = (window.y1 - window.y0) * (window.x1 - window.x0);
  }
  return window;
}

std::vector<int> average_counts(const Node& node, const Shape& input) {
  std::vector<int> counts;
  for (int y = 0; y < node.shape.height; ++y) {
    for (int x = 0; x < node.shape.width; ++x) {
      counts.push_back(pool_window(node, input, y, x).count);
    }
  }
  return counts;
}

}  // namespace bittern
