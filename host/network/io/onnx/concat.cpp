#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "host/network/io/onnx/op_table.h"

namespace bittern::onnx_io {
namespace {

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
  std::int64_t behind = 1;
  for (std::size_t i = axis + 1; i < constant.dims.size(); ++i) behind *= constant.dims[i];
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

}  // namespace

const std::vector<OnnxOp>& concat_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Concat", concat, "of maps and constants, along any axis"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
