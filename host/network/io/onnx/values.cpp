// Arithmetic with constants, sums of maps, activations.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "host/network/io/onnx/clip_bounds.h"
#include "host/network/io/onnx/op_table.h"
#include "host/network/io/onnx/spread.h"

namespace bittern::onnx_io {
namespace {

void pass_on(Importer& importer, const FileNode& node) {
  for (int i = 1; i < node.proto().output_size(); ++i) {
    if (!node.proto().output(i).empty() && importer.used(node.proto().output(i))) {
      node.fail("its mask is taken as an output, which is not computed");
    }
  }
  importer.set(node, node.input(0));
}

void dropout(Importer& importer, const FileNode& node) {
  if (node.has(2) && node.scalar(2, "training_mode") != 0) {
    node.fail("it drops values at random (training): export in inference mode, model.eval()");
  }
  pass_on(importer, node);
}

void cast(Importer& importer, const FileNode& node) {
  if (integer_limits(static_cast<int>(node.integer("to", 0)))) {
    node.fail(
        "values of the image become integers: quantise with QuantizeLinear and "
        "DequantizeLinear, or Quant");
  }
  Value out = node.input(0);
  out.bytes = false;
  importer.set(node, std::move(out));
}

/// `value` with every pixel as often as the larger map has.
Value repeated(Importer& importer, const FileNode& node, const Value& value, const Dims& wanted) {
  if (value.dims == wanted) return value;
  const bool fits = value.dims.size() == 3 && wanted.size() == 3 && value.dims[0] == wanted[0] &&
                    value.dims[1] == 1 && value.dims[2] == 1;
  if (!fits) {
    node.fail(fmt::format("maps of {} and {}: expected the same extents", dims_text(value.dims),
                          dims_text(wanted)));
  }
  Node made;
  made.op = Op::kUpsample;
  made.inputs = {importer.shaped(node, value)};
  made.attributes.step_h = static_cast<int>(wanted[1]);
  made.attributes.step_w = static_cast<int>(wanted[2]);
  Value out = value;
  out.source = importer.append(node, std::move(made));
  out.dims = wanted;
  return out;
}

Value sum_of_maps(Importer& importer, const FileNode& node, std::vector<Value> values) {
  Dims dims = values[0].dims;
  for (const Value& value : values) {
    if (value.batched != values[0].batched) node.fail("maps with a batch and without");
    if (count_of(value.dims) > count_of(dims)) dims = value.dims;
  }
  Node made;
  made.op = Op::kAdd;
  // All in the shape that the first has.
  Shape shape = importer.graph().shape_of(values[0].source);
  if (values[0].dims != dims) shape = map_shape(dims);
  for (Value& value : values) {
    value = repeated(importer, node, value, dims);
    made.inputs.push_back(importer.shaped(node, value, shape));
  }
  Value out = values[0];
  out.source = importer.append(node, std::move(made));
  return out;
}

void arithmetic(Importer& importer, const FileNode& node) {
  const std::string& op = node.op();
  // Before opset 7 a shorter constant begins at a stated axis.
  const Value& a = node.input(0);
  const Value& b = node.input(1);
  if (a.codes || b.codes) node.fail("arithmetic on codes of QuantizeLinear");
  if (!a.known() && !b.known()) {
    if (op == "Add") return importer.set(node, sum_of_maps(importer, node, {a, b}));
    if (op == "Sub") {
      const Value minus =
          importer.affine(node, b, {-1.0}, {0.0}, importer.weight_name(node, Value{}));
      return importer.set(node, sum_of_maps(importer, node, {a, minus}));
    }
    node.fail(
        "products of two activations are not computed: every layer multiplies activations by "
        "weights, which lie in memory before it starts");
  }
  const Value& known = a.known() ? a : b;
  const Value& map = a.known() ? b : a;
  Constant constant = *known.constant;
  if (importer.opset() < 7 && node.integer("broadcast", 0) != 0 &&
      node.attribute("axis") != nullptr) {
    const Dims full = importer.full(map);
    const std::size_t axis = node.axis(node.integer("axis", 0), full.size());
    while (axis + constant.dims.size() < full.size()) constant.dims.push_back(1);
  }
  const Spread spread = spread_over(node, constant, importer.full(map), map.batched);
  const Spread one{{1.0}, false};
  const Spread zero{{0.0}, false};
  const auto set_affine = [&](const Spread& scale, const Spread& shift) {
    importer.set(
        node, importer.spread_affine(node, map, scale, shift, importer.weight_name(node, known)));
  };
  Spread changed = spread;
  if (op == "Add") return set_affine(one, spread);
  if (op == "Mul") return set_affine(spread, zero);
  if (op == "Sub" && b.known()) {
    for (double& value : changed.values) value = -value;
    return set_affine(one, changed);
  }
  if (op == "Sub") return set_affine({{-1.0}, false}, spread);
  if (!b.known()) node.fail("a division by a map is not computed");
  for (double& value : changed.values) {
    if (value == 0) node.fail("a division by zero");
    value = 1.0 / value;
  }
  set_affine(changed, zero);
}

void negate(Importer& importer, const FileNode& node) {
  importer.set(node, importer.affine(node, node.input(0), {-1.0}, {0.0},
                                     importer.weight_name(node, Value{})));
}

void sum(Importer& importer, const FileNode& node) {
  std::vector<Value> maps;
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    if (!node.input(i).known()) maps.push_back(node.input(i));
  }
  Value all = maps.size() == 1 ? maps[0] : sum_of_maps(importer, node, std::move(maps));
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    const Value& known = node.input(i);
    if (!known.known()) continue;
    all =
        importer.spread_affine(node, all, {{1.0}, false},
                               spread_over(node, *known.constant, importer.full(all), all.batched),
                               importer.weight_name(node, known));
  }
  importer.set(node, std::move(all));
}

