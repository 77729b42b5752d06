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

namespace bittern::onnx_io {
namespace {

/// The pixel that pixel `out` of a nearest-neighbour resize takes.
std::int64_t nearest_pixel(const FileNode& node, std::int64_t out, std::int64_t size,
                           std::int64_t wanted, double scale) {
  const std::string transform = node.text("coordinate_transformation_mode",
                                          node.op() == "Resize" ? "half_pixel" : "asymmetric");
  const auto place = static_cast<double>(out);
  double from = 0;
  if (transform == "half_pixel" || transform == "pytorch_half_pixel") {
    from = wanted == 1 && transform == "pytorch_half_pixel" ? 0.0 : (place + 0.5) / scale - 0.5;
  } else if (transform == "asymmetric") {
    from = place / scale;
  } else if (transform == "align_corners") {
    from =
        wanted == 1 ? 0.0 : place * static_cast<double>(size - 1) / static_cast<double>(wanted - 1);
  } else if (transform == "tf_half_pixel_for_nn") {
    from = (place + 0.5) / scale;
  } else {
    node.fail("coordinate_transformation_mode '" + transform + "' is not computed");
  }
  const std::string rounding =
      node.text("nearest_mode", node.op() == "Resize" ? "round_prefer_floor" : "floor");
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
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(nearest), 0, size - 1);
}

/// Every pixel repeated, or every step-th pixel taken.
struct Resampling {
  int repeat = 1;
  int step = 1;
};

Resampling resampling(const FileNode& node, std::int64_t size, std::int64_t wanted, double scale) {
  const bool up = wanted >= size;
  const std::int64_t factor = up ? wanted / size : size / wanted;
  bool regular = up ? wanted == size * factor : size == wanted * factor;
  for (std::int64_t i = 0; i < wanted && regular; ++i) {
    regular = nearest_pixel(node, i, size, wanted, scale) == (up ? i / factor : i * factor);
  }
  if (!regular) {
    node.fail(
        fmt::format("{} pixels from {}: only whole factors are computed, which repeat every "
                    "pixel (or take every n-th) as asymmetric and floor do",
                    wanted, size));
  }
  const auto whole = static_cast<int>(factor);
  return up ? Resampling{whole, 1} : Resampling{1, whole};
}

void resize(Importer& importer, const FileNode& node) {
  Value value = node.input(0);
  const Dims full = importer.full(value);
  std::string mode = node.text("mode", "nearest");
  if (mode != "nearest") node.fail("mode '" + mode + "' is not computed, only nearest");
  const bool roi = node.op() == "Resize" && importer.opset() >= 11;
  const std::size_t scales_at = roi ? 2 : 1;
  std::vector<double> scales(full.size(), 1.0);
  Dims wanted = full;
  if (node.attribute("axes") != nullptr || node.attribute("keep_aspect_ratio_policy") != nullptr) {
    node.fail("axes and keep_aspect_ratio_policy are not read: state scales for all extents");
  }
  if (roi && node.has(3)) {
    wanted = node.integers(3, "sizes");
    if (wanted.size() != full.size()) node.fail("its sizes do not fit");
    for (std::size_t i = 0; i < full.size(); ++i) {
      scales[i] = static_cast<double>(wanted[i]) / static_cast<double>(full[i]);
    }
  } else {
    std::vector<double> stated;
    if (const auto* const list = node.attribute("scales")) {
      stated.assign(list->floats().begin(), list->floats().end());
    } else {
      const Constant& list_input = node.constant(scales_at, "scales");
      for (std::int64_t i = 0; i < list_input.count(); ++i) stated.push_back(list_input.at(i));
    }
    if (stated.size() != full.size()) node.fail("its scales do not fit");
    scales = stated;
    for (std::size_t i = 0; i < full.size(); ++i) {
      const double extent = std::floor(static_cast<double>(full[i]) * scales[i] + 1e-6);
      if (!(extent >= 1 && extent <= (1 << 24))) node.fail(fmt::format("a scale of {}", scales[i]));
      wanted[i] = static_cast<std::int64_t>(extent);
    }
  }
  if (!value.batched) node.fail("an image without a batch");
  if (value.dims.size() != 3 || wanted[0] != full[0] || wanted[1] != full[1]) {
    node.fail("only rows and columns of images can be resized");
  }
  for (const std::int64_t extent : wanted) {
    if (extent < 1 || extent > (1 << 24)) node.fail(fmt::format("a size of {}", extent));
  }
  const Resampling rows = resampling(node, full[2], wanted[2], scales[2]);
  const Resampling columns = resampling(node, full[3], wanted[3], scales[3]);
  if (rows.repeat > 1 || columns.repeat > 1) {
    Node made;
    made.op = Op::kUpsample;
    made.inputs = {importer.shaped(node, value)};
    made.attributes.step_h = rows.repeat;
    made.attributes.step_w = columns.repeat;
    value.source = importer.append(node, std::move(made));
  }
  value.dims = {full[1], full[2] * rows.repeat, full[3] * columns.repeat};
  if (rows.step > 1 || columns.step > 1) {
    Node made;
    made.op = Op::kSlice;
    made.inputs = {importer.shaped(node, value)};
    made.attributes.step_h = rows.step;
    made.attributes.step_w = columns.step;
    value.source = importer.append(node, std::move(made));
    value.dims = {wanted[1], wanted[2], wanted[3]};
  }
  importer.set(node, std::move(value));
}

}  // namespace

const std::vector<OnnxOp>& resizing_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Resize", resize, "nearest, by whole factors"},
      {"", "Upsample", resize, "nearest, by whole factors"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
