#include "host/network/io/onnx/slices.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/network/io/onnx/op_table.h"

namespace bittern::onnx_io {
namespace {

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

}  // namespace

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

const std::vector<OnnxOp>& slicing_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Slice", slice, "forwards, with steps"},
      {"", "Split", split, "slices"},
      {"", "Gather", gather, "of a map: places in regular order, which is a slice"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
