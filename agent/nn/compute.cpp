#include "agent/nn/compute.h"

#include <algorithm>
#include <limits>

#include "agent/torch.h"
#include "host/base/error.h"
#include "host/network/clip.h"
#include "host/network/ops.h"

namespace bittern {
namespace {

using torch::Tensor;

/// A linear layer gives two dimensions; behind it a map has one pixel.
Tensor as_map(const Tensor& x) { return x.dim() == 2 ? x.view({x.size(0), x.size(1), 1, 1}) : x; }

Tensor flattened(const Tensor& x) {
  // In the order channel, row, column, whatever the layout in memory.
  return x.dim() == 2 ? x : x.contiguous(torch::MemoryFormat::Contiguous).flatten(1);
}

Tensor convolve(const Attributes& a, Tensor x, const NodeWeights& weights) {
  std::int64_t pad_h = a.pad_top;
  std::int64_t pad_w = a.pad_left;
  if (a.pad_top != a.pad_bottom || a.pad_left != a.pad_right) {
    x = at::constant_pad_nd(x, {a.pad_left, a.pad_right, a.pad_top, a.pad_bottom}, 0);
    pad_h = 0;
    pad_w = 0;
  }
  return at::conv2d(x, weights.weight, weights.bias, {a.stride_h, a.stride_w}, {pad_h, pad_w},
                    {a.dilation_h, a.dilation_w}, a.groups);
}

Tensor multiply(const Tensor& x, const NodeWeights& weights) {
  if (x.is_cuda()) return at::linear(x, weights.weight, weights.bias);
  // As a 1x1 convolution: those always run in oneDNN, while matrix products go to whatever BLAS is
  // installed, on Debian one that is ten times slower.
  const Tensor kernel = weights.weight.view({weights.weight.size(0), -1, 1, 1});
  return at::conv2d(x.view({x.size(0), -1, 1, 1}), kernel, weights.bias).flatten(1);
}

/// The map with all of its padding, and what a last window hangs over behind that.
Tensor padded_for_windows(const Node& node, const Tensor& x, double value) {
  const Attributes& a = node.attributes;
  const Overhang over = pool_overhang(
      node,
      {static_cast<int>(x.size(1)), static_cast<int>(x.size(2)), static_cast<int>(x.size(3))});
  return at::constant_pad_nd(x,
                             {a.pad_left, a.pad_right + std::max(over.columns, 0), a.pad_top,
                              a.pad_bottom + std::max(over.rows, 0)},
                             value);
}

Tensor max_pooled(const Node& node, Tensor x) {
  const Attributes& a = node.attributes;
  std::int64_t pad_h = a.pad_top;
  std::int64_t pad_w = a.pad_left;
  // LibTorch pads both sides alike and by half of the kernel at most.
  const bool dilated = a.dilation_h != 1 || a.dilation_w != 1;
  if (dilated || a.ceil || a.pad_top != a.pad_bottom || a.pad_left != a.pad_right ||
      2 * pad_h > a.kernel_h || 2 * pad_w > a.kernel_w) {
    x = padded_for_windows(node, x, -std::numeric_limits<double>::infinity());
    pad_h = 0;
    pad_w = 0;
  }
  return at::max_pool2d(x, {a.kernel_h, a.kernel_w}, {a.stride_h, a.stride_w}, {pad_h, pad_w},
                        {a.dilation_h, a.dilation_w});
}

Tensor average_pooled(const Node& node, const Tensor& x) {
  const Attributes& a = node.attributes;
  const auto average = [&a](const Tensor& map) {
    return at::avg_pool2d(map, {a.kernel_h, a.kernel_w}, {a.stride_h, a.stride_w});
  };
  const bool bare = !a.ceil && a.pad_top + a.pad_bottom + a.pad_left + a.pad_right == 0;
  if (bare) return average(x);
  // Sums over windows with zeros outside, divided by the pixels that count.
  Tensor counted = torch::ones({1, 1, x.size(2), x.size(3)}, x.options().requires_grad(false));
  if (a.count_padding) {
    counted = at::constant_pad_nd(counted, {a.pad_left, a.pad_right, a.pad_top, a.pad_bottom}, 1.0);
    Node unpadded = node;
    Attributes& u = unpadded.attributes;
    u.pad_top = u.pad_bottom = u.pad_left = u.pad_right = 0;
    counted = padded_for_windows(unpadded, counted, 0);
  } else {
    counted = padded_for_windows(node, counted, 0);
  }
  return average(padded_for_windows(node, x, 0)) / average(counted);
}

Tensor upsampled(const Attributes& a, const Tensor& x) {
  const auto n = x.size(0);
  const auto c = x.size(1);
  const auto h = x.size(2);
  const auto w = x.size(3);
  return x.unsqueeze(3)
      .unsqueeze(5)
      .expand({n, c, h, a.step_h, w, a.step_w})
      .reshape({n, c, h * a.step_h, w * a.step_w});
}

Tensor sliced(const Attributes& a, const Tensor& x) {
  const auto part = [&a](const Tensor& map, std::size_t axis, int step) {
    return map.slice(static_cast<std::int64_t>(axis) + 1, a.begin.empty() ? 0 : a.begin[axis],
                     a.end.empty() ? std::numeric_limits<std::int64_t>::max() : a.end[axis], step);
  };
  return part(part(part(x, 0, 1), 1, a.step_h), 2, a.step_w);
}

Tensor bordered(const Attributes& a, const Tensor& x) {
  const std::vector<std::int64_t> pads = {a.pad_left, a.pad_right, a.pad_top, a.pad_bottom};
  switch (a.border) {
    case BorderMode::kEdge:
      return at::replication_pad2d(x, pads);
    case BorderMode::kReflect:
      return at::reflection_pad2d(x, pads);
    case BorderMode::kValue:
      break;
  }
  return at::constant_pad_nd(x, pads, a.value);
}

Tensor rearranged(const Attributes& a, const Tensor& x) {
  Tensor values = x.contiguous(torch::MemoryFormat::Contiguous);
  if (!a.view.empty()) {
    std::vector<std::int64_t> view = {x.size(0)};
    view.insert(view.end(), a.view.begin(), a.view.end());
    std::vector<std::int64_t> order = {0};
    for (const int axis : a.order) order.push_back(axis + 1);
    values = values.view(view).permute(order).contiguous();
  }
  return values.view({x.size(0), a.shape[0], a.shape[1], a.shape[2]});
}

Tensor rounded(const Tensor& x, Rounding rounding) {
  switch (rounding) {
    case Rounding::kHalfEven:
      return at::round(x);
    case Rounding::kHalfUp:
    case Rounding::kHalfDown: {
      // Not floor(x + 0.5): that sum is rounded itself.
      const Tensor size = at::abs(x);
      const Tensor below = at::floor(size);
      const Tensor over = size - below;
      const Tensor up = rounding == Rounding::kHalfUp ? over.ge(0.5) : over.gt(0.5);
      return at::sign(x) * (below + up.to(x.dtype()));
    }
    case Rounding::kDown:
      return at::trunc(x);
    case Rounding::kUp:
      return at::sign(x) * at::ceil(at::abs(x));
    case Rounding::kFloor:
      return at::floor(x);
    case Rounding::kCeil:
      return at::ceil(x);
  }
  fail("no such rounding");
}

Tensor quantised(const Quantiser& q, const Tensor& x) {
  const auto values = [&x](const std::vector<float>& list) {
    const Tensor all = torch::tensor(list).to(x.device());
    return list.size() == 1 ? all : per_channel(all, x);
  };
  const Tensor scale = values(q.scale);
  const Tensor zero = values(q.zero_point);
  if (q.bipolar) return (x.ge(0.0).to(x.dtype()) * 2.0 - 1.0) * scale;
  const Tensor codes = at::clamp(rounded(x / scale, q.rounding) + zero, q.low(), q.high());
  return (codes - zero) * scale;
}

Tensor clipped(const Attributes& a, const Tensor& x) {
  if (a.deviation.empty()) return at::clamp(x, a.low, a.high);
  std::vector<float> high;
  for (std::size_t c = 0; c < a.deviation.size(); ++c) {
    high.push_back(static_cast<float>(clip_high(a, c)));
  }
  return at::minimum(at::clamp_min(x, a.low), per_channel(torch::tensor(high).to(x.device()), x));
}

Tensor normalised(const Attributes& a, const Tensor& x) {
  const auto values = [&x](const std::vector<double>& list) {
    return per_channel(torch::tensor(std::vector<float>(list.begin(), list.end())).to(x.device()),
                       x);
  };
  return (x - values(a.mean)) / values(a.deviation);
}

Tensor batch_normed(const Node& node, const Tensor& x, const NodeWeights& weights) {
  const Tensor factor = weights.weight / (weights.variance + node.attributes.epsilon).sqrt();
  const Tensor shift = weights.bias - weights.mean * factor;
  return x * per_channel(factor, x) + per_channel(shift, x);
}

Tensor compute_op(const Node& node, const std::vector<Tensor>& inputs, const NodeWeights* weights) {
  const Attributes& a = node.attributes;
  const Tensor& x = inputs[0];
  switch (node.op) {
    case Op::kConv:
      return convolve(a, as_map(x), *weights);
    case Op::kLinear:
      return multiply(flattened(x), *weights);
    case Op::kBatchNorm:
      return batch_normed(node, x, *weights);
    case Op::kRelu:
      return at::relu(x);
    case Op::kClip:
      return clipped(a, x);
    case Op::kMaxPool:
      return max_pooled(node, as_map(x));
    case Op::kAveragePool:
      return average_pooled(node, as_map(x));
    case Op::kAdd: {
      Tensor sum = as_map(x);
      for (std::size_t i = 1; i < inputs.size(); ++i) sum = sum + as_map(inputs[i]);
      return sum;
    }
    case Op::kConcat: {
      std::vector<Tensor> maps;
      for (const Tensor& input : inputs) maps.push_back(as_map(input));
      return at::cat(maps, 1);
    }
    case Op::kFlatten:
      return flattened(x);
    case Op::kPadChannels:
      return at::constant_pad_nd(as_map(x), {0, 0, 0, 0, a.before, a.after}, 0);
    case Op::kSlice:
      return sliced(a, as_map(x));
    case Op::kUpsample:
      return upsampled(a, as_map(x));
    case Op::kPad:
      return bordered(a, as_map(x));
    case Op::kRearrange:
      return rearranged(a, as_map(x));
    case Op::kQuantise:
      return quantised(*a.quantiser, x);
    case Op::kGiven:
      break;  // require_trainable() refuses it
    case Op::kNormalise:
      return normalised(a, x);
  }
  fail("no such operation");
}

}  // namespace

Tensor per_channel(const Tensor& values, const Tensor& x) {
  return x.dim() == 2 ? values.view({1, -1}) : values.view({1, -1, 1, 1});
}

Tensor compute_node(const Node& node, const std::vector<Tensor>& inputs,
                    const NodeWeights* weights) {
  const Tensor result = compute_op(node, inputs, weights);
  return node.attributes.relu ? at::relu(result) : result;
}

}  // namespace bittern
