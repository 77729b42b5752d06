// Products of matrices.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/network/io/onnx/op_table.h"
#include "host/network/io/onnx/quantised.h"
#include "host/network/io/onnx/spread.h"
#include "host/network/io/onnx/sums.h"
#include "host/network/io/onnx/windows.h"

namespace bittern::onnx_io {
namespace {

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
  if (node.has(2) && beta != 0.0 && node.input(2).known()) {
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
  if (node.has(2) && beta != 0.0 && !node.input(2).known()) {
    out = sum_of_maps(importer, node, {out, scaled(importer, node, node.input(2), beta)});
  }
  importer.set(node, std::move(out));
}

/// A product with a matrix of its own for each of the first extents: a convolution in groups.
Value multiply_each(Importer& importer, const FileNode& node, Value value, const Constant& matrices,
                    bool weights_first) {
  value = importer.one_image(node, value);
  const std::size_t rank = matrices.dims.size();
  const Dims outer(matrices.dims.begin(), matrices.dims.end() - 2);
  const bool same =
      value.dims.size() == rank && std::equal(outer.begin(), outer.end(), value.dims.begin());
  const std::int64_t out = matrices.dims[weights_first ? rank - 2 : rank - 1];
  const std::int64_t in = matrices.dims[weights_first ? rank - 1 : rank - 2];
  if (!same || value.dims[weights_first ? rank - 2 : rank - 1] != in || matrices.quantiser) {
    node.fail(
        fmt::format("matrices of {} and a tensor of {}: expected one matrix for all images, or "
                    "one, without a quantiser, for each of the first extents",
                    dims_text(matrices.dims), dims_text(value.dims)));
  }
  const std::int64_t count = count_of(outer);
  const std::int64_t vectors = value.dims[weights_first ? rank - 1 : rank - 2];
  // Vectors side by side, their values as the channels of a group.
  Value map = value;
  map.dims = weights_first ? Dims{count, in, vectors} : Dims{count, vectors, in};
  if (!weights_first) map = importer.transposed(node, map, {0, 2, 1});
  map.dims = {count * in, vectors};
  Node made;
  made.op = Op::kConv;
  made.name = importer.weight_name(node, node.input(weights_first ? 0 : 1));
  made.attributes.out_channels = whole(node, count * out, 1, "outputs");
  made.attributes.groups = whole(node, count, 1, "matrices");
  made.attributes.depthwise = count > 1 && in == 1;
  made.attributes.bias = false;
  made.inputs = {importer.shaped(node, map)};
  Constant one = real_constant({matrices.dims[rank - 2], matrices.dims[rank - 1]}, {});
  std::vector<float> weights;
  const std::vector<float> all = reals_of(node, matrices, "weights");
  for (std::int64_t i = 0; i < count; ++i) {
    one.reals.assign(all.begin() + i * in * out, all.begin() + (i + 1) * in * out);
    const std::vector<float> matrix = matrix_of(node, one, weights_first, 1.0);
    weights.insert(weights.end(), matrix.begin(), matrix.end());
  }
  importer.set_weight(made.name, "weight", {count * out, in, 1, 1}, std::move(weights));
  map.source = importer.append(node, std::move(made));
  map.dims = {count, out, vectors};
  if (!weights_first) map = importer.transposed(node, map, {0, 2, 1});
  Value result = value;
  result.source = map.source;
  result.dims[rank - 2] = weights_first ? out : vectors;
  result.dims[rank - 1] = weights_first ? vectors : out;
  return importer.with_full(node, result, importer.full(result));
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
  if (matrix.dims.size() > 2) {
    return importer.set(node, multiply_each(importer, node, value, matrix, weights_first));
  }
  if (matrix.dims.size() != 2) {
    node.fail("its matrix has extents " + dims_text(matrix.dims) + ", expected rows and columns");
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

}  // namespace

const std::vector<OnnxOp>& product_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Gemm", gemm, "second operand known"},
      {"", "MatMul", matmul,
       "one operand known; over more extents than one it becomes a 1x1 convolution"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
