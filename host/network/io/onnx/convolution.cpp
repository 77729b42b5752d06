#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "host/network/io/onnx/op_table.h"
#include "host/network/io/onnx/quantised.h"
#include "host/network/io/onnx/transposed_convolution.h"
#include "host/network/io/onnx/windows.h"

namespace bittern::onnx_io {
namespace {

void convolution(Importer& importer, const FileNode& node) {
  const Value value = importer.batched(node, node.input(0));
  const Constant& weight = node.constant(1, "weights");
  const int source = spatial_map(importer, node, value);
  const std::size_t axes = value.dims.size() - 1;
  const Shape in = importer.graph().shape_of(source);
  if (weight.dims.size() != axes + 2) {
    node.fail(fmt::format("weights of {} for an input of {}", dims_text(weight.dims),
                          dims_text(value.dims)));
  }
  const auto extent = [&](std::size_t i) { return whole(node, weight.dims[i], 1, "weights"); };
  Node made;
  made.op = Op::kConv;
  made.inputs = {source};
  Attributes& a = made.attributes;
  a = window_of(node, in, axes, {axes == 1 ? 1 : extent(2), extent(axes + 1)});
  if (const auto stated = node.list("kernel_shape"); !stated.empty()) {
    if (stated != Dims(weight.dims.begin() + 2, weight.dims.end())) {
      node.fail(fmt::format("kernel_shape {} and weights of {}", dims_text(stated),
                            dims_text(weight.dims)));
    }
  }
  a.out_channels = extent(0);
  a.groups = whole(node, node.integer("group", 1), 1, "group");
  a.depthwise = a.groups > 1 && a.groups == in.channels;
  if (weight.dims[1] * a.groups != in.channels) {
    node.fail(fmt::format("weights of {} in {} groups for {} channels", dims_text(weight.dims),
                          a.groups, in.channels));
  }
  a.bias = node.has(2);
  a.quantiser = weight_quantiser_of(node, weight, 0);
  made.name = importer.weight_name(node, node.input(1));
  const std::string name = made.name;
  const Dims dims = {a.out_channels, weight.dims[1], a.kernel_h, a.kernel_w};
  importer.set_weight(name, "weight", dims, reals_of(node, weight, "weights"));
  if (a.bias) {
    const Constant& bias = node.constant(2, "bias");
    if (bias.count() != a.out_channels) {
      node.fail(fmt::format("{} biases for {} outputs", bias.count(), a.out_channels));
    }
    importer.set_weight(name, "bias", {a.out_channels}, reals_of(node, bias, "biases"));
  }
  importer.set(node, map_value(importer, importer.append(node, std::move(made)), axes));
}

}  // namespace

const std::vector<OnnxOp>& convolution_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Conv", convolution,
       "1-D and 2-D, with groups, dilations, padding of every kind; weights and bias known"},
      {"", "ConvTranspose", transposed_convolution,
       "1-D and 2-D: a convolution with an output for each pixel of a stride, and rearrange"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
