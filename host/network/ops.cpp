#include "host/network/ops.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "host/base/error.h"
#include "host/network/clip.h"

namespace bittern {
namespace {

constexpr int kMost = 1 << 24;
constexpr std::int64_t kMostElements = std::int64_t{1} << 31;

std::string text_of(const Shape& shape) {
  return fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width);
}

/// Shape of a map whose extents may have grown too large.
Shape checked(std::int64_t channels, std::int64_t height, std::int64_t width) {
  for (const std::int64_t extent : {channels, height, width}) {
    if (extent < 1 || extent > kMost) {
      fail_usage("the output would be {}x{}x{}, expected 1 to {} of each", channels, height, width,
                 kMost);
    }
  }
  if (channels * height > kMostElements || channels * height * width > kMostElements) {
    fail_usage("the output would be {}x{}x{}, more than 2^31 values", channels, height, width);
  }
  return {static_cast<int>(channels), static_cast<int>(height), static_cast<int>(width)};
}

Shape layer_shape(const Node& node, const std::vector<Shape>& inputs) {
  const Layer layer = layer_of(node, inputs[0]);
  layer.validate();
  if (node.attributes.quantiser) {
    node.attributes.quantiser->validate(static_cast<std::size_t>(layer.out_channels));
  }
  return {layer.out_channels, layer.out_height(), layer.out_width()};
}

Shape same_shape(const Node& node, const std::vector<Shape>& inputs) {
  static_cast<void>(node);
  return inputs[0];
}

/// Outputs along one axis of a pooling; PyTorch's rule: with `ceil`, a last window counts when it
/// begins inside of the map or of the padding before it.
int pooled_extent(const char* axis, int in, int before, int behind, int kernel, int dilation,
                  int stride, bool ceil) {
  const std::int64_t reach = std::int64_t{kernel - 1} * dilation + 1;
  if (reach > kMost) fail_usage("the pooling's kernel reaches over {} {}", reach, axis);
  const int positions = kernel;
  kernel = static_cast<int>(reach);
  if (before >= kernel || behind >= kernel) {
    fail_usage("pooling has {} and {} {} of padding, expected less than its kernel ({})", before,
               behind, axis, kernel);
  }
  const int room = in + before + behind - kernel;
  if (room < 0) {
    fail_usage("the pooling's kernel ({} {}) is larger than the padded input ({})", kernel, axis,
               in + before + behind);
  }
  int out = room / stride + 1;
  if (ceil && room % stride != 0 && out * stride < in + before) ++out;
  // The first and last windows of a kernel with positions could have padding under all of it.
  for (int i = 0; i < out && dilation > 1; ++i) {
    const std::int64_t start = std::int64_t{i} * stride - before;
    if (start >= 0 && start + reach <= in) continue;
    const std::int64_t first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
    if (first >= positions || start + first * dilation >= in) {
      fail_usage("window {} of the pooling has no pixel, only padding ({})", i, axis);
    }
  }
  return out;
}

Shape pool_shape(const Node& node, const std::vector<Shape>& inputs) {
  const Attributes& a = node.attributes;
  const Shape& in = inputs[0];
  return {in.channels,
          pooled_extent("rows", in.height, a.pad_top, a.pad_bottom, a.kernel_h, a.dilation_h,
                        a.stride_h, a.ceil),
          pooled_extent("columns", in.width, a.pad_left, a.pad_right, a.kernel_w, a.dilation_w,
                        a.stride_w, a.ceil)};
}

Shape add_shape(const Node& node, const std::vector<Shape>& inputs) {
  static_cast<void>(node);
  for (const Shape& other : inputs) {
    if (other != inputs[0]) {
      fail_usage("an addition takes maps of one shape, got {} and {}", text_of(inputs[0]),
                 text_of(other));
    }
  }
  return inputs[0];
}

Shape concat_shape(const Node& node, const std::vector<Shape>& inputs) {
  static_cast<void>(node);
  std::int64_t channels = 0;
  for (const Shape& other : inputs) {
    if (other.height != inputs[0].height || other.width != inputs[0].width) {
      fail_usage("a concatenation takes maps of one height and width, got {} and {}",
                 text_of(inputs[0]), text_of(other));
    }
    channels += other.channels;
  }
  return checked(channels, inputs[0].height, inputs[0].width);
}

Shape flat_shape(const Node& node, const std::vector<Shape>& inputs) {
  static_cast<void>(node);
  if (inputs[0].elements() > kMost) {
    fail_usage("a linear layer over {} inputs has more than {} of them", text_of(inputs[0]), kMost);
  }
  return {static_cast<int>(inputs[0].elements()), 1, 1};
}

Shape padded_channels(const Node& node, const std::vector<Shape>& inputs) {
  return checked(std::int64_t{inputs[0].channels} + node.attributes.before + node.attributes.after,
                 inputs[0].height, inputs[0].width);
}

Shape sliced(const Node& node, const std::vector<Shape>& inputs) {
  const Attributes& a = node.attributes;
  const Shape& in = inputs[0];
  std::vector<int> extents = {in.channels, in.height, in.width};
  if ((!a.begin.empty() && a.begin.size() != 3) || (!a.end.empty() && a.end.size() != 3)) {
    fail_usage("a slice begins and ends at a channel, a row and a column: expected three numbers");
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const int begin = a.begin.empty() ? 0 : a.begin[i];
    const int end = a.end.empty() ? extents[i] : a.end[i];
    if (begin < 0 || end <= begin || end > extents[i]) {
      fail_usage("a slice from {} to {} of {} {}", begin, end, extents[i],
                 i == 0   ? "channels"
                 : i == 1 ? "rows"
                          : "columns");
    }
    extents[i] = end - begin;
  }
  return checked(extents[0], (extents[1] - 1) / a.step_h + 1, (extents[2] - 1) / a.step_w + 1);
}

Shape bordered(const Node& node, const std::vector<Shape>& inputs) {
  const Attributes& a = node.attributes;
  const Shape& in = inputs[0];
  if (a.border == BorderMode::kReflect) {
    if (std::max(a.pad_top, a.pad_bottom) >= in.height ||
        std::max(a.pad_left, a.pad_right) >= in.width) {
      fail_usage("a mirrored border of {},{},{},{} for a map of {}: expected less than the map",
                 a.pad_top, a.pad_bottom, a.pad_left, a.pad_right, text_of(in));
    }
  }
  return checked(in.channels, std::int64_t{in.height} + a.pad_top + a.pad_bottom,
                 std::int64_t{in.width} + a.pad_left + a.pad_right);
}

Shape rearranged(const Node& node, const std::vector<Shape>& inputs) {
  const Attributes& a = node.attributes;
  constexpr std::size_t kMostExtents = 8;
  if (a.shape.size() != 3) fail_usage("`shape` is channels, height and width");
  const Shape out = checked(a.shape[0], a.shape[1], a.shape[2]);
  if (a.view.size() != a.order.size() || a.view.size() > kMostExtents) {
    fail_usage("{} extents in `view` and {} in `order`, expected as many, at most {}",
               a.view.size(), a.order.size(), kMostExtents);
  }
  std::vector<int> sorted = a.order;
  std::sort(sorted.begin(), sorted.end());
  std::int64_t viewed = 1;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != static_cast<int>(i)) {
      fail_usage("`order` holds every number from 0 to {} once", sorted.size() - 1);
    }
    if (a.view[i] < 1 || a.view[i] > kMostElements / viewed) fail_usage("`view` does not fit");
    viewed *= a.view[i];
  }
  if (out.elements() != inputs[0].elements() ||
      (!a.view.empty() && viewed != inputs[0].elements())) {
    fail_usage("a map of {} has {} values; `view` has {} and `shape` {}", text_of(inputs[0]),
               inputs[0].elements(), a.view.empty() ? inputs[0].elements() : viewed,
               out.elements());
  }
  return out;
}