void activation(Importer& importer, const FileNode& node, Node made) {
  Value out = node.input(0);
  if (out.codes) node.fail("an activation of codes of QuantizeLinear: dequantise first");
  made.inputs = {out.source};
  out.source = importer.append(node, std::move(made));
  importer.set(node, std::move(out));
}

void relu(Importer& importer, const FileNode& node) {
  Node made;
  made.op = Op::kRelu;
  activation(importer, node, std::move(made));
}

void clip(Importer& importer, const FileNode& node) {
  const ClipBounds bounds = clip_bounds(node);
  Value value = node.input(0);
  if (value.codes) {
    value.codes->low = std::max(value.codes->low, bounds.low);
    value.codes->high = std::min(value.codes->high, bounds.high);
    return importer.set(node, std::move(value));
  }
  // Bounds of the largest float are none.
  const auto bounded = [](double bound) { return std::abs(bound) < 3.4e38; };
  if (!bounded(bounds.low) && !bounded(bounds.high)) return importer.set(node, std::move(value));
  Node made;
  if (bounds.low == 0.0 && !bounded(bounds.high)) {
    made.op = Op::kRelu;
    return activation(importer, node, std::move(made));
  }
  made.op = Op::kClip;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  made.attributes.low = bounded(bounds.low) ? bounds.low : -kInfinity;
  made.attributes.high = bounded(bounds.high) ? bounds.high : kInfinity;
  activation(importer, node, std::move(made));
}

/// Maximum or minimum with one number.
void bound(Importer& importer, const FileNode& node) {
  if (node.inputs() == 1) return importer.set(node, node.input(0));
  if (node.inputs() != 2 || !(node.input(0).known() || node.input(1).known())) {
    node.fail("the maximum or minimum of two maps is not computed");
  }
  const std::size_t known = node.input(0).known() ? 0 : 1;
  const double value = node.scalar(known, "bound");
  Value out = node.input(1 - known);
  Node made;
  made.inputs = {out.source};
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (node.op() == "Max" && value == 0.0) {
    made.op = Op::kRelu;
  } else {
    made.op = Op::kClip;
    made.attributes.low = node.op() == "Max" ? value : -kInfinity;
    made.attributes.high = node.op() == "Max" ? kInfinity : value;
  }
  out.source = importer.append(node, std::move(made));
  importer.set(node, std::move(out));
}

/// At the end of a classifier: its order is that of the logits.
void softmax(Importer& importer, const FileNode& node) {
  const bool last = node.proto().output_size() == 1 && importer.is_answer(node.proto().output(0));
  if (!last || importer.layerless()) {
    node.fail(
        "it is computed nowhere but at the end of a network, where it is left out: the order "
        "of the classes does not change");
  }
  importer.note(node.where() +
                ": left out: the network answers with the values before it, which "
                "have the same order");
  importer.set(node, node.input(0));
}

}  // namespace

const std::vector<OnnxOp>& arithmetic_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Add", arithmetic, "of maps; of a map and a constant: scale and shift of each channel"},
      {"", "Sub", arithmetic, "as Add"},
      {"", "Mul", arithmetic, "of a map and a constant: scale and shift of each channel"},
      {"", "Div", arithmetic, "of a map by a constant"},
      {"", "Neg", negate, "scale and shift of each channel"},
      {"", "Sum", sum, "of maps"},
      {"", "Relu", relu, "an operation of its own"},
      {"", "Clip", clip, "ReLU6 and other bounds, from attributes or known inputs"},
      {"", "Max", bound, "of a map and one number"},
      {"", "Min", bound, "of a map and one number"},
      {"", "Identity", pass_on, "nothing"},
      {"", "Dropout", dropout, "nothing; in inference mode"},
      {"", "Cast", cast, "nothing; to real numbers"},
      {"", "Softmax", softmax, "left out at the end of a network, with a note"},
      {"", "LogSoftmax", softmax, "left out at the end of a network, with a note"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
