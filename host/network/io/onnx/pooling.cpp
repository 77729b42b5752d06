#include "host/network/io/onnx/pooling.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "host/network/io/onnx/op_table.h"
#include "host/network/io/onnx/windows.h"

namespace bittern::onnx_io {
namespace {

/// Outputs along one axis as ONNX counts them.
std::int64_t onnx_extent(int in, int pads, int kernel, int dilation, int stride, bool ceil) {
  const std::int64_t room = std::int64_t{in} + pads - (std::int64_t{kernel - 1} * dilation + 1);
  return (ceil ? (room + stride - 1) / stride : room / stride) + 1;
}

void pool(Importer& importer, const FileNode& node, Op op) {
  for (int i = 1; i < node.proto().output_size(); ++i) {
    if (!node.proto().output(i).empty() && importer.used(node.proto().output(i))) {
      node.fail("the places of its maxima are taken as an output, which are not computed");
    }
  }
  const Value value = importer.batched(node, node.input(0));
  const int source = spatial_map(importer, node, value);
  const std::size_t axes = value.dims.size() - 1;
  const Shape in = importer.graph().shape_of(source);
  if (node.list("kernel_shape").size() != axes) node.fail("kernel_shape does not fit its input");
  Node made;
  made.op = op;
  made.inputs = {source};
  made.attributes = window_of(node, in, axes, each_axis(node, "kernel_shape", axes, 1));
  Attributes& a = made.attributes;
  a.ceil = node.integer("ceil_mode", 0) != 0;
  a.count_padding = op == Op::kAveragePool && node.integer("count_include_pad", 0) != 0;
  if (op == Op::kAveragePool && (a.dilation_h != 1 || a.dilation_w != 1)) {
    node.fail("average pooling with dilations is not computed");
  }
  // Where nothing hangs over, rounding up or down is the same.
  const auto whole_windows = [](int size, int pads, int kernel, int dilation, int stride) {
    return (std::int64_t{size} + pads - (std::int64_t{kernel - 1} * dilation + 1)) % stride == 0;
  };
  if (whole_windows(in.height, a.pad_top + a.pad_bottom, a.kernel_h, a.dilation_h, a.stride_h) &&
      whole_windows(in.width, a.pad_left + a.pad_right, a.kernel_w, a.dilation_w, a.stride_w)) {
    a.ceil = false;
  }
  const bool ceil = a.ceil;
  const std::int64_t rows =
      onnx_extent(in.height, a.pad_top + a.pad_bottom, a.kernel_h, a.dilation_h, a.stride_h, ceil);
  const std::int64_t columns =
      onnx_extent(in.width, a.pad_left + a.pad_right, a.kernel_w, a.dilation_w, a.stride_w, ceil);
  const int index = importer.append(node, std::move(made));
  const Shape& out = importer.graph().shape_of(index);
  if (out.height != rows || out.width != columns) {
    node.fail(
        fmt::format("{}x{} windows, of which the last ones would lie in the padding only; {}x{} "
                    "have pixels: export with ceil_mode=0",
                    rows, columns, out.height, out.width));
  }
  Value pooled = map_value(importer, index, axes);
  pooled.codes = value.codes;
  pooled.bytes = value.bytes;
  importer.set(node, std::move(pooled));
}

void max_pool(Importer& importer, const FileNode& node) { pool(importer, node, Op::kMaxPool); }

void average_pool(Importer& importer, const FileNode& node) {
  pool(importer, node, Op::kAveragePool);
}

/// Pooling over all pixels.
void pool_all(Importer& importer, const FileNode& node, Op op) {
  const Value value = importer.batched(node, node.input(0));
  if (value.dims.size() < 2) {
    node.fail("its input has extents " + dims_text(value.dims) + ", expected channels and pixels");
  }
  Value out = value;
  out.source = pool_over_map(importer, node, importer.shaped(node, value), op);
  out.dims = {value.dims[0]};
  out.dims.resize(value.dims.size(), 1);
  importer.set(node, std::move(out));
}

void global_average(Importer& importer, const FileNode& node) {
  pool_all(importer, node, Op::kAveragePool);
}

void global_max(Importer& importer, const FileNode& node) {
  pool_all(importer, node, Op::kMaxPool);
}

}  // namespace

int pool_over_map(Importer& importer, const FileNode& node, int source, Op op) {
  const Shape in = importer.graph().shape_of(source);
  Node made;
  made.op = op;
  made.inputs = {source};
  made.attributes.kernel_h = made.attributes.stride_h = in.height;
  made.attributes.kernel_w = made.attributes.stride_w = in.width;
  return importer.append(node, std::move(made));
}

const std::vector<OnnxOp>& pooling_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "MaxPool", max_pool, "1-D and 2-D; the places of the maxima are not computed"},
      {"", "AveragePool", average_pool, "1-D and 2-D, without dilations"},
      {"", "GlobalAveragePool", global_average, "a pooling over the whole map"},
      {"", "GlobalMaxPool", global_max, "a pooling over the whole map"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