Shape quantised(const Node& node, const std::vector<Shape>& inputs) {
  if (!node.attributes.quantiser) fail("a quantise node without a quantiser");
  node.attributes.quantiser->validate(static_cast<std::size_t>(inputs[0].channels));
  return inputs[0];
}

Shape upsampled(const Node& node, const std::vector<Shape>& inputs) {
  const Attributes& a = node.attributes;
  return checked(inputs[0].channels, std::int64_t{inputs[0].height} * a.step_h,
                 std::int64_t{inputs[0].width} * a.step_w);
}

Shape normalised(const Node& node, const std::vector<Shape>& inputs) {
  const Attributes& a = node.attributes;
  const auto channels = static_cast<std::size_t>(inputs[0].channels);
  if (a.mean.size() != channels || a.deviation.size() != channels) {
    fail_usage("{} means and {} deviations for {} channels, expected one of each for every channel",
               a.mean.size(), a.deviation.size(), channels);
  }
  for (const double deviation : a.deviation) {
    if (!(deviation > 0)) fail_usage("a deviation is {}, expected more than 0", deviation);
  }
  return inputs[0];
}

Shape clipped(const Node& node, const std::vector<Shape>& inputs) {
  const Attributes& a = node.attributes;
  if (std::isinf(a.low) && std::isinf(a.high)) fail_usage("a clip without bounds");
  const auto channels = static_cast<std::size_t>(inputs[0].channels);
  if (!a.deviation.empty() && a.deviation.size() != channels) {
    fail_usage("a clip with {} bounds for {} channels", a.deviation.size(), channels);
  }
  if (!(a.low < a.high)) fail_usage("clip from {} to {}: expected low < high", a.low, a.high);
  return inputs[0];
}

