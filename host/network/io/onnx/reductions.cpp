// Sums, means and extremes along axes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "host/network/io/onnx/op_table.h"
#include "host/network/io/onnx/pooling.h"
#include "host/network/io/onnx/sums.h"

namespace bittern::onnx_io {
namespace {

/// What is done to the values that are reduced.
enum class Reduction { kMean, kSum, kMax };

/// For each extent whether it is reduced; nothing where the node is to change nothing.
std::vector<bool> reduced_axes(const FileNode& node, std::size_t rank) {
  const auto axes = node.list_or_input("axes", 1);
  if (!axes || axes->empty()) {
    return std::vector<bool>(rank, node.integer("noop_with_empty_axes", 0) == 0);
  }
  std::vector<bool> over(rank, false);
  for (const std::int64_t axis : *axes) over[node.axis(axis, rank)] = true;
  return over;
}

/// The reduced extents become the pixels of a map, over which it is pooled.
Value reduced(Importer& importer, const FileNode& node, Value value, Reduction how) {
  std::vector<bool> over = reduced_axes(node, importer.full(value).size());
  if (value.batched && over[0]) value = importer.one_image(node, value);
  if (value.batched) over.erase(over.begin());
  std::vector<int> order;
  Value out = value;
  out.dims.clear();
  std::int64_t kept = 1;
  for (std::size_t i = 0; i < over.size(); ++i) {
    if (over[i]) continue;
    order.push_back(static_cast<int>(i));
    kept *= value.dims[i];
  }
  for (std::size_t i = 0; i < over.size(); ++i) {
    if (over[i]) order.push_back(static_cast<int>(i));
    if (!over[i]) out.dims.push_back(value.dims[i]);
    if (over[i] && node.integer("keepdims", 1) != 0) out.dims.push_back(1);
  }
  const std::int64_t count = count_of(value.dims) / kept;
  if (count != 1) {
    Value turned = importer.transposed(node, value, order);
    // Pixels of a map stay rows and columns.
    const bool pixels = over == std::vector<bool>{false, true, true};
    if (!pixels) turned.dims = {kept, count};
    out.source = pool_over_map(importer, node, importer.shaped(node, turned),
                               how == Reduction::kMax ? Op::kMaxPool : Op::kAveragePool);
  }
  out = importer.with_full(node, out, importer.full(out));
  return how == Reduction::kSum ? scaled(importer, node, out, static_cast<double>(count)) : out;
}

void mean(Importer& importer, const FileNode& node) {
  importer.set(node, reduced(importer, node, node.input(0), Reduction::kMean));
}

void sum(Importer& importer, const FileNode& node) {
  importer.set(node, reduced(importer, node, node.input(0), Reduction::kSum));
}

void sum_of_sizes(Importer& importer, const FileNode& node) {
  const Value sizes = absolute(importer, node, node.input(0));
  importer.set(node, reduced(importer, node, sizes, Reduction::kSum));
}

void greatest(Importer& importer, const FileNode& node) {
  importer.set(node, reduced(importer, node, node.input(0), Reduction::kMax));
}

void least(Importer& importer, const FileNode& node) {
  const Value minus = scaled(importer, node, node.input(0), -1.0);
  importer.set(node, scaled(importer, node, reduced(importer, node, minus, Reduction::kMax), -1.0));
}

}  // namespace

const std::vector<OnnxOp>& reduction_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "ReduceMean", mean, "over any axes: a pooling, of the whole map where over all pixels"},
      {"", "ReduceMax", greatest, "as ReduceMean"},
      {"", "ReduceMin", least, "as ReduceMean"},
      {"", "ReduceSum", sum, "as ReduceMean, scaled"},
      {"", "ReduceL1", sum_of_sizes, "as ReduceSum, behind ReLU of x and of -x"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
