// Arithmetic with constants, sums of maps, and what changes no value.
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "host/network/io/onnx/op_table.h"
#include "host/network/io/onnx/spread.h"
#include "host/network/io/onnx/sums.h"

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

void arithmetic(Importer& importer, const FileNode& node) {
  const std::string& op = node.op();
  // Before opset 7 a shorter constant begins at a stated axis.
  const Value& a = node.input(0);
  const Value& b = node.input(1);
  if (a.codes || b.codes) node.fail("arithmetic on codes of QuantizeLinear");
  if (!a.known() && !b.known()) {
    if (op == "Add") return importer.set(node, sum_of_maps(importer, node, {a, b}));
    if (op == "Sub") return importer.set(node, difference_of_maps(importer, node, a, b));
    if (op == "Div") node.fail("a division by a map is not computed: divide by a constant");
    node.fail(
        "products of two activations are not computed: every layer multiplies activations by "
        "weights, which lie in memory before it starts");
  }
  const Value& known = a.known() ? a : b;
  Value map = a.known() ? b : a;
  Constant constant = *known.constant;
  if (importer.opset() < 7 && node.integer("broadcast", 0) != 0 &&
      node.attribute("axis") != nullptr) {
    const Dims full = importer.full(map);
    const std::size_t axis = node.axis(node.integer("axis", 0), full.size());
    while (axis + constant.dims.size() < full.size()) constant.dims.push_back(1);
  }
  map = spread_map(importer, node, map, joint_dims(node, importer.full(map), constant.dims));
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
  importer.set(node, scaled(importer, node, node.input(0), -1.0));
}

void sum(Importer& importer, const FileNode& node) {
  const double count = node.op() == "Mean" ? static_cast<double>(node.inputs()) : 1.0;
  std::vector<Value> maps;
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    if (!node.input(i).known()) maps.push_back(node.input(i));
  }
  Value all = maps.size() == 1 ? maps[0] : sum_of_maps(importer, node, std::move(maps));
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    const Value& known = node.input(i);
    if (!known.known()) continue;
    all =
        spread_map(importer, node, all, joint_dims(node, importer.full(all), known.constant->dims));
    all =
        importer.spread_affine(node, all, {{1.0}, false},
                               spread_over(node, *known.constant, importer.full(all), all.batched),
                               importer.weight_name(node, known));
  }
  importer.set(node, scaled(importer, node, all, 1.0 / count));
}

/// A map spread over stated extents.
void expand(Importer& importer, const FileNode& node) {
  const Value& value = node.input(0);
  const Dims full = joint_dims(node, importer.full(value), node.integers(1, "shape"));
  importer.set(node, spread_map(importer, node, value, full));
}

/// A map several times over.
void tile(Importer& importer, const FileNode& node) {
  Value value = node.input(0);
  std::vector<std::int64_t> times = node.integers(1, "repeats");
  if (times.size() != importer.full(value).size()) node.fail("its repeats do not fit its input");
  if (value.batched && times[0] != 1) value = importer.one_image(node, value);
  if (value.batched) times.erase(times.begin());
  for (std::size_t i = 0; i < times.size(); ++i) {
    value = repeated(importer, node, value, i, times[i]);
  }
  importer.set(node, importer.with_full(node, value, importer.full(value)));
}

}  // namespace

const std::vector<OnnxOp>& arithmetic_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Add", arithmetic, "of maps; of a map and a constant: scale and shift of each channel"},
      {"", "Sub", arithmetic, "as Add"},
      {"", "Mul", arithmetic, "of a map and a constant: scale and shift of each channel"},
      {"", "Div", arithmetic, "of a map by a constant"},
      {"", "Neg", negate, "scale and shift of each channel"},
      {"", "Sum", sum, "of maps and constants"},
      {"", "Mean", sum, "of maps and constants"},
      {"", "Identity", pass_on, "nothing"},
      {"", "Dropout", dropout, "nothing; in inference mode"},
      {"", "Cast", cast, "nothing; to real numbers"},
      {"", "Expand", expand, "pixels or channels repeated"},
      {"", "Tile", tile, "pixels or channels repeated"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
