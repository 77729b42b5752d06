// Convolution, matrix products, normalisation and pooling.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "host/base/error.h"
#include "host/network/io/onnx/importer.h"
#include "host/network/io/onnx/passes.h"
#include "host/network/ops.h"

namespace bittern::onnx_io {
namespace {

constexpr std::int64_t kMost = 1 << 24;

int whole(const FileNode& node, std::int64_t value, std::int64_t least, const char* what) {
  if (value < least || value > kMost) {
    node.fail(fmt::format("{} of {}, expected {} to {}", what, value, least, kMost));
  }
  return static_cast<int>(value);
}

/// One number for each spatial axis, rows and columns; a tensor with one axis has columns only.
std::array<int, 2> each_axis(const FileNode& node, const char* name, std::size_t axes,
                             std::int64_t least) {
  const std::vector<std::int64_t> list = node.list(name);
  if (list.empty()) return {1, 1};
  if (list.size() != axes) {
    node.fail(fmt::format("{} has {} numbers for {} axes", name, list.size(), axes));
  }
  const int last = whole(node, list.back(), least, name);
  return {axes == 1 ? 1 : whole(node, list[0], least, name), last};
}

/// Images with one or two spatial axes as a map; throws Error for others.
int spatial_map(Importer& importer, const FileNode& node, const Value& value) {
  const std::size_t axes = value.dims.size() - 1;
  if (value.dims.empty() || axes < 1 || axes > 2) {
    node.fail(fmt::format(
        "its input has {} spatial axes, expected 1 or 2: 3-D is not computed, layers have a "
        "height and a width only",
        value.dims.empty() ? 0 : axes));
  }
  return importer.shaped(node, value);
}

/// Kernel, strides, dilations and padding of a window over a map of `in`.
Attributes window_of(const FileNode& node, const Shape& in, std::size_t axes,
                     std::array<int, 2> kernel) {
  Attributes a;
  a.kernel_h = kernel[0];
  a.kernel_w = kernel[1];
  const auto strides = each_axis(node, "strides", axes, 1);
  const auto dilations = each_axis(node, "dilations", axes, 1);
  a.stride_h = strides[0];
  a.stride_w = strides[1];
  a.dilation_h = dilations[0];
  a.dilation_w = dilations[1];
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    // As large as the input over the stride; the odd pixel is last or first.
    const auto pads = [&](int size, int stride, int reach) {
      const std::int64_t out = (std::int64_t{size} + stride - 1) / stride;
      const std::int64_t all = std::max<std::int64_t>(0, (out - 1) * stride + reach - size);
      const int less = whole(node, all / 2, 0, "padding");
      const int more = whole(node, all - all / 2, 0, "padding");
      return mode == "SAME_UPPER" ? std::array<int, 2>{less, more} : std::array<int, 2>{more, less};
    };
    const auto reach = [&](int size, int dilation) {
      return whole(node, std::int64_t{size - 1} * dilation + 1, 1, "a kernel");
    };
    const auto rows = pads(in.height, a.stride_h, reach(a.kernel_h, a.dilation_h));
    const auto columns = pads(in.width, a.stride_w, reach(a.kernel_w, a.dilation_w));
    a.pad_top = rows[0];
    a.pad_bottom = rows[1];
    a.pad_left = columns[0];
    a.pad_right = columns[1];
  } else if (mode == "NOTSET") {
    const std::vector<std::int64_t> pads = node.list("pads");
    if (!pads.empty() && pads.size() != 2 * axes) {
      node.fail(fmt::format("pads has {} numbers for {} axes", pads.size(), axes));
    }
    if (!pads.empty()) {
      a.pad_left = whole(node, pads[axes - 1], 0, "pads");
      a.pad_right = whole(node, pads[2 * axes - 1], 0, "pads");
      if (axes == 2) {
        a.pad_top = whole(node, pads[0], 0, "pads");
        a.pad_bottom = whole(node, pads[2], 0, "pads");
      }
    }
  } else if (mode != "VALID") {
    node.fail("auto_pad is '" + mode + "', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  }
  return a;
}

/// The value that a map of `axes` spatial axes stands for.
Value map_value(const Importer& importer, int source, std::size_t axes) {
  const Shape& shape = importer.graph().shape_of(source);
  Value out;
  out.source = source;
  out.dims = axes == 1 ? Dims{shape.channels, shape.width}
                       : Dims{shape.channels, shape.height, shape.width};
  return out;
}

std::vector<float> reals_of(const FileNode& node, const Constant& constant, const char* what) {
  if (constant.integer) node.fail(fmt::format("its {} are integers, expected real numbers", what));
  return constant.reals;
}

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

/// weight[out][in] of a matrix that lies either way, times `factor`.
std::vector<float> matrix_of(const FileNode& node, const Constant& matrix, bool transposed,
                             double factor) {
  std::vector<float> values = reals_of(node, matrix, "weights");
  const auto rows = static_cast<std::size_t>(matrix.dims[0]);
  const auto columns = static_cast<std::size_t>(matrix.dims[1]);
  if (!transposed) {
    std::vector<float> turned(values.size());
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) turned[c * rows + r] = values[r * columns + c];
    }
    values = std::move(turned);
  }
  if (factor != 1.0) {
    for (float& value : values) value = static_cast<float>(value * factor);
  }
  return values;
}

struct Product {
  std::vector<float> weight;  ///< [out][in]
  std::int64_t out = 1;
  std::int64_t in = 1;
  std::vector<float> bias;  ///< empty: none
  std::optional<Quantiser> quantiser;
  std::string name;
};

/// A product over the last extent of a value: a fully connected layer, or where other extents stand
/// before it a 1x1 convolution.
Value multiply(Importer& importer, const FileNode& node, const Value& value, Product product) {
  if (value.dims.empty() || value.dims.back() != product.in) {
    node.fail(fmt::format("a product of {} values with a matrix of {} inputs",
                          value.dims.empty() ? 1 : value.dims.back(), product.in));
  }
  Node made;
  made.name = product.name;
  Attributes& a = made.attributes;
  a.out_channels = whole(node, product.out, 1, "outputs");
  a.bias = !product.bias.empty();
  a.quantiser = product.quantiser;
  const std::int64_t count = count_of(value.dims);
  const bool single = count == product.in;
  Value out = value;
  out.dims.back() = product.out;
  Dims dims = {product.out, product.in};
  if (single) {
    made.op = Op::kLinear;
    made.inputs = {importer.shaped(node, value, {static_cast<int>(product.in), 1, 1})};
    out.source = importer.append(node, std::move(made));
  } else {
    made.op = Op::kConv;
    dims.insert(dims.end(), {1, 1});
    Value turned = value;
    turned.dims = {count / product.in, product.in};
    turned = importer.transposed(node, turned, {1, 0});
    made.inputs = {importer.shaped(node, turned)};
    turned.source = importer.append(node, std::move(made));
    turned.dims = {product.out, count / product.in};
    out.source = importer.transposed(node, turned, {1, 0}).source;
  }
  importer.set_weight(product.name, "weight", dims, std::move(product.weight));
  if (!product.bias.empty()) {
    importer.set_weight(product.name, "bias", {product.out}, std::move(product.bias));
  }
  return out;
}

void gemm(Importer& importer, const FileNode& node) {
  const double alpha = node.real("alpha", 1.0);
  const double beta = node.real("beta", 1.0);
  Value value = node.input(0);
  if (value.known()) node.fail("its first input is a constant, expected the second to be");
  if (importer.full(value).size() != 2) {
    node.fail(fmt::format("its input has extents {}, expected images and values",
                          dims_text(importer.full(value))));
  }
  if (node.integer("transA", 0) != 0) {
    value = importer.transposed(node, importer.one_image(node, value), {1, 0});
  }
  const Constant& matrix = node.constant(1, "matrix");
  if (matrix.dims.size() != 2) node.fail("its matrix has extents " + dims_text(matrix.dims));
  const bool transposed = node.integer("transB", 0) != 0;
  Product product;
  product.out = matrix.dims[transposed ? 0 : 1];
  product.in = matrix.dims[transposed ? 1 : 0];
  product.quantiser = weight_quantiser_of(node, matrix, transposed ? 0 : 1);
  if (product.quantiser && alpha != 1.0)
    node.fail("alpha and quantised weights: scale the weights");
  product.weight = matrix_of(node, matrix, transposed, alpha);
  product.name = importer.weight_name(node, node.input(1));
  const Constant* addend = nullptr;
  if (node.has(2) && beta != 0.0) {
    addend = &node.constant(2, "addend");
    const bool one = addend->count() == 1;
    if (one || (addend->count() == product.out && addend->dims.back() == product.out)) {
      for (std::int64_t i = 0; i < product.out; ++i) {
        product.bias.push_back(static_cast<float>(addend->at(one ? 0 : i) * beta));
      }
      addend = nullptr;
    }
  }
  Value out = multiply(importer, node, value, std::move(product));
  if (addend != nullptr) {
    // Rows of it are images: no bias, and only for one image.
    Spread spread = spread_over(node, *addend, importer.full(out), out.batched);
    for (double& number : spread.values) number *= beta;
    out = importer.spread_affine(node, out, {{1.0}, false}, spread,
                                 importer.weight_name(node, node.input(2)));
  }
  importer.set(node, std::move(out));
}

void matmul(Importer& importer, const FileNode& node) {
  const Value& left = node.input(0);
  const Value& right = node.input(1);
  if (!left.known() && !right.known()) {
    node.fail(
        "products of two activations are not computed: every layer multiplies activations by "
        "weights, which lie in memory before it starts");
  }
  const bool weights_first = left.known();
  Value value = weights_first ? right : left;
  Constant matrix = *(weights_first ? left : right).constant;
  while (matrix.dims.size() > 2 && matrix.dims.front() == 1) {
    matrix.dims.erase(matrix.dims.begin());
    if (matrix.quantiser && !matrix.quantiser->scale_dims.empty()) {
      matrix.quantiser->scale_dims.erase(matrix.quantiser->scale_dims.begin());
    }
    if (matrix.quantiser && !matrix.quantiser->zero_dims.empty()) {
      matrix.quantiser->zero_dims.erase(matrix.quantiser->zero_dims.begin());
    }
  }
  if (matrix.dims.size() != 2) {
    node.fail("its matrix has extents " + dims_text(matrix.dims) +
              ", expected one matrix for all images");
  }
  Product product;
  product.out = matrix.dims[weights_first ? 0 : 1];
  product.in = matrix.dims[weights_first ? 1 : 0];
  product.quantiser = weight_quantiser_of(node, matrix, weights_first ? 0 : 1);
  product.weight = matrix_of(node, matrix, weights_first, 1.0);
  product.name = importer.weight_name(node, node.input(weights_first ? 0 : 1));
  if (!weights_first) {
    return importer.set(node, multiply(importer, node, value, std::move(product)));
  }
  if (value.dims.size() < 2) value = importer.one_image(node, value);
  const std::int64_t columns = value.dims.back();
  if (count_of(value.dims) == columns * product.in) {
    // One matrix of `in` rows: a 1x1 convolution over its columns, nothing has to be turned.
    Value map = value;
    map.dims = {product.in, columns};
    Node made;
    made.op = columns == 1 ? Op::kLinear : Op::kConv;
    made.name = product.name;
    made.attributes.out_channels = whole(node, product.out, 1, "outputs");
    made.attributes.bias = false;
    made.attributes.quantiser = product.quantiser;
    made.inputs = {importer.shaped(node, map)};
    Value out = value;
    out.dims[out.dims.size() - 2] = product.out;
    out.source = importer.append(node, std::move(made));
    Dims dims = {product.out, product.in};
    if (columns != 1) dims.insert(dims.end(), {1, 1});
    importer.set_weight(product.name, "weight", dims, std::move(product.weight));
    return importer.set(node, std::move(out));
  }
  node.fail("a constant matrix before a tensor of " + dims_text(value.dims));
}

void batch_norm(Importer& importer, const FileNode& node) {
  if (node.integer("training_mode", 0) != 0) {
    node.fail(
        "it normalises with the statistics of the batch (training): export in inference "
        "mode, model.eval()");
  }
  if (node.integer("spatial", 1) == 0) node.fail("spatial=0 is not computed");
  for (int i = 1; i < node.proto().output_size(); ++i) {
    if (!node.proto().output(i).empty() && importer.used(node.proto().output(i))) {
      node.fail("its statistics are taken as an output: export in inference mode, model.eval()");
    }
  }
  const Value value = importer.batched(node, node.input(0));
  const std::int64_t channels = value.dims.empty() ? 1 : value.dims[0];
  const std::array<const char*, 4> tensors = {"weight", "bias", "running_mean", "running_var"};
  std::array<std::vector<float>, 4> values;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Constant& constant = node.constant(i + 1, tensors[i]);
    if (constant.count() != channels) {
      node.fail(fmt::format("{} {} for {} channels", constant.count(), tensors[i], channels));
    }
    values[i] = reals_of(node, constant, tensors[i]);
  }
  Node made;
  made.op = Op::kBatchNorm;
  // The decimal number that was meant: 1e-5, not the float nearest to it.
  made.attributes.epsilon =
      std::stod(fmt::format("{}", static_cast<float>(node.real("epsilon", 1e-5))));
  made.name = importer.weight_name(node, node.input(1));
  constexpr double kLeast = 1e-12;
  if (!(made.attributes.epsilon >= kLeast && made.attributes.epsilon <= 1.0)) {
    for (float& variance : values[3]) {
      variance = static_cast<float>(variance + made.attributes.epsilon);
    }
    made.attributes.epsilon = kNoEpsilon;
  }
  for (const float variance : values[3]) {
    if (!(variance + made.attributes.epsilon > 0)) node.fail("a variance below 0");
  }
  Value out = value;
  made.inputs = {importer.shaped(node, value)};
  const std::string name = made.name;
  out.source = importer.append(node, std::move(made));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    importer.set_weight(name, tensors[i], {channels}, std::move(values[i]));
  }
  importer.set(node, std::move(out));
}

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

