// Reshape, transpose, slices, padding, upsampling.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "host/network/io/onnx/importer.h"

namespace bittern::onnx_io {
namespace {

void reshape(Importer& importer, const FileNode& node) {
  const Value& value = node.input(0);
  const Dims from = importer.full(value);
  Dims to;
  if (node.op() == "Reshape") {
    to = reshaped_dims(node, from);
  } else if (node.op() == "Squeeze") {
    to = squeezed_dims(node, from);
  } else if (node.op() == "Unsqueeze") {
    to = unsqueezed_dims(node, from);
  } else {
    const std::int64_t axis = node.integer("axis", 1);
    const auto rank = static_cast<std::int64_t>(from.size());
    if (axis < -rank || axis > rank) node.fail(fmt::format("axis {} of {}", axis, dims_text(from)));
    const auto middle = from.begin() + (axis < 0 ? axis + rank : axis);
    to = {count_of(Dims(from.begin(), middle)), count_of(Dims(middle, from.end()))};
  }
  importer.set(node, importer.with_full(node, value, to));
}

void transpose(Importer& importer, const FileNode& node) {
  Value value = node.input(0);
  const std::vector<std::int64_t> order = transpose_order(node, importer.full(value).size());
  if (value.batched && (order.empty() || order[0] != 0)) value = importer.one_image(node, value);
  std::vector<int> inner;
  const int first = value.batched ? 1 : 0;
  for (std::size_t i = static_cast<std::size_t>(first); i < order.size(); ++i) {
    inner.push_back(static_cast<int>(order[i]) - first);
  }
  Value out = importer.transposed(node, value, inner);
  // A first extent of 1 may be taken for the batch again.
  importer.set(node, importer.with_full(node, out, importer.full(out)));
}

void shape(Importer& importer, const FileNode& node) {
  importer.set_constant(node, shape_constant(node, importer.full(node.input(0))));
}

/// A map of zeros with so many channels and the pixels of another.
int zeros_like(Importer& importer, const FileNode& node, int source, std::int64_t channels) {
  const Shape shape = importer.graph().shape_of(source);
  Node more;
  more.op = Op::kPadChannels;
  more.inputs = {source};
  more.attributes.after = static_cast<int>(channels);
  Node only;
  only.op = Op::kSlice;
  only.inputs = {importer.append(node, std::move(more))};
  only.attributes.begin = {shape.channels, 0, 0};
  only.attributes.end = {shape.channels + static_cast<int>(channels), shape.height, shape.width};
  return importer.append(node, std::move(only));
}

/// A constant with one of its extents first.
Constant axis_first(const Constant& constant, std::size_t axis) {
  Constant turned = constant;
  std::int64_t before = 1;
  for (std::size_t i = 0; i < axis; ++i) before *= constant.dims[i];
  const std::int64_t extent = constant.dims[axis];
  const std::int64_t behind = before * extent == 0 ? 0 : constant.count() / (before * extent);
  for (std::int64_t i = 0; i < constant.count(); ++i) {
    const std::int64_t a = i / (before * behind);
    const std::int64_t b = i / behind % before;
    const std::int64_t from = (b * extent + a) * behind + i % behind;
    turned.reals[static_cast<std::size_t>(i)] = static_cast<float>(constant.at(from));
  }
  turned.dims.erase(turned.dims.begin() + static_cast<std::ptrdiff_t>(axis));
  turned.dims.insert(turned.dims.begin(), extent);
  return turned;
}

/// Maps, and constants among them: zeros that the constants are added to behind the concatenation.
void concat(Importer& importer, const FileNode& node) {
  std::optional<Value> first;
  for (std::size_t i = 0; i < node.inputs() && !first; ++i) {
    if (!node.input(i).known()) first = node.input(i);
  }
  if (node.inputs() == 1) return importer.set(node, *first);
  const std::size_t rank = importer.full(*first).size();
  std::size_t axis = node.axis(node.integer("axis", 1), rank);
  const bool apart = first->batched && axis > 0;  // the images of a batch stay apart
  if (apart) --axis;
  const Value model = apart ? *first : importer.one_image(node, *first);
  // To the front, where our concatenation works.
  std::vector<int> order = {static_cast<int>(axis)};
  std::vector<int> back(model.dims.size(), 0);
  for (std::size_t i = 0; i < model.dims.size(); ++i) {
    if (i != axis) order.push_back(static_cast<int>(i));
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    back[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  }
  Dims wanted = importer.transposed(node, model, order).dims;
  const Shape shape = map_shape(wanted);
  const int some = importer.shaped(node, importer.transposed(node, model, order), shape);
  Node made;
  made.op = Op::kConcat;
  std::vector<double> shift;
  wanted[0] = 0;
  const std::int64_t pixels = std::int64_t{shape.height} * shape.width;
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    const Value& value = node.input(i);
    Dims dims;
    if (value.known()) {
      Constant part = *value.constant;
      if (part.integer) node.fail("integers among real numbers");
      if (apart && part.dims.size() == rank && part.dims[0] == 1)
        part.dims.erase(part.dims.begin());
      if (part.dims.size() != model.dims.size()) node.fail("a constant that does not fit");
      part = axis_first(part, axis);
      dims = part.dims;
      made.inputs.push_back(zeros_like(importer, node, some, dims[0]));
      for (std::int64_t k = 0; k < part.count(); ++k) shift.push_back(part.at(k));
    } else {
      if (importer.full(value).size() != rank || value.batched != first->batched) {
        node.fail("its inputs have different numbers of extents");
      }
      const Value turned =
          importer.transposed(node, apart ? value : importer.one_image(node, value), order);
      dims = turned.dims;
      made.inputs.push_back(importer.shaped(node, turned, map_shape(dims)));
      shift.resize(shift.size() + static_cast<std::size_t>(count_of(dims)), 0.0);
    }
    Dims others = dims;
    others[0] = 0;
    Dims expected = wanted;
    expected[0] = 0;
    if (others != expected) node.fail("parts do not fit");
    wanted[0] += dims[0];
  }
  Value out = model;
  out.dims = wanted;
  out.source = importer.append(node, std::move(made));
  const bool constants = std::any_of(shift.begin(), shift.end(), [](double s) { return s != 0; });
  if (constants && static_cast<std::int64_t>(shift.size()) == wanted[0] * pixels) {
    out = importer.spread_affine(node, out, {{1.0}, false}, {shift, true},
                                 importer.weight_name(node, Value{}));
  }
  out = importer.transposed(node, out, back);
  importer.set(node, importer.with_full(node, out, importer.full(out)));
}

/// A slice along the axes of a value.
Value sliced(Importer& importer, const FileNode& node, const Value& from,
             const std::vector<SliceAxis>& axes) {
  Value value = from;
  std::vector<SliceAxis> inner = axes;
  const Dims full = importer.full(value);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i].count == 0) node.fail("nothing is left of its input");
    if (axes[i].step < 0 && axes[i].count > 1) node.fail("a slice backwards is not computed");
  }
  if (value.batched) {
    if (axes[0].begin != 0 || axes[0].count != full[0]) {
      node.fail("it takes some images of the batch");
    }
    inner.erase(inner.begin());
  }
  const auto whole = [](std::int64_t extent) { return static_cast<int>(extent); };
  for (std::size_t i = 0; i < inner.size(); ++i) {
    const SliceAxis& axis = inner[i];
    if (axis.count == value.dims[i]) continue;
    // One axis at a time, as the rows of a map; channels, rows and columns where the map has them.
    Node made;
    made.op = Op::kSlice;
    Shape shape = map_shape(value.dims);
    std::size_t place = i;
    if (value.dims.size() != 3 || (i == 0 && axis.step != 1)) {
      std::int64_t before = 1;
      std::int64_t behind = 1;
      for (std::size_t k = 0; k < value.dims.size(); ++k) {
        if (k < i) before *= value.dims[k];
        if (k > i) behind *= value.dims[k];
      }
      shape = {whole(before), whole(value.dims[i]), whole(behind)};
      place = 1;
    }
    made.inputs = {importer.shaped(node, value, shape)};
    const std::int64_t reach = axis.count == 1 ? 1 : (axis.count - 1) * axis.step + 1;
    made.attributes.begin = {0, 0, 0};
    made.attributes.end = {shape.channels, shape.height, shape.width};
    made.attributes.begin[place] = whole(axis.begin);
    made.attributes.end[place] = whole(axis.begin + reach);
    const int step = axis.count == 1 ? 1 : whole(std::min<std::int64_t>(axis.step, 1 << 24));
    if (place == 1) made.attributes.step_h = step;
    if (place == 2) made.attributes.step_w = step;
    value.source = importer.append(node, std::move(made));
    value.dims[i] = axis.count;
  }
  return value;
}

