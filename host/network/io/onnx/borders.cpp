// Borders around maps.
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

namespace bittern::onnx_io {
namespace {

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

}  // namespace

const std::vector<OnnxOp>& border_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Pad", pad, "constant, edge and reflect; zeros become a convolution's own padding"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
