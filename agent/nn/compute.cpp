#include "agent/nn/compute.h"

#include <algorithm>
#include <limits>

#include "agent/torch.h"
#include "host/base/error.h"
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
  if (a.ceil || a.pad_top != a.pad_bottom || a.pad_left != a.pad_right || 2 * pad_h > a.kernel_h ||
      2 * pad_w > a.kernel_w) {
    x = padded_for_windows(node, x, -std::numeric_limits<double>::infinity());
    pad_h = 0;
    pad_w = 0;
  }
  return at::max_pool2d(x, {a.kernel_h, a.kernel_w}, {a.stride_h, a.stride_w}, {pad_h, pad_w});
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
      return at::clamp(x, a.low, a.high);
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
      return as_map(x)
          .slice(2, 0, std::numeric_limits<std::int64_t>::max(), a.step_h)
          .slice(3, 0, std::numeric_limits<std::int64_t>::max(), a.step_w);
    case Op::kUpsample:
      return upsampled(a, as_map(x));
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