void slice(Importer& importer, const FileNode& node) {
  const Value& value = node.input(0);
  importer.set(node, sliced(importer, node, value, slice_axes(node, importer.full(value))));
}

void split(Importer& importer, const FileNode& node) {
  const Value& value = node.input(0);
  const Dims full = importer.full(value);
  const std::size_t axis = node.axis(node.integer("axis", 0), full.size());
  const int outputs = node.proto().output_size();
  std::vector<std::int64_t> sizes;
  if (const auto stated = node.list_or_input("split", 1)) {
    sizes = *stated;
  } else {
    const std::int64_t each = (full[axis] + outputs - 1) / std::max(outputs, 1);
    for (std::int64_t left = full[axis]; left > 0; left -= each) {
      sizes.push_back(std::min(each, left));
    }
  }
  if (static_cast<int>(sizes.size()) != outputs) node.fail("outputs and parts do not fit");
  std::int64_t begin = 0;
  for (int i = 0; i < outputs; ++i) {
    std::vector<SliceAxis> axes;
    for (const std::int64_t extent : full) axes.push_back({0, extent, 1});
    const std::int64_t size = sizes[static_cast<std::size_t>(i)];
    if (size < 1 || size > full[axis] - begin) node.fail("parts beyond its input");
    axes[axis] = {begin, size, 1};
    begin += size;
    if (!importer.used(node.proto().output(i))) continue;
    importer.set(node, sliced(importer, node, value, axes), i);
  }
}

