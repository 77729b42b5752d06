// The same values in other extents or another order.
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "host/network/io/onnx/extents.h"
#include "host/network/io/onnx/op_table.h"

namespace bittern::onnx_io {
namespace {

void reshape(Importer& importer, const FileNode& node) {
  const Value& value = node.input(0);
  importer.set(node,
               importer.with_full(node, value, dims_with_same_values(node, importer.full(value))));
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

void size(Importer& importer, const FileNode& node) {
  importer.set_constant(node, integer_constant({}, {count_of(importer.full(node.input(0)))}));
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

const std::vector<OnnxOp>& reshaping_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Reshape", reshape,
       "other extents of the same values; the images of a batch stay apart"},
      {"", "Flatten", reshape, "as Reshape"},
      {"", "Squeeze", reshape, "as Reshape"},
      {"", "Unsqueeze", reshape, "as Reshape"},
      {"", "Transpose", transpose, "rearrange, where more than extents of 1 move"},
      {"", "Shape", shape, "a constant"},
      {"", "Size", size, "a constant"},
      {"", "DepthToSpace", depth_to_space, "rearrange"},
      {"", "SpaceToDepth", depth_to_space, "rearrange"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
