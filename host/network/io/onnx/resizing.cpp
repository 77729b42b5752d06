// Maps of other heights and widths.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "host/network/io/onnx/op_table.h"
#include "host/network/io/onnx/slices.h"
#include "host/network/io/onnx/sums.h"

namespace bittern::onnx_io {
namespace {

constexpr std::int64_t kMostExtent = 1 << 24;

/// How one extent of a tensor is resized.
struct Sizes {
  std::int64_t from = 1;
  std::int64_t to = 1;
  double scale = 1.0;
};

/// Where in its input the pixels of the output lie.
std::string transform_of(const Importer& importer, const FileNode& node) {
  const bool stated = node.op() == "Resize" && importer.opset() >= 11;
  return node.text("coordinate_transformation_mode", stated ? "half_pixel" : "asymmetric");
}

/// The pixel that pixel `out` of a nearest-neighbour resize takes.
std::int64_t nearest_pixel(const FileNode& node, std::int64_t out, const Sizes& sizes,
                           const std::string& transform, const std::string& rounding) {
  const auto place = static_cast<double>(out);
  double from = 0;
  if (transform == "half_pixel" || transform == "pytorch_half_pixel") {
    from = sizes.to == 1 && transform == "pytorch_half_pixel" ? 0.0
                                                              : (place + 0.5) / sizes.scale - 0.5;
  } else if (transform == "asymmetric") {
    from = place / sizes.scale;
  } else if (transform == "align_corners") {
    from = sizes.to == 1
               ? 0.0
               : place * static_cast<double>(sizes.from - 1) / static_cast<double>(sizes.to - 1);
  } else if (transform == "tf_half_pixel_for_nn") {
    from = (place + 0.5) / sizes.scale;
  } else {
    node.fail("coordinate_transformation_mode '" + transform + "' is not computed");
  }
  double nearest = std::floor(from);
  if (rounding == "round_prefer_floor") {
    nearest = std::ceil(from - 0.5);
  } else if (rounding == "round_prefer_ceil") {
    nearest = std::floor(from + 0.5);
  } else if (rounding == "ceil") {
    nearest = std::ceil(from);
  } else if (rounding != "floor") {
    node.fail("nearest_mode '" + rounding + "' is not computed");
  }
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(nearest), 0, sizes.from - 1);
}

/// The pixels that those of the output take along one extent.
std::vector<std::int64_t> nearest_pixels(const Importer& importer, const FileNode& node,
                                         const Sizes& sizes) {
  const bool stated = node.op() == "Resize" && importer.opset() >= 11;
  const std::string transform = transform_of(importer, node);
  const std::string rounding = node.text("nearest_mode", stated ? "round_prefer_floor" : "floor");
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < sizes.to; ++i) {
    places.push_back(nearest_pixel(node, i, sizes, transform, rounding));
  }
  return places;
}

/// How often every pixel is repeated; 0 where some are more often than others.
int repeats(const Importer& importer, const FileNode& node, const Sizes& sizes) {
  const std::int64_t factor = sizes.to / sizes.from;
  if (sizes.to != sizes.from * factor) return 0;
  const std::vector<std::int64_t> places = nearest_pixels(importer, node, sizes);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] != static_cast<std::int64_t>(i) / factor) return 0;
  }
  return static_cast<int>(factor);
}

/// Every pixel from the nearest one; `sizes` are those of the value's extents.
Value nearest(Importer& importer, const FileNode& node, Value value,
              const std::vector<Sizes>& sizes) {
  if (sizes.size() == 3 && sizes[0].to == sizes[0].from) {
    // Rows and columns of a map at once.
    const int rows = repeats(importer, node, sizes[1]);
    const int columns = repeats(importer, node, sizes[2]);
    if (rows > 0 && columns > 0) {
      Node made;
      made.op = Op::kUpsample;
      made.inputs = {importer.shaped(node, value)};
      made.attributes.step_h = rows;
      made.attributes.step_w = columns;
      value.source = importer.append(node, std::move(made));
      value.dims = {sizes[0].to, sizes[1].to, sizes[2].to};
      return value;
    }
  }
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    const int factor = repeats(importer, node, sizes[axis]);
    if (factor == 1) continue;
    if (factor == 0) {
      value = taken(importer, node, value, axis, nearest_pixels(importer, node, sizes[axis]));
      continue;
    }
    // The extent with one of 1 behind it, along which it is repeated.
    const Dims dims = value.dims;
    value.dims.insert(value.dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, 1);
    value = repeated(importer, node, value, axis + 1, factor);
    value.dims = dims;
    value.dims[axis] = sizes[axis].to;
  }
  return value;
}