void gather(Importer& importer, const FileNode& node) {
  const Value& value = node.input(0);
  if (value.known()) node.fail("places that depend on the image are not computed");
  const Constant& places = node.constant(1, "indices");
  const Dims full = importer.full(value);
  const std::size_t axis = node.axis(node.integer("axis", 0), full.size());
  if (!places.integer || places.count() == 0) node.fail("its indices are no integers");
  std::vector<std::int64_t> wanted = places.integers;
  for (std::int64_t& place : wanted) {
    if (place < 0) place += full[axis];
    if (place < 0 || place >= full[axis]) node.fail("an index beyond its input");
  }
  const std::int64_t step = wanted.size() > 1 ? wanted[1] - wanted[0] : 1;
  for (std::size_t i = 1; i < wanted.size(); ++i) {
    if (step < 1 || wanted[i] - wanted[i - 1] != step) {
      node.fail("places in no regular order are not computed");
    }
  }
  std::vector<SliceAxis> axes;
  for (const std::int64_t extent : full) axes.push_back({0, extent, 1});
  axes[axis] = {wanted[0], static_cast<std::int64_t>(wanted.size()), step};
  const Value part = sliced(importer, node, value, axes);
  Dims dims = importer.full(part);
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), places.dims.begin(),
              places.dims.end());
  importer.set(node, importer.with_full(node, part, dims));
}

