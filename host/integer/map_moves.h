#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "host/base/error.h"
#include "host/integer/pooling.h"
#include "host/network/graph.h"

// Operations that choose among the integers of a map, or put them elsewhere: on codes, and on sums
// before they become codes. `x` has planes of rows, of shape `input`; so has what they give, of the
// node's shape.

namespace bittern {

/// The greatest (`least`: the least) of the pixels that a window has on the map.
template <typename T>
T extreme_tap(const Attributes& a, const Shape& input, const T* plane, int row, int column,
              bool least) {
  T best = least ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
  for (int i = 0; i < a.kernel_h; ++i) {
    const int y = row * a.stride_h - a.pad_top + i * a.dilation_h;
    if (y < 0 || y >= input.height) continue;
    for (int j = 0; j < a.kernel_w; ++j) {
      const int x = column * a.stride_w - a.pad_left + j * a.dilation_w;
      if (x < 0 || x >= input.width) continue;
      const T value = plane[static_cast<std::size_t>(y) * input.width + x];
      best = least ? std::min(best, value) : std::max(best, value);
    }
  }
  return best;
}

/// The greatest pixel of every window; the least one in channels that are marked in `falling`
/// (empty: in none).
template <typename T>
std::vector<T> max_pooled(const Node& node, const Shape& input, const std::vector<T>& x,
                          const std::vector<bool>& falling) {
  const bool dilated = node.attributes.dilation_h != 1 || node.attributes.dilation_w != 1;
  std::vector<T> out;
  out.reserve(static_cast<std::size_t>(node.shape.elements()));
  const auto area = static_cast<std::size_t>(input.height) * input.width;
  for (int c = 0; c < input.channels; ++c) {
    const T* const plane = x.data() + static_cast<std::size_t>(c) * area;
    const bool least = !falling.empty() && falling[static_cast<std::size_t>(c)];
    for (int row = 0; row < node.shape.height; ++row) {
      for (int column = 0; column < node.shape.width; ++column) {
        if (dilated || least) {
          out.push_back(extreme_tap(node.attributes, input, plane, row, column, least));
          continue;
        }
        const PoolWindow w = pool_window(node, input, row, column);
        T best = plane[static_cast<std::size_t>(w.y0) * input.width + w.x0];
        for (int y = w.y0; y < w.y1; ++y) {
          const T* const from = plane + static_cast<std::size_t>(y) * input.width;
          for (int at = w.x0; at < w.x1; ++at) best = std::max(best, from[at]);
        }
        out.push_back(best);
      }
    }
  }
  return out;
}

template <typename T>
std::vector<T> sliced(const Node& node, const Shape& input, const std::vector<T>& x) {
  const Attributes& a = node.attributes;
  const auto first = [&a](std::size_t axis) { return a.begin.empty() ? 0 : a.begin[axis]; };
  std::vector<T> out;
  out.reserve(static_cast<std::size_t>(node.shape.elements()));
  for (int channel = 0; channel < node.shape.channels; ++channel) {
    for (int row = 0; row < node.shape.height; ++row) {
      const std::size_t y = static_cast<std::size_t>(first(1)) + std::size_t(row) * a.step_h;
      const std::size_t from =
          ((static_cast<std::size_t>(first(0)) + channel) * input.height + y) * input.width;
      for (int column = 0; column < node.shape.width; ++column) {
        out.push_back(x[from + first(2) + static_cast<std::size_t>(column) * a.step_w]);
      }
    }
  }
  return out;
}

/// Where the value of a border comes from, in 0 .. extent - 1; -1: from nowhere, it is the border's
/// own.
inline int border_source(int at, int extent, BorderMode border) {
  if (at >= 0 && at < extent) return at;
  switch (border) {
    case BorderMode::kValue:
      return -1;
    case BorderMode::kEdge:
      return std::clamp(at, 0, extent - 1);
    case BorderMode::kReflect:
      return at < 0 ? -at : 2 * (extent - 1) - at;
  }
  fail("no such border");
}

/// A border around every plane; `value` is that of a border of one value.
template <typename T>
std::vector<T> bordered(const Node& node, const Shape& input, const std::vector<T>& x, T value) {
  const Attributes& a = node.attributes;
  std::vector<T> out;
  out.reserve(static_cast<std::size_t>(node.shape.elements()));
  for (int channel = 0; channel < node.shape.channels; ++channel) {
    for (int row = 0; row < node.shape.height; ++row) {
      const int y = border_source(row - a.pad_top, input.height, a.border);
      for (int column = 0; column < node.shape.width; ++column) {
        const int from = border_source(column - a.pad_left, input.width, a.border);
        const bool inside = y >= 0 && from >= 0;
        out.push_back(
            inside ? x[(static_cast<std::size_t>(channel) * input.height + y) * input.width + from]
                   : value);
      }
    }
  }
  return out;
}

/// The values seen with extents `view`, its axes in another order.
template <typename T>
std::vector<T> rearranged(const Node& node, const std::vector<T>& x) {
  const Attributes& a = node.attributes;
  if (a.view.empty()) return x;
  const std::size_t axes = a.view.size();
  std::vector<std::size_t> step(axes, 1);  // in x, of each axis of the view
  for (std::size_t axis = axes - 1; axis-- > 0;) {
    step[axis] = step[axis + 1] * static_cast<std::size_t>(a.view[axis + 1]);
  }
  std::vector<T> out(x.size());
  std::vector<int> digits(axes, 0);  // of the output, its axes in their order
  for (T& code : out) {
    std::size_t from = 0;
    for (std::size_t i = 0; i < axes; ++i) {
      from += static_cast<std::size_t>(digits[i]) * step[static_cast<std::size_t>(a.order[i])];
    }
    code = x[from];
    for (std::size_t i = axes; i-- > 0;) {
      if (++digits[i] < a.view[static_cast<std::size_t>(a.order[i])]) break;
      digits[i] = 0;
    }
  }
  return out;
}

template <typename T>
std::vector<T> upsampled(const Node& node, const Shape& input, const std::vector<T>& x) {
  const Attributes& a = node.attributes;
  std::vector<T> out;
  out.reserve(static_cast<std::size_t>(node.shape.elements()));
  for (int row = 0; row < input.channels * input.height; ++row) {
    for (int again = 0; again < a.step_h; ++again) {
      for (int column = 0; column < input.width; ++column) {
        out.insert(out.end(), static_cast<std::size_t>(a.step_w),
                   x[static_cast<std::size_t>(row) * input.width + column]);
      }
    }
  }
  return out;
}

/// What a node of moves gives: flattening, slices, upsampling, padding of pixels (a border of
/// `value`) and of channels (of `value`), rearranging. Throws Error for other operations.
template <typename T>
std::vector<T> moved(const Node& node, const Shape& input, const std::vector<T>& x, T value) {
  switch (node.op) {
    case Op::kFlatten:
      return x;
    case Op::kSlice:
      return sliced(node, input, x);
    case Op::kUpsample:
      return upsampled(node, input, x);
    case Op::kPad:
      return bordered(node, input, x, value);
    case Op::kRearrange:
      return rearranged(node, x);
    case Op::kPadChannels: {
      const auto area = static_cast<std::size_t>(input.height) * input.width;
      std::vector<T> out(static_cast<std::size_t>(node.attributes.before) * area, value);
      out.insert(out.end(), x.begin(), x.end());
      out.resize(static_cast<std::size_t>(node.shape.elements()), value);
      return out;
    }
    default:
      break;
  }
  fail("{}: an operation that does not move values", node.where);
}

}  // namespace bittern
