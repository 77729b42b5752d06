// Activations that are piecewise linear, and the softmax at the end.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "host/network/io/onnx/clip_bounds.h"
#include "host/network/io/onnx/op_table.h"
#include "host/network/io/onnx/spread.h"
#include "host/network/io/onnx/sums.h"

namespace bittern::onnx_io {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void relu(Importer& importer, const FileNode& node) {
  importer.set(node, rectified(importer, node, node.input(0)));
}

/// slope * x + (1 - slope) * max(x, 0).
Value leaky(Importer& importer, const FileNode& node, const Value& value, const Spread& slope) {
  Spread rest = slope;
  for (double& number : rest.values) number = 1.0 - number;
  const Spread none{{0.0}, false};
  const auto times = [&](const Value& map, const Spread& factor) {
    return importer.spread_affine(node, map, factor, none, importer.weight_name(node, Value{}));
  };
  return sum_of_maps(importer, node,
                     {times(value, slope), times(rectified(importer, node, value), rest)});
}

void leaky_relu(Importer& importer, const FileNode& node) {
  // The decimal number that was meant, not the float nearest to it.
  const double slope = std::stod(fmt::format("{}", static_cast<float>(node.real("alpha", 0.01))));
  importer.set(node, leaky(importer, node, node.input(0), {{slope}, false}));
}

void p_relu(Importer& importer, const FileNode& node) {
  const Value& value = node.input(0);
  Constant slope = node.constant(1, "slope");
  const Dims full = importer.full(value);
  if (importer.opset() < 7 && slope.count() > 1) {
    // One for each channel.
    while (slope.dims.size() + 1 < full.size()) slope.dims.push_back(1);
  }
  importer.set(node, leaky(importer, node, value, spread_over(node, slope, full, value.batched)));
}

void hard_sigmoid(Importer& importer, const FileNode& node) {
  const double factor = node.real("alpha", 0.2);
  const double shift = node.real("beta", 0.5);
  const Value line =
      importer.affine(node, node.input(0), {factor}, {shift}, importer.weight_name(node, Value{}));
  Node made;
  made.op = Op::kClip;
  made.attributes.low = 0.0;
  made.attributes.high = 1.0;
  importer.set(node, behind(importer, node, line, std::move(made)));
}

void abs(Importer& importer, const FileNode& node) {
  importer.set(node, absolute(importer, node, node.input(0)));
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
    return importer.set(node, behind(importer, node, value, std::move(made)));
  }
  made.op = Op::kClip;
  made.attributes.low = bounded(bounds.low) ? bounds.low : -kInfinity;
  made.attributes.high = bounded(bounds.high) ? bounds.high : kInfinity;
  importer.set(node, behind(importer, node, value, std::move(made)));
}

/// The greater of a value and a constant, or the lesser.
Value bounded(Importer& importer, const FileNode& node, const Value& value,
              const Constant& constant) {
  const bool greater = node.op() == "Max";
  if (constant.count() == 1 && constant.dims.size() <= importer.full(value).size()) {
    const double bound = constant.at(0);
    if (greater && bound == 0.0) return rectified(importer, node, value);
    Node made;
    made.op = Op::kClip;
    made.attributes.low = greater ? bound : -kInfinity;
    made.attributes.high = greater ? kInfinity : bound;
    return behind(importer, node, value, std::move(made));
  }
  // max(x, c) = max(x - c, 0) + c, min(x, c) = c - max(c - x, 0).
  const Value map =
      spread_map(importer, node, value, joint_dims(node, importer.full(value), constant.dims));
  const double sign = greater ? 1.0 : -1.0;
  const Spread spread = spread_over(node, constant, importer.full(map), map.batched);
  Spread shift = spread;
  for (double& number : shift.values) number *= -sign;
  const auto affine = [&](const Value& from, const Spread& added) {
    return importer.spread_affine(node, from, {{sign}, false}, added,
                                  importer.weight_name(node, Value{}));
  };
  return affine(rectified(importer, node, affine(map, shift)), spread);
}

/// Maximum or minimum of maps and constants: max(a, b) = a + max(b - a, 0), min(a, b) =
/// a - max(a - b, 0).
void bound(Importer& importer, const FileNode& node) {
  const bool greater = node.op() == "Max";
  std::vector<const Value*> maps;
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    if (!node.input(i).known()) maps.push_back(&node.input(i));
  }
  Value all = *maps[0];
  for (std::size_t i = 1; i < maps.size(); ++i) {
    const Value& other = *maps[i];
    const Value over = rectified(importer, node,
                                 greater ? difference_of_maps(importer, node, other, all)
                                         : difference_of_maps(importer, node, all, other));
    all = greater ? sum_of_maps(importer, node, {all, over})
                  : difference_of_maps(importer, node, all, over);
  }
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    if (node.input(i).known()) all = bounded(importer, node, all, *node.input(i).constant);
  }
  importer.set(node, std::move(all));
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

const std::vector<OnnxOp>& activation_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Relu", relu, "an operation of its own"},
      {"", "LeakyRelu", leaky_relu, "a sum of x and ReLU of x, scaled"},
      {"", "PRelu", p_relu, "as LeakyRelu; slopes known"},
      {"", "HardSigmoid", hard_sigmoid, "scale, shift and clip"},
      {"", "Abs", abs, "ReLU of x and of -x"},
      {"", "Clip", clip, "ReLU6 and other bounds, from attributes or known inputs"},
      {"", "Max", bound, "of maps and constants"},
      {"", "Min", bound, "of maps and constants"},
      {"", "Softmax", softmax, "left out at the end of a network, with a note"},
      {"", "LogSoftmax", softmax, "left out at the end of a network, with a note"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