/// Pooling over all pixels; `keep` leaves extents of 1.
void pool_all(Importer& importer, const FileNode& node, Op op, const Value& value, bool keep) {
  if (value.dims.size() < 2) {
    node.fail("its input has extents " + dims_text(value.dims) + ", expected channels and pixels");
  }
  Node made;
  made.op = op;
  made.inputs = {importer.shaped(node, value)};
  const Shape in = importer.graph().shape_of(made.inputs[0]);
  made.attributes.kernel_h = made.attributes.stride_h = in.height;
  made.attributes.kernel_w = made.attributes.stride_w = in.width;
  Value out = value;
  out.source = importer.append(node, std::move(made));
  out.dims = {value.dims[0]};
  if (keep) out.dims.resize(value.dims.size(), 1);
  importer.set(node, std::move(out));
}

void global_average(Importer& importer, const FileNode& node) {
  pool_all(importer, node, Op::kAveragePool, importer.batched(node, node.input(0)), true);
}
void global_max(Importer& importer, const FileNode& node) {
  pool_all(importer, node, Op::kMaxPool, importer.batched(node, node.input(0)), true);
}

/// The mean over all pixels, as some exporters write global pooling.
void reduce(Importer& importer, const FileNode& node, Op op) {
  const Value value = importer.batched(node, node.input(0));
  const std::size_t rank = value.dims.size() + 1;
  std::vector<bool> over(rank, false);
  if (const auto axes = node.list_or_input("axes", 1)) {
    for (const std::int64_t axis : *axes) over[node.axis(axis, rank)] = true;
  } else {
    over.assign(rank, true);
  }
  bool pixels = !over[0] && rank > 2 && !over[1];
  for (std::size_t i = 2; i < rank; ++i) pixels = pixels && over[i];
  if (!pixels) {
    node.fail("it reduces over other axes than all pixels of a map (axes 2, 3)");
  }
  pool_all(importer, node, op, value, node.integer("keepdims", 1) != 0);
}
void reduce_mean(Importer& importer, const FileNode& node) {
  reduce(importer, node, Op::kAveragePool);
}
void reduce_max(Importer& importer, const FileNode& node) { reduce(importer, node, Op::kMaxPool); }

}  // namespace

const std::vector<OnnxOp>& layer_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Conv", convolution,
       "1-D and 2-D, with groups, dilations, padding of every kind; weights and bias known"},
      {"", "Gemm", gemm, "second operand and addend known"},
      {"", "MatMul", matmul,
       "one operand known; over more extents than one it becomes a 1x1 convolution"},
      {"", "BatchNormalization", batch_norm, "in inference mode"},
      {"", "MaxPool", max_pool, "1-D and 2-D; the places of the maxima are not computed"},
      {"", "AveragePool", average_pool, "1-D and 2-D, without dilations"},
      {"", "GlobalAveragePool", global_average, "a pooling over the whole map"},
      {"", "GlobalMaxPool", global_max, "a pooling over the whole map"},
      {"", "ReduceMean", reduce_mean, "over all pixels: a pooling over the whole map"},
      {"", "ReduceMax", reduce_max, "over all pixels: a pooling over the whole map"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