void pad(Importer& importer, const FileNode& node) {
  Value value = node.input(0);
  const Dims full = importer.full(value);
  const std::vector<std::int64_t> stated = node.attribute("paddings") != nullptr
                                               ? node.list("paddings")
                                               : node.list_or_input("pads", 1).value_or(Dims{});
  Dims before(full.size(), 0);
  Dims behind(full.size(), 0);
  if (importer.opset() >= 18 && node.has(3)) {
    const std::vector<std::int64_t> axes = node.integers(3, "axes");
    if (stated.size() != 2 * axes.size()) node.fail("pads and axes do not fit");
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const std::size_t axis = node.axis(axes[i], full.size());
      before[axis] = stated[i];
      behind[axis] = stated[i + axes.size()];
    }
  } else {
    if (stated.size() != 2 * full.size()) {
      node.fail(fmt::format("{} pads for extents {}", stated.size(), dims_text(full)));
    }
    std::copy_n(stated.begin(), full.size(), before.begin());
    std::copy_n(stated.begin() + static_cast<std::ptrdiff_t>(full.size()), full.size(),
                behind.begin());
  }
  for (const Dims* const list : {&before, &behind}) {
    for (const std::int64_t count : *list) {
      if (std::abs(count) > (1 << 24)) node.fail("a pad beyond 2^24");
    }
  }
  const std::string mode = node.text("mode", "constant");
  double filling = node.real("value", 0.0);
  if (importer.opset() >= 11 && node.has(2)) filling = node.scalar(2, "value");
  if (mode != "constant" && mode != "edge" && mode != "reflect") {
    node.fail("mode '" + mode + "', expected constant, edge or reflect");
  }
  // Less than nothing is a slice.
  std::vector<SliceAxis> axes;
  for (std::size_t i = 0; i < full.size(); ++i) {
    const std::int64_t begin = std::max<std::int64_t>(0, -before[i]);
    const std::int64_t end = full[i] - std::max<std::int64_t>(0, -behind[i]);
    axes.push_back({begin, std::max<std::int64_t>(0, end - begin), 1});
    before[i] = std::max<std::int64_t>(0, before[i]);
    behind[i] = std::max<std::int64_t>(0, behind[i]);
  }
  value = sliced(importer, node, value, axes);
  if (value.batched) {
    if (before[0] != 0 || behind[0] != 0) node.fail("it adds images to the batch");
    before.erase(before.begin());
    behind.erase(behind.begin());
  }
  // As channels, rows and columns; two extents are rows and columns.
  if (value.dims.size() > 3 || value.dims.empty()) {
    node.fail("a border of a tensor of " + dims_text(value.dims));
  }
  Value map = value;
  while (map.dims.size() < 3) {
    map.dims.insert(map.dims.begin(), 1);
    before.insert(before.begin(), 0);
    behind.insert(behind.begin(), 0);
  }
  const auto whole = [](std::int64_t count) { return static_cast<int>(count); };
  if (before[0] + behind[0] > 0) {
    if (mode != "constant" || filling != 0.0) node.fail("more channels that are not 0");
    Node made;
    made.op = Op::kPadChannels;
    made.inputs = {importer.shaped(node, map)};
    made.attributes.before = whole(before[0]);
    made.attributes.after = whole(behind[0]);
    map.source = importer.append(node, std::move(made));
    map.dims[0] += before[0] + behind[0];
  }
  if (before[1] + behind[1] + before[2] + behind[2] > 0) {
    Node made;
    made.op = Op::kPad;
    made.inputs = {importer.shaped(node, map)};
    Attributes& a = made.attributes;
    a.pad_top = whole(before[1]);
    a.pad_bottom = whole(behind[1]);
    a.pad_left = whole(before[2]);
    a.pad_right = whole(behind[2]);
    a.value = filling;
    a.border = mode == "edge"      ? BorderMode::kEdge
               : mode == "reflect" ? BorderMode::kReflect
                                   : BorderMode::kValue;
    map.source = importer.append(node, std::move(made));
    map.dims[1] += before[1] + behind[1];
    map.dims[2] += before[2] + behind[2];
  }
  map.dims.erase(map.dims.begin(),
                 map.dims.begin() + static_cast<std::ptrdiff_t>(3 - value.dims.size()));
  importer.set(node, std::move(map));
}

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