/// One extent of a value, every pixel between the two next to it: the mean over the width of a
/// pixel of a map that is repeated.
Value linear(Importer& importer, const FileNode& node, const Value& value, std::size_t axis,
             const Sizes& sizes) {
  const std::string transform = transform_of(importer, node);
  const bool centred = transform == "half_pixel" || transform == "pytorch_half_pixel";
  const std::int64_t up = sizes.to / sizes.from;
  const std::int64_t down = sizes.from / sizes.to;
  const bool whole = sizes.to == sizes.from * up || sizes.from == sizes.to * down;
  const bool scale = std::abs(sizes.scale * static_cast<double>(sizes.from) -
                              static_cast<double>(sizes.to)) < 1e-6;
  if (!whole || !scale || (!centred && transform != "asymmetric") ||
      (sizes.to == 1 && transform == "pytorch_half_pixel")) {
    node.fail(
        fmt::format("{} pixels from {}, linear and {}: only whole factors are computed, with "
                    "half_pixel (PyTorch: align_corners=False) or asymmetric",
                    sizes.to, sizes.from, transform));
  }
  if (down > 1 && (!centred || down % 2 == 1)) {
    return slice_along(importer, node, value, axis, {centred ? down / 2 : 0, sizes.to, down});
  }
  // Rows of a map: pixels of the extent, each `repeat` times, and windows of so many.
  std::int64_t before = 1;
  for (std::size_t i = 0; i < axis; ++i) before *= value.dims[i];
  Value rows = value;
  rows.dims = {before, sizes.from, count_of(value.dims) / (before * sizes.from)};
  std::int64_t window = 2;
  std::int64_t stride = down;
  std::int64_t first = down / 2 - 1;
  if (up > 1) {
    const bool halves = centred && up % 2 == 0;
    window = halves ? 2 * up : up;
    stride = halves ? 2 : 1;
    // Behind a pixel that repeats the edge.
    first = window + (!centred ? 0 : halves ? 1 - up : -(up - 1) / 2);
    Node border;
    border.op = Op::kPad;
    border.inputs = {importer.shaped(node, rows)};
    border.attributes.pad_top = border.attributes.pad_bottom = 1;
    border.attributes.border = BorderMode::kEdge;
    Node more;
    more.op = Op::kUpsample;
    more.inputs = {importer.append(node, std::move(border))};
    more.attributes.step_h = static_cast<int>(window);
    rows.source = importer.append(node, std::move(more));
    rows.dims[1] = (sizes.from + 2) * window;
  }
  rows = slice_along(importer, node, rows, 1, {first, (sizes.to - 1) * stride + window, 1});
  Node mean;
  mean.op = Op::kAveragePool;
  mean.inputs = {importer.shaped(node, rows)};
  mean.attributes.kernel_h = static_cast<int>(window);
  mean.attributes.stride_h = static_cast<int>(stride);
  Value out = value;
  out.source = importer.append(node, std::move(mean));
  out.dims[axis] = sizes.to;
  return out;
}

/// The extents that a node states, by scales or sizes, for all axes or some.
std::vector<Sizes> sizes_of(const Importer& importer, const FileNode& node, const Dims& full) {
  const bool roi = node.op() == "Resize" && importer.opset() >= 11;
  if (node.text("keep_aspect_ratio_policy", "stretch") != "stretch" ||
      node.integer("antialias", 0) != 0) {
    node.fail("keep_aspect_ratio_policy and antialias are not computed");
  }
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : node.list("axes")) axes.push_back(node.axis(axis, full.size()));
  for (std::size_t i = 0; i < full.size() && node.attribute("axes") == nullptr; ++i) {
    axes.push_back(i);
  }
  std::vector<Sizes> all;
  for (const std::int64_t extent : full) all.push_back({extent, extent, 1.0});
  std::vector<double> stated;
  const bool by_size = roi && node.has(3);
  if (const auto* const list = node.attribute("scales")) {
    stated.assign(list->floats().begin(), list->floats().end());
  } else {
    const std::size_t place = by_size ? 3 : roi ? 2 : 1;
    const Constant& input = node.constant(place, by_size ? "sizes" : "scales");
    for (std::int64_t i = 0; i < input.count(); ++i) stated.push_back(input.at(i));
  }
  if (stated.size() != axes.size()) {
    node.fail(fmt::format("{} scales or sizes for {} extents", stated.size(), axes.size()));
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Sizes& sizes = all[axes[i]];
    const auto from = static_cast<double>(sizes.from);
    const double extent = by_size ? stated[i] : std::floor(from * stated[i] + 1e-6);
    if (!(extent >= 1 && extent <= static_cast<double>(kMostExtent))) {
      node.fail(
          fmt::format("extent {} becomes {}, expected 1 to {}", sizes.from, extent, kMostExtent));
    }
    sizes.to = static_cast<std::int64_t>(extent);
    sizes.scale = by_size ? extent / from : stated[i];
  }
  return all;
}

void resize(Importer& importer, const FileNode& node) {
  Value value = node.input(0);
  std::vector<Sizes> sizes = sizes_of(importer, node, importer.full(value));
  const std::string mode = node.text("mode", "nearest");
  const bool between = mode == "linear" || mode == "bilinear";
  if (mode != "nearest" && !between) {
    node.fail("mode '" + mode + "' is not computed, only nearest and linear");
  }
  if (between && (value.bytes || value.codes)) {
    node.fail("a linear resize of integers rounds: expected Cast or DequantizeLinear before it");
  }
  if (value.batched && sizes[0].to != sizes[0].from) value = importer.one_image(node, value);
  if (value.batched) sizes.erase(sizes.begin());
  if (!between) value = nearest(importer, node, value, sizes);
  for (std::size_t i = 0; i < sizes.size() && between; ++i) {
    if (sizes[i].to == sizes[i].from && sizes[i].scale == 1.0) continue;
    value = linear(importer, node, value, i, sizes[i]);
  }
  importer.set(node, importer.with_full(node, value, importer.full(value)));
}

}  // namespace

const std::vector<OnnxOp>& resizing_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Resize", resize, "nearest; linear by whole factors, without align_corners"},
      {"", "Upsample", resize, "as Resize"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