Shape given_shape(const Node& node, const std::vector<Shape>& inputs) {
  static_cast<void>(inputs);
  return checked(node.shape.channels, node.shape.height, node.shape.width);
}

/// Taken to stand behind a ReLU, as what is joined mostly does.
Range given_range(const Node& node, const std::vector<Range>& inputs) {
  static_cast<void>(node);
  static_cast<void>(inputs);
  return {0.0, std::numeric_limits<double>::infinity()};
}

Range anything(const Node& node, const std::vector<Range>& inputs) {
  static_cast<void>(node);
  static_cast<void>(inputs);
  return {};
}

Range as_input(const Node& node, const std::vector<Range>& inputs) {
  static_cast<void>(node);
  return inputs[0];
}

/// The input's values, and 0.
Range with_zero(const Node& node, const std::vector<Range>& inputs) {
  static_cast<void>(node);
  return {std::min(inputs[0].low, 0.0), std::max(inputs[0].high, 0.0)};
}

Range bordered_range(const Node& node, const std::vector<Range>& inputs) {
  const Attributes& a = node.attributes;
  if (a.border != BorderMode::kValue) return inputs[0];
  return {std::min(inputs[0].low, a.value), std::max(inputs[0].high, a.value)};
}

Range quantised_range(const Node& node, const std::vector<Range>& inputs) {
  const Quantiser& q = *node.attributes.quantiser;
  Range all{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  const std::size_t channels = std::max(q.scale.size(), q.zero_point.size());
  for (std::size_t c = 0; c < channels; ++c) {
    // What an unbounded value becomes is the last code.
    const auto value = [&](double bound, double limit) {
      const float code =
          std::isfinite(bound) ? q.code(static_cast<float>(bound), c) : static_cast<float>(limit);
      return static_cast<double>(q.value(code, c));
    };
    all.low = std::min(all.low, value(inputs[0].low, q.low()));
    all.high = std::max(all.high, value(inputs[0].high, q.high()));
  }
  return all;
}

Range average_range(const Node& node, const std::vector<Range>& inputs) {
  return node.attributes.count_padding ? with_zero(node, inputs) : inputs[0];
}

Range relu_range(const Node& node, const std::vector<Range>& inputs) {
  static_cast<void>(node);
  return {std::max(inputs[0].low, 0.0), std::max(inputs[0].high, 0.0)};
}

Range clip_range(const Node& node, const std::vector<Range>& inputs) {
  const Attributes& a = node.attributes;
  double high = a.deviation.empty() ? a.high : a.low;
  for (std::size_t c = 0; c < a.deviation.size(); ++c) high = std::max(high, clip_high(a, c));
  return {std::clamp(inputs[0].low, a.low, high), std::clamp(inputs[0].high, a.low, high)};
}

Range sum_range_of(const Node& node, const std::vector<Range>& inputs) {
  static_cast<void>(node);
  Range sum{0.0, 0.0};
  for (const Range& range : inputs) {
    sum.low += range.low;
    sum.high += range.high;
  }
  return sum;
}

Range any_of_them(const Node& node, const std::vector<Range>& inputs) {
  static_cast<void>(node);
  Range all = inputs[0];
  for (const Range& range : inputs) {
    all.low = std::min(all.low, range.low);
    all.high = std::max(all.high, range.high);
  }
  return all;
}

Range normalised_range(const Node& node, const std::vector<Range>& inputs) {
  const Attributes& a = node.attributes;
  Range all{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (std::size_t c = 0; c < a.mean.size(); ++c) {
    all.low = std::min(all.low, (inputs[0].low - a.mean[c]) / a.deviation[c]);
    all.high = std::max(all.high, (inputs[0].high - a.mean[c]) / a.deviation[c]);
  }
  return all;
}

std::string no_text(const Node& node) {
  static_cast<void>(node);
  return "";
}

/// Of the weights; nothing where they have none, as in texts from before.
std::string quantiser_text(const Node& node) {
  const auto& quantiser = node.attributes.quantiser;
  return quantiser ? " weights " + quantiser->text() : "";
}

std::string conv_text(const Node& node) {
  const Attributes& a = node.attributes;
  return fmt::format("{} d{}x{} g{} o{}{}", window_text(a), a.dilation_h, a.dilation_w, a.groups,
                     a.out_channels, a.bias ? " bias" : "") +
         quantiser_text(node);
}

std::string linear_text(const Node& node) {
  return fmt::format("o{}{}", node.attributes.out_channels, node.attributes.bias ? " bias" : "") +
         quantiser_text(node);
}

std::string epsilon_text(const Node& node) { return fmt::format("e{}", node.attributes.epsilon); }

std::string clip_text(const Node& node) {
  const Attributes& a = node.attributes;
  const std::string text = fmt::format("{} {}", a.low, a.high);
  return a.deviation.empty() ? text : text + fmt::format(" / {}", fmt::join(a.deviation, " "));
}

std::string pool_text(const Node& node) {
  const Attributes& a = node.attributes;
  std::string text = window_text(a);
  if (a.dilation_h != 1 || a.dilation_w != 1) {
    text += fmt::format(" d{}x{}", a.dilation_h, a.dilation_w);
  }
  return text + (a.ceil ? " ceil" : "") + (a.count_padding ? " padding" : "");
}

std::string padding_text(const Node& node) {
  return fmt::format("{} {}", node.attributes.before, node.attributes.after);
}

std::string step_text(const Node& node) {
  return fmt::format("{}x{}", node.attributes.step_h, node.attributes.step_w);
}

std::string slice_text(const Node& node) {
  const Attributes& a = node.attributes;
  std::string text = step_text(node);
  if (!a.begin.empty()) text += fmt::format(" from {}", fmt::join(a.begin, ","));
  if (!a.end.empty()) text += fmt::format(" to {}", fmt::join(a.end, ","));
  return text;
}

std::string border_text(const Node& node) {
  const Attributes& a = node.attributes;
  return fmt::format("p{},{},{},{} {}", a.pad_top, a.pad_bottom, a.pad_left, a.pad_right,
                     a.border == BorderMode::kEdge      ? "edge"
                     : a.border == BorderMode::kReflect ? "reflect"
                                                        : fmt::format("{}", a.value));
}

std::string rearrange_text(const Node& node) {
  const Attributes& a = node.attributes;
  return fmt::format("view {} order {} shape {}", fmt::join(a.view, ","), fmt::join(a.order, ","),
                     fmt::join(a.shape, ","));
}

std::string quantise_text(const Node& node) { return node.attributes.quantiser->text(); }

std::string normalise_text(const Node& node) {
  std::string text;
  for (const double mean : node.attributes.mean) text += fmt::format(" {}", mean);
  text += " /";
  for (const double deviation : node.attributes.deviation) text += fmt::format(" {}", deviation);
  return text;
}

std::string given_text(const Node& node) { return text_of(node.shape); }

}  // namespace

std::string window_text(const Attributes& a) {
  return fmt::format("k{}x{} s{}x{} p{},{},{},{}", a.kernel_h, a.kernel_w, a.stride_h, a.stride_w,
                     a.pad_top, a.pad_bottom, a.pad_left, a.pad_right);
}

const std::vector<OpInfo>& all_ops() {
  constexpr int kMany = 256;
  static const std::vector<std::string> kWeights = {"weight", "bias"};
  static const std::vector<OpInfo> kOps = {
      {Op::kConv,
       "conv",
       1,
       1,
       {"!kernel", "stride", "dilation", "pad", "!out", "groups", "bias", "weight_quantiser"},
       kWeights,
       layer_shape,
       anything,
       conv_text},
      {Op::kLinear,
       "linear",
       1,
       1,
       {"!out", "bias", "weight_quantiser"},
       kWeights,
       layer_shape,
       anything,
       linear_text},
      {Op::kBatchNorm,
       "batch_norm",
       1,
       1,
       {"epsilon"},
       {"weight", "bias", "running_mean", "running_var"},
       same_shape,
       anything,
       epsilon_text},
      {Op::kRelu, "relu", 1, 1, {}, {}, same_shape, relu_range, no_text},
      {Op::kClip, "clip", 1, 1, {"low", "high"}, {}, clipped, clip_range, clip_text},
      {Op::kMaxPool,
       "max_pool",
       1,
       1,
       {"!kernel", "stride", "dilation", "pad", "ceil"},
       {},
       pool_shape,
       as_input,
       pool_text},
      {Op::kAveragePool,
       "average_pool",
       1,
       1,
       {"!kernel", "stride", "pad", "ceil", "count_padding"},
       {},
       pool_shape,
       average_range,
       pool_text},
      {Op::kAdd, "add", 2, kMany, {}, {}, add_shape, sum_range_of, no_text},
      {Op::kConcat, "concat", 2, kMany, {}, {}, concat_shape, any_of_them, no_text},
      {Op::kFlatten, "flatten", 1, 1, {}, {}, flat_shape, as_input, no_text},
      {Op::kPadChannels,
       "pad_channels",
       1,
       1,
       {"before", "after"},
       {},
       padded_channels,
       with_zero,
       padding_text},
      {Op::kSlice, "slice", 1, 1, {"step", "begin", "end"}, {}, sliced, as_input, slice_text},
      {Op::kUpsample, "upsample", 1, 1, {"!factor"}, {}, upsampled, as_input, step_text},
      {Op::kNormalise,
       "normalise",
       1,
       1,
       {"!mean", "!deviation"},
       {},
       normalised,
       normalised_range,
       normalise_text},
      {Op::kPad,
       "pad",
       1,
       1,
       {"!pad", "value", "border"},
       {},
       bordered,
       bordered_range,
       border_text},
      {Op::kRearrange,
       "rearrange",
       1,
       1,
       {"view", "order", "!shape"},
       {},
       rearranged,
       as_input,
       rearrange_text},
      {Op::kQuantise,
       "quantise",
       1,
       1,
       {"bits", "signed", "narrow", "bipolar", "rounding", "scale", "zero_point"},
       {},
       quantised,
       quantised_range,
       quantise_text},
      {Op::kGiven, "given", 0, 0, {}, {}, given_shape, given_range, given_text},
  };
  return kOps;
}

const OpInfo& op_info(Op op) { return all_ops().at(static_cast<std::size_t>(op)); }

std::string missing_for(const std::string& op) {
  const auto any = [&op](std::initializer_list<const char*> words) {
    return std::find(words.begin(), words.end(), op) != words.end();
  };
  if (any({"conv_transpose", "transposed_conv", "transpose_conv", "deconv", "deconvolution"})) {
    return "transposed convolution is not computed: no core has a lowering for it (write upsample "
           "and a convolution)";
  }
  if (any({"conv3d", "conv_3d", "pool3d"})) {
    return "3-D convolution is not computed: layers have a height and a width only";
  }
  if (any({"matmul", "attention", "multiply", "mul", "einsum"})) {
    return "products of two activations are not computed: every layer multiplies activations by "
           "weights, which lie in memory before it starts";
  }
  return "";
}

Layer layer_of(const Node& node, const Shape& input) {
  const Attributes& a = node.attributes;
  Layer layer;
  layer.name = node.name;
  layer.in_channels = input.channels;
  layer.out_channels = a.out_channels;
  layer.in_height = input.height;
  layer.in_width = input.width;
  if (node.op == Op::kLinear) {
    layer.kind = LayerKind::kLinear;
    return layer;
  }
  layer.kind = a.depthwise ? LayerKind::kDepthwise : LayerKind::kConv;
  layer.groups = a.groups;
  layer.kernel_h = a.kernel_h;
  layer.kernel_w = a.kernel_w;
  layer.stride_h = a.stride_h;
  layer.stride_w = a.stride_w;
  layer.dilation_h = a.dilation_h;
  layer.dilation_w = a.dilation_w;
  layer.pad_top = a.pad_top;
  layer.pad_bottom = a.pad_bottom;
  layer.pad_left = a.pad_left;
  layer.pad_right = a.pad_right;
  return layer;
}

Overhang pool_overhang(const Node& node, const Shape& input) {
  const Attributes& a = node.attributes;
  const auto over = [](int out, int stride, int kernel, int dilation, int padded) {
    return (out - 1) * stride + (kernel - 1) * dilation + 1 - padded;
  };
  return {over(node.shape.height, a.stride_h, a.kernel_h, a.dilation_h,
               input.height + a.pad_top + a.pad_bottom),
          over(node.shape.width, a.stride_w, a.kernel_w, a.dilation_w,
               input.width + a.pad_left + a.pad_right)};
}

}  // namespace bittern