void depth_to_space(Importer& importer, const FileNode& node) {
  Value value = importer.batched(node, node.input(0));
  const std::int64_t block = node.integer("blocksize", 0);
  if (value.dims.size() != 3 || block < 1 || block > 4096) node.fail("blocksize does not fit");
  const std::int64_t c = value.dims[0];
  const std::int64_t h = value.dims[1];
  const std::int64_t w = value.dims[2];
  Dims dims;
  if (node.op() == "DepthToSpace") {
    if (c % (block * block) != 0) node.fail("blocksize does not divide the channels");
    const std::int64_t each = c / (block * block);
    const bool column_first = node.text("mode", "DCR") == "CRD";
    value.dims = column_first ? Dims{each, block, block, h, w} : Dims{block, block, each, h, w};
    value = importer.transposed(
        node, value,
        column_first ? std::vector<int>{0, 3, 1, 4, 2} : std::vector<int>{2, 3, 0, 4, 1});
    dims = {each, h * block, w * block};
  } else {
    if (h % block != 0 || w % block != 0) node.fail("blocksize does not divide the map");
    value.dims = {c, h / block, block, w / block, block};
    value = importer.transposed(node, value, {2, 4, 0, 1, 3});
    dims = {c * block * block, h / block, w / block};
  }
  value.dims = dims;
  importer.set(node, std::move(value));
}

}  // namespace

Constant shape_constant(const FileNode& node, const Dims& dims) {
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto place = [rank](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t begin = place(node.integer("start", 0));
  const std::int64_t end = std::max(begin, place(node.integer("end", rank)));
  Dims part(dims.begin() + begin, dims.begin() + end);
  const auto count = static_cast<std::int64_t>(part.size());
  return integer_constant({count}, std::move(part));
}

const std::vector<OnnxOp>& shape_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Reshape", reshape,
       "other extents of the same values; the images of a batch stay apart"},
      {"", "Flatten", reshape, "as Reshape"},
      {"", "Squeeze", reshape, "as Reshape"},
      {"", "Unsqueeze", reshape, "as Reshape"},
      {"", "Transpose", transpose, "rearrange, where more than extents of 1 move"},
      {"", "Shape", shape, "a constant"},
      {"", "Concat", concat, "of maps and constants, along any axis"},
      {"", "Slice", slice, "forwards, with steps"},
      {"", "Split", split, "slices"},
      {"", "Gather", gather, "of a map: places in regular order, which is a slice"},
      {"", "Pad", pad, "constant, edge and reflect; zeros become a convolution's own padding"},
      {"", "Resize", resize, "nearest, by whole factors"},
      {"", "Upsample", resize, "nearest, by whole factors"},
      {"", "DepthToSpace", depth_to_space, "rearrange"},
      {"", "SpaceToDepth", depth_to_space, "rearrange"},
      {"", "Constant", nullptr, "a constant"},
      {"", "ConstantOfShape", nullptr, "of constants only"},
      {"", "Expand", nullptr, "of constants only"},
      {"", "Where", nullptr, "of constants only"},
      {"", "Range", nullptr, "of constants only"},
      {"", "ReduceProd", nullptr, "of constants only"},
      {"", "Equal", nullptr, "of constants only"},
      {"", "Less", nullptr, "of constants only"},
      {"", "Greater", nullptr, "of constants only"},
      {"", "Not", nullptr, "of constants only"},
      {"", "Pow", nullptr, "of constants only"},
      {"", "Sqrt", nullptr, "of constants only"},
      {"", "Exp", nullptr, "of constants only"},
      {"", "Log", nullptr, "of constants only"},
      {"", "Abs", nullptr, "of constants only"},
      {"", "Reciprocal", nullptr, "of constants only"},
      {"", "Floor", nullptr, "of constants only"},
      {"", "Ceil", nullptr, "of constants only"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
