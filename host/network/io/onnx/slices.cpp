#include "host/network/io/onnx/slices.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
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
    if (size < 0 || size > full[axis] - begin) node.fail("parts beyond its input");
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
  Value part = value;
  if (value.batched && axis == 0) part = importer.one_image(node, part);
  part = taken(importer, node, part, axis - (part.batched ? 1 : 0), wanted);
  Dims dims = importer.full(part);
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), places.dims.begin(),
              places.dims.end());
  importer.set(node, importer.with_full(node, part, dims));
}

}  // namespace

Value slice_along(Importer& importer, const FileNode& node, const Value& from, std::size_t i,
                  const SliceAxis& axis) {
  Value value = from;
  const std::int64_t extent = value.dims[i];
  if (axis.count == 0) node.fail("nothing is left of its input, a map without values");
  if (axis.step < 0 && axis.count > 1) {
    std::vector<std::int64_t> places;
    for (std::int64_t n = 0; n < axis.count; ++n) places.push_back(axis.begin + n * axis.step);
    return taken(importer, node, value, i, places);
  }
  if (axis.count == extent) return value;
  const auto whole = [](std::int64_t number) { return static_cast<int>(number); };
  // Rows of a map; channels, rows and columns where the map has them.
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
    shape = {whole(before), whole(extent), whole(behind)};
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
  return value;
}

Value taken(Importer& importer, const FileNode& node, const Value& from, std::size_t axis,
            const std::vector<std::int64_t>& places) {
  // Places in regular order are a slice.
  std::vector<SliceAxis> runs;
  for (const std::int64_t place : places) {
    if (!runs.empty()) {
      SliceAxis& run = runs.back();
      const std::int64_t last = run.begin + (run.count - 1) * run.step;
      if (place > last && (run.count == 1 || place - last == run.step)) {
        run.step = place - last;
        ++run.count;
        continue;
      }
    }
    runs.push_back({place, 1, 1});
  }
  if (runs.size() == 1) return slice_along(importer, node, from, axis, runs[0]);
  constexpr std::size_t kMostRuns = 256;
  if (runs.size() > kMostRuns) {
    node.fail(fmt::format("{} places in no regular order, which are {} slices: expected at most {}",
                          places.size(), runs.size(), kMostRuns));
  }
  // To the front, where our concatenation works.
  std::vector<int> order = {static_cast<int>(axis)};
  std::vector<int> back(from.dims.size(), 0);
  for (std::size_t i = 0; i < from.dims.size(); ++i) {
    if (i != axis) order.push_back(static_cast<int>(i));
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    back[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  }
  Value out = importer.transposed(node, from, order);
  Node made;
  made.op = Op::kConcat;
  for (const SliceAxis& run : runs) {
    made.inputs.push_back(importer.shaped(node, slice_along(importer, node, out, 0, run)));
  }
  out.source = importer.append(node, std::move(made));
  out.dims[0] = static_cast<std::int64_t>(places.size());
  return importer.transposed(node, out, back);
}

Value sliced(Importer& importer, const FileNode& node, const Value& from,
             const std::vector<SliceAxis>& axes) {
  Value value = from;
  const Dims full = importer.full(value);
  if (value.batched && (axes[0].begin != 0 || axes[0].count != full[0])) {
    if (axes[0].count == 0) node.fail("nothing is left of its input, a map without values");
    node.fail("it takes some images of the batch");
  }
  const std::size_t first = value.batched ? 1 : 0;
  for (std::size_t i = first; i < axes.size(); ++i) {
    value = slice_along(importer, node, value, i - first, axes[i]);
  }
  return value;
}

const std::vector<OnnxOp>& slicing_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Slice", slice, "with steps, backwards too"},
      {"", "Split", split, "slices"},
      {"", "Gather", gather, "of a map: known places, which are slices"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
