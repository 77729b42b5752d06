#include "host/network/layer.h"

#include <fmt/format.h>

#include "host/base/error.h"

namespace bittern {
namespace {

/// Largest extent of anything; products of a few of them stay within 64 bits.
constexpr int kMaxExtent = 1 << 24;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 31;

/// Product that stops growing once it is beyond what any tensor may have.
std::int64_t elements(std::initializer_list<std::int64_t> sizes) {
  std::int64_t product = 1;
  for (std::int64_t size : sizes) {
    product *= size;
    if (product > kMaxElements) return kMaxElements + 1;
  }
  return product;
}

}  // namespace

const char* layer_kind_name(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConv:
      return "conv";
    case LayerKind::kDepthwise:
      return "depthwise";
    case LayerKind::kLinear:
      return "linear";
  }
  return "unknown";
}

std::int64_t Layer::reduction() const {
  return std::int64_t{in_channels} / groups * kernel_h * kernel_w;
}
std::int64_t Layer::macs() const { return outputs() * reduction(); }
std::int64_t Layer::weights() const { return out_channels * reduction(); }
std::int64_t Layer::inputs() const { return std::int64_t{in_channels} * in_height * in_width; }
std::int64_t Layer::outputs() const {
  return std::int64_t{out_channels} * out_height() * out_width();
}

std::string Layer::key() const {
  if (kind == LayerKind::kLinear) return fmt::format("linear i{} o{}", in_channels, out_channels);
  // Without dilation the text is what it was before there was any: stored measurements stay valid.
  const std::string dilation =
      dilation_h == 1 && dilation_w == 1 ? "" : fmt::format(" d{}x{}", dilation_h, dilation_w);
  return fmt::format("{} i{}x{}x{} o{} k{}x{} s{}x{}{} p{},{},{},{} g{}", layer_kind_name(kind),
                     in_channels, in_height, in_width, out_channels, kernel_h, kernel_w, stride_h,
                     stride_w, dilation, pad_top, pad_bottom, pad_left, pad_right, groups);
}

std::string Precision::key() const {
  return fmt::format("w{}{} a{}{}", bits.weight, weight_signed ? "s" : "u", bits.activation,
                     activation_signed ? "s" : "u");
}

void Layer::validate() const {
  const auto positive = [this](const char* field, int value) {
    if (value < 1 || value > kMaxExtent) {
      fail_usage("layer '{}': {} is {}, expected 1 to {}", name, field, value, kMaxExtent);
    }
  };
  positive("in_channels", in_channels);
  positive("in_height", in_height);
  positive("in_width", in_width);
  positive("out_channels", out_channels);
  positive("kernel_h", kernel_h);
  positive("kernel_w", kernel_w);
  positive("stride_h", stride_h);
  positive("stride_w", stride_w);
  positive("dilation_h", dilation_h);
  positive("dilation_w", dilation_w);
  positive("groups", groups);
  const auto pad = [this](const char* field, int value) {
    if (value < 0 || value > kMaxExtent) {
      fail_usage("layer '{}': {} is {}, expected 0 to {}", name, field, value, kMaxExtent);
    }
  };
  pad("pad_top", pad_top);
  pad("pad_bottom", pad_bottom);
  pad("pad_left", pad_left);
  pad("pad_right", pad_right);
  const std::int64_t reach_rows = std::int64_t{kernel_h - 1} * dilation_h + 1;
  const std::int64_t reach_columns = std::int64_t{kernel_w - 1} * dilation_w + 1;
  if (reach_rows > in_height + pad_top + pad_bottom ||
      reach_columns > in_width + pad_left + pad_right) {
    const bool dilated = dilation_h > 1 || dilation_w > 1;
    fail_usage("layer '{}': the kernel ({}x{}{}) is larger than the padded input ({}x{})", name,
               kernel_h, kernel_w,
               dilated ? fmt::format(", {}x{} with its dilation", reach_rows, reach_columns) : "",
               in_height + pad_top + pad_bottom, in_width + pad_left + pad_right);
  }
  if (in_channels % groups != 0 || out_channels % groups != 0) {
    fail_usage("layer '{}': {} groups do not divide {} input and {} output channels", name, groups,
               in_channels, out_channels);
  }
  if (kind == LayerKind::kDepthwise && groups != in_channels) {
    fail_usage("layer '{}': depthwise has one group per input channel ({}), got {}", name,
               in_channels, groups);
  }
  if (kind == LayerKind::kLinear &&
      (in_height != 1 || in_width != 1 || kernel_h != 1 || kernel_w != 1 || stride_h != 1 ||
       stride_w != 1 || dilation_h != 1 || dilation_w != 1 || pad_top != 0 || pad_bottom != 0 ||
       pad_left != 0 || pad_right != 0 || groups != 1)) {
    fail_usage(
        "layer '{}': a linear layer has height, width, kernel, stride, dilation and groups of 1, "
        "and no padding",
        name);
  }
  const auto bounded = [this](const char* what, std::int64_t count) {
    if (count > kMaxElements) {
      fail_usage("layer '{}': more than 2^31 {}", name, what);
    }
  };
  bounded("inputs", elements({in_channels, in_height, in_width}));
  bounded("inputs with their padding", elements({in_channels, in_height + pad_top + pad_bottom,
                                                 in_width + pad_left + pad_right}));
  bounded("outputs", elements({out_channels, out_height(), out_width()}));
  bounded("weights", elements({out_channels, in_channels / groups, kernel_h, kernel_w}));
}

}  // namespace bittern
