#include "host/network/io/onnx/sums.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/network/io/onnx/spread.h"

namespace bittern::onnx_io {
namespace {

/// One value for each channel, over all pixels.
Value over_pixels(Importer& importer, const FileNode& node, const Value& value, std::int64_t rows,
                  std::int64_t columns) {
  Node made;
  made.op = Op::kUpsample;
  made.inputs = {importer.shaped(node, value)};
  made.attributes.step_h = static_cast<int>(rows);
  made.attributes.step_w = static_cast<int>(columns);
  Value out = value;
  out.source = importer.append(node, std::move(made));
  out.dims = {value.dims[0], rows, columns};
  return out;
}

}  // namespace

Value repeated(Importer& importer, const FileNode& node, const Value& value, std::size_t axis,
               std::int64_t times) {
  constexpr std::int64_t kMostTimes = 1 << 24;
  if (times < 1 || times > kMostTimes) node.fail(fmt::format("a map {} times over", times));
  if (times == 1) return value;
  std::int64_t before = 1;
  for (std::size_t i = 0; i < axis; ++i) before *= value.dims[i];
  // What is repeated as one row.
  Value row = value;
  row.dims = {before, 1, count_of(value.dims) / before};
  Value out = value;
  out.source = over_pixels(importer, node, row, times, 1).source;
  out.dims[axis] *= times;
  count_of(out.dims);
  return out;
}

Value spread_map(Importer& importer, const FileNode& node, Value value, const Dims& full) {
  Dims from = importer.full(value);
  if (from == full) return value;
  if (from.size() < full.size()) {
    from.insert(from.begin(), full.size() - from.size(), 1);
    value = importer.with_full(node, value, from);
  }
  const bool fits = from.size() == full.size() && joint_dims(node, from, full) == full;
  if (!fits) {
    node.fail(fmt::format("a map of {} over one of {}", dims_text(from), dims_text(full)));
  }
  if (value.batched && full[0] != from[0]) value = importer.one_image(node, value);
  const Dims wanted(full.begin() + (value.batched ? 1 : 0), full.end());
  if (wanted.size() == 3 && value.dims == Dims{wanted[0], 1, 1}) {
    return over_pixels(importer, node, value, wanted[1], wanted[2]);
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (value.dims[i] != wanted[i]) value = repeated(importer, node, value, i, wanted[i]);
  }
  return importer.with_full(node, value, full);
}

Value sum_of_maps(Importer& importer, const FileNode& node, std::vector<Value> values) {
  Dims full = importer.full(values[0]);
  for (const Value& value : values) full = joint_dims(node, full, importer.full(value));
  Node made;
  made.op = Op::kAdd;
  // All in the shape that the first has.
  const bool spread = importer.full(values[0]) != full;
  for (Value& value : values) value = spread_map(importer, node, value, full);
  const Shape shape =
      spread ? map_shape(values[0].dims) : importer.graph().shape_of(values[0].source);
  for (const Value& value : values) {
    if (value.batched != values[0].batched) node.fail("maps with a batch and without");
    made.inputs.push_back(importer.shaped(node, value, shape));
  }
  Value out = values[0];
  out.source = importer.append(node, std::move(made));
  return out;
}

Value difference_of_maps(Importer& importer, const FileNode& node, const Value& a, const Value& b) {
  return sum_of_maps(importer, node, {a, scaled(importer, node, b, -1.0)});
}

Value behind(Importer& importer, const FileNode& node, const Value& value, Node made) {
  if (value.codes) node.fail("an activation of codes of QuantizeLinear: dequantise first");
  Value out = value;
  made.inputs = {value.source};
  out.source = importer.append(node, std::move(made));
  return out;
}

Value rectified(Importer& importer, const FileNode& node, const Value& value) {
  Node made;
  made.op = Op::kRelu;
  return behind(importer, node, value, std::move(made));
}

Value absolute(Importer& importer, const FileNode& node, const Value& value) {
  const Value minus = scaled(importer, node, value, -1.0);
  return sum_of_maps(importer, node,
                     {rectified(importer, node, value), rectified(importer, node, minus)});
}

Value scaled(Importer& importer, const FileNode& node, const Value& value, double factor) {
  if (factor == 1.0) return value;
  return importer.affine(node, value, {factor}, {0.0}, importer.weight_name(node, Value{}));
}

}  // namespace bittern::onnx_io
