#include "host/network/io/onnx/windows.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace bittern::onnx_io {
namespace {

constexpr std::int64_t kMost = 1 << 24;

}  // namespace

int whole(const FileNode& node, std::int64_t value, std::int64_t least, const char* what) {
  if (value < least || value > kMost) {
    node.fail(fmt::format("{} of {}, expected {} to {}", what, value, least, kMost));
  }
  return static_cast<int>(value);
}

std::array<int, 2> each_axis(const FileNode& node, const char* name, std::size_t axes,
                             std::int64_t least) {
  const std::vector<std::int64_t> list = node.list(name);
  if (list.empty()) return {1, 1};
  if (list.size() != axes) {
    node.fail(fmt::format("{} has {} numbers for {} axes", name, list.size(), axes));
  }
  const int last = whole(node, list.back(), least, name);
  return {axes == 1 ? 1 : whole(node, list[0], least, name), last};
}

int spatial_map(Importer& importer, const FileNode& node, const Value& value) {
  const std::size_t axes = value.dims.size() - 1;
  if (value.dims.empty() || axes < 1 || axes > 2) {
    node.fail(fmt::format(
        "its input has {} spatial axes, expected 1 or 2: 3-D is not computed, layers have a "
        "height and a width only",
        value.dims.empty() ? 0 : axes));
  }
  return importer.shaped(node, value);
}

Attributes window_of(const FileNode& node, const Shape& in, std::size_t axes,
                     std::array<int, 2> kernel) {
  Attributes a;
  a.kernel_h = kernel[0];
  a.kernel_w = kernel[1];
  const auto strides = each_axis(node, "strides", axes, 1);
  const auto dilations = each_axis(node, "dilations", axes, 1);
  a.stride_h = strides[0];
  a.stride_w = strides[1];
  a.dilation_h = dilations[0];
  a.dilation_w = dilations[1];
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    // As large as the input over the stride; the odd pixel is last or first.
    const auto pads = [&](int size, int stride, int reach) {
      const std::int64_t out = (std::int64_t{size} + stride - 1) / stride;
      const std::int64_t all = std::max<std::int64_t>(0, (out - 1) * stride + reach - size);
      const int less = whole(node, all / 2, 0, "padding");
      const int more = whole(node, all - all / 2, 0, "padding");
      return mode == "SAME_UPPER" ? std::array<int, 2>{less, more} : std::array<int, 2>{more, less};
    };
    const auto reach = [&](int size, int dilation) {
      return whole(node, std::int64_t{size - 1} * dilation + 1, 1, "a kernel");
    };
    const auto rows = pads(in.height, a.stride_h, reach(a.kernel_h, a.dilation_h));
    const auto columns = pads(in.width, a.stride_w, reach(a.kernel_w, a.dilation_w));
    a.pad_top = rows[0];
    a.pad_bottom = rows[1];
    a.pad_left = columns[0];
    a.pad_right = columns[1];
  } else if (mode == "NOTSET") {
    const std::vector<std::int64_t> pads = node.list("pads");
    if (!pads.empty() && pads.size() != 2 * axes) {
      node.fail(fmt::format("pads has {} numbers for {} axes", pads.size(), axes));
    }
    if (!pads.empty()) {
      a.pad_left = whole(node, pads[axes - 1], 0, "pads");
      a.pad_right = whole(node, pads[2 * axes - 1], 0, "pads");
      if (axes == 2) {
        a.pad_top = whole(node, pads[0], 0, "pads");
        a.pad_bottom = whole(node, pads[2], 0, "pads");
      }
    }
  } else if (mode != "VALID") {
    node.fail("auto_pad is '" + mode + "', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  }
  return a;
}

Value map_value(const Importer& importer, int source, std::size_t axes) {
  const Shape& shape = importer.graph().shape_of(source);
  Value out;
  out.source = source;
  out.dims = axes == 1 ? Dims{shape.channels, shape.width}
                       : Dims{shape.channels, shape.height, shape.width};
  return out;
}

std::vector<float> reals_of(const FileNode& node, const Constant& constant, const char* what) {
  if (constant.integer) node.fail(fmt::format("its {} are integers, expected real numbers", what));
  return constant.reals;
}

}  // namespace bittern::onnx_io
