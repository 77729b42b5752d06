#include "host/export/network_onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "host/base/error.h"
#include "host/network/ops.h"

namespace bittern {
namespace {

using Extents = std::vector<std::int64_t>;

/// A map of the file.
struct Map {
  std::string name;
  bool flat = false;  ///< [batch, values] instead of [batch, channels, rows, columns]
};

Extents extents_of(const Shape& shape) { return {0, shape.channels, shape.height, shape.width}; }

class Writer {
 public:
  Writer(const ExportInput& input, QuantiserStyle& style)
      : network_(*input.integers), style_(style), file_(network_.name) {
    for (std::size_t i = 0; i < network_.layer_nodes.size(); ++i) {
      layer_of_[network_.layer_nodes[i]] = i;
    }
    file_.note("bittern.network", network_.name);
    file_.note("bittern.integers", network_.hash());
    file_.note("bittern.origin", input.origin.dump());
    // Answers before this one stand for no class (a background).
    file_.note("bittern.first_class", std::to_string(network_.graph.first_class));
  }

  OnnxFile write() {
    const Graph& graph = network_.graph;
    file_.input("pixels", extents_of(graph.input));
    names_ = {"pixels", "logits"};
    image_ = {unique("image")};
    style_.activations(file_, "pixels", network_.formats[0], image_.name);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) maps_.push_back(node(i));
    const Map answer = maps_[static_cast<std::size_t>(graph.output)];
    file_.node("Flatten", {answer.name}, "logits");
    file_.output("logits", {0, graph.shape_of(graph.output).elements()});
    return std::move(file_);
  }

 private:
  const Map& map_of(int source) const {
    return source == kImage ? image_ : maps_[static_cast<std::size_t>(source)];
  }

  /// A name that no other tensor has.
  std::string unique(const std::string& wanted) {
    std::string name = wanted;
    for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
    return name;
  }

  std::string name_of(std::size_t index) {
    const Node& node = network_.graph.nodes[index];
    return unique(node.name.empty() ? fmt::format("{}{}", op_info(node.op).name, index)
                                    : node.name);
  }

  /// With four extents.
  std::string as_map(int source) {
    const Map& map = map_of(source);
    if (!map.flat) return map.name;
    const Shape& shape = network_.graph.shape_of(source);
    std::string name = unique(map.name + ".map");
    file_.node("Reshape", {map.name, file_.constant(unique(name + ".shape"), extents_of(shape))},
               name);
    return name;
  }

  std::string as_vector(const std::string& map, bool flat) {
    if (flat) return map;
    std::string name = unique(map + ".flat");
    file_.node("Flatten", {map}, name);
    return name;
  }

  /// A node of our graph: its operation, its ReLU, and the quantiser behind it.
  Map node(std::size_t index) {
    const Node& node = network_.graph.nodes[index];
    const std::string name = name_of(index);
    Map map{unique(name + ".values")};
    const auto layer = layer_of_.find(static_cast<int>(index));
    if (layer != layer_of_.end()) {
      compute_layer(layer->second, node, map);
    } else {
      compute(index, node, map);
    }
    if (node.attributes.relu) {
      const std::string relu = unique(name + ".relu");
      file_.node("Relu", {map.name}, relu);
      map.name = relu;
    }
    const int point = network_.scheme.point_of_node[index];
    if (computes_on_codes(node.op) || point == QuantisationScheme::kSums) return map;
    style_.activations(file_, map.name, network_.formats[static_cast<std::size_t>(point)], name);
    map.name = name;
    return map;
  }

  void compute_layer(std::size_t i, const Node& node, Map& out) {
    const Layer& layer = network_.layers[i];
    const int point = network_.scheme.point_of_layer[i];
    const int source = node.inputs[0];
    std::string input = map_of(source).name;
    bool flat = map_of(source).flat;
    if (network_.scheme.point_of(source) != point) {
      const std::string own = unique(layer.name + ".input");
      style_.activations(file_, input, network_.formats[static_cast<std::size_t>(point)], own);
      input = own;
    }
    const bool linear = node.op == Op::kLinear;
    Extents shape = weight_shape(layer);
    if (linear) {
      shape.resize(2);
      input = as_vector(input, flat);
    } else if (flat) {
      const std::string map = unique(input + ".map");
      file_.node("Reshape",
                 {input, file_.constant(unique(map + ".shape"),
                                        extents_of(network_.graph.shape_of(source)))},
                 map);
      input = map;
    }
    const std::string weights = style_.weights(file_, network_, i, shape);
    const std::string bias = style_.bias(file_, network_, i);
    onnx::NodeProto& made = file_.node(linear ? "Gemm" : "Conv", {input, weights, bias}, out.name);
    made.set_name(layer.name);  // the layer's name where the file is read again
    out.flat = linear;
    if (linear) {
      set_attribute(made, "transB", std::int64_t{1});
      return;
    }
    set_attribute(made, "kernel_shape", Extents{layer.kernel_h, layer.kernel_w});
    set_attribute(made, "strides", Extents{layer.stride_h, layer.stride_w});
    set_attribute(made, "dilations", Extents{layer.dilation_h, layer.dilation_w});
    set_attribute(made, "pads",
                  Extents{layer.pad_top, layer.pad_left, layer.pad_bottom, layer.pad_right});
    set_attribute(made, "group", std::int64_t{layer.groups});
  }

  void compute(std::size_t index, const Node& node, Map& out) {
    const Attributes& a = node.attributes;
    const int source = node.inputs[0];
    const Map& input = map_of(source);
    switch (node.op) {
      case Op::kRelu:
        file_.node("Relu", {input.name}, out.name);
        out.flat = input.flat;
        return;
      case Op::kClip:
        clip(index, source, out);
        return;
      case Op::kFlatten:
        file_.node("Flatten", {input.name}, out.name);
        out.flat = true;
        return;
      case Op::kMaxPool:
        max_pool(node, out.name);
        return;
      case Op::kAveragePool:
        average_pool(node, out.name);
        return;
      case Op::kAdd:
        add(node, out.name);
        return;
      case Op::kConcat: {
        std::vector<std::string> inputs;
        for (const int each : node.inputs) inputs.push_back(as_map(each));
        set_attribute(file_.node("Concat", inputs, out.name), "axis", std::int64_t{1});
        return;
      }
      case Op::kPadChannels:
        pad(node, out.name, {0, a.before, 0, 0, 0, a.after, 0, 0}, BorderMode::kValue);
        return;
      case Op::kPad:
        pad(node, out.name, {0, 0, a.pad_top, a.pad_left, 0, 0, a.pad_bottom, a.pad_right},
            a.border);
        return;
      case Op::kSlice:
        slice(node, out.name);
        return;
      case Op::kUpsample:
        upsample(node, out.name);
        return;
      case Op::kRearrange:
        rearrange(node, out.name);
        return;
      case Op::kNormalise:
      case Op::kBatchNorm:
        affine(index, node, out);
        return;
      case Op::kConv:
      case Op::kLinear:
      case Op::kQuantise:
      case Op::kGiven:
        break;
    }
    fail_usage("{}: {} is not exported", node.where, op_info(node.op).name);
  }

  /// Bounds that are codes, as the integers have them.
  void clip(std::size_t index, int source, Map& out) {
    const QuantisedNode& codes = network_.nodes[index];
    const CodeFormat& format = network_.format_of(static_cast<int>(index));
    const auto value = [&format](int code) { return static_cast<float>(code) * format.scale; };
    const std::string low = file_.constant(unique(out.name + ".low"), {}, {value(codes.low)});
    std::vector<float> highs;
    for (const int high : codes.highs) highs.push_back(value(high));
    const std::string& input = map_of(source).name;
    out.flat = map_of(source).flat;
    if (highs.size() == 1) {
      file_.node("Clip", {input, low, file_.constant(unique(out.name + ".high"), {}, highs)},
                 out.name);
      return;
    }
    // Clip has one bound for all channels.
    const auto channels = static_cast<std::int64_t>(highs.size());
    const Extents shape = out.flat ? Extents{1, channels} : Extents{1, channels, 1, 1};
    const std::string above = unique(out.name + ".above");
    file_.node("Max", {input, low}, above);
    file_.node("Min", {above, file_.constant(unique(out.name + ".high"), shape, highs)}, out.name);
  }

  static void set_window(onnx::NodeProto& made, const Attributes& a, const Overhang& over) {
    set_attribute(made, "kernel_shape", Extents{a.kernel_h, a.kernel_w});
    set_attribute(made, "strides", Extents{a.stride_h, a.stride_w});
    set_attribute(made, "pads",
                  Extents{a.pad_top, a.pad_left, a.pad_bottom + std::max(over.rows, 0),
                          a.pad_right + std::max(over.columns, 0)});
  }

  /// What a last window hangs over is padding here: runtimes differ in what ceil_mode does.
  void max_pool(const Node& node, const std::string& name) {
    const int source = node.inputs[0];
    const Overhang over = pool_overhang(node, network_.graph.shape_of(source));
    onnx::NodeProto& made = file_.node("MaxPool", {as_map(source)}, name);
    set_window(made, node.attributes, over);
    set_attribute(made, "dilations",
                  Extents{node.attributes.dilation_h, node.attributes.dilation_w});
  }

  void average_pool(const Node& node, const std::string& name) {
    const int source = node.inputs[0];
    Attributes window = node.attributes;
    const Overhang over = pool_overhang(node, network_.graph.shape_of(source));
    std::string input = as_map(source);
    if (window.count_padding) {
      // Padding counts and an overhang does not, so that the two cannot be one attribute.
      const std::string padded = unique(name + ".padded");
      pad_values(input, padded,
                 {0, 0, window.pad_top, window.pad_left, 0, 0, window.pad_bottom, window.pad_right},
                 BorderMode::kValue);
      window.pad_top = window.pad_left = window.pad_bottom = window.pad_right = 0;
      input = padded;
    }
    set_window(file_.node("AveragePool", {input}, name), window, over);
  }

  void add(const Node& node, const std::string& name) {
    std::string sum = as_map(node.inputs[0]);
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      const bool last = i + 1 == node.inputs.size();
      const std::string next = last ? name : unique(name + ".sum");
      file_.node("Add", {sum, as_map(node.inputs[i])}, next);
      sum = next;
    }
    if (node.inputs.size() == 1) file_.node("Identity", {sum}, name);
  }

  void pad(const Node& node, const std::string& name, const Extents& pads, BorderMode border) {
    pad_values(as_map(node.inputs[0]), name, pads, border);
  }

  void pad_values(const std::string& input, const std::string& name, const Extents& pads,
                  BorderMode border) {
    onnx::NodeProto& made =
        file_.node("Pad", {input, file_.constant(unique(name + ".pads"), pads)}, name);
    set_attribute(made, "mode",
                  std::string(border == BorderMode::kEdge      ? "edge"
                              : border == BorderMode::kReflect ? "reflect"
                                                               : "constant"));
  }

  void slice(const Node& node, const std::string& name) {
    const Attributes& a = node.attributes;
    const Shape& shape = network_.graph.shape_of(node.inputs[0]);
    Extents begin(a.begin.begin(), a.begin.end());
    Extents end(a.end.begin(), a.end.end());
    if (begin.empty()) begin = {0, 0, 0};
    if (end.empty()) end = {shape.channels, shape.height, shape.width};
    file_.node("Slice",
               {as_map(node.inputs[0]), file_.constant(unique(name + ".begin"), begin),
                file_.constant(unique(name + ".end"), end),
                file_.constant(unique(name + ".axes"), {1, 2, 3}),
                file_.constant(unique(name + ".steps"), {1, a.step_h, a.step_w})},
               name);
  }

  void upsample(const Node& node, const std::string& name) {
    const Attributes& a = node.attributes;
    const std::string scales =
        file_.constant(unique(name + ".scales"), {4},
                       {1.0f, 1.0f, static_cast<float>(a.step_h), static_cast<float>(a.step_w)});
    onnx::NodeProto& made = file_.node("Resize", {as_map(node.inputs[0]), "", scales}, name);
    set_attribute(made, "mode", std::string("nearest"));
    set_attribute(made, "coordinate_transformation_mode", std::string("asymmetric"));
    set_attribute(made, "nearest_mode", std::string("floor"));
  }

  void rearrange(const Node& node, const std::string& name) {
    const Attributes& a = node.attributes;
    std::string values = map_of(node.inputs[0]).name;
    if (!a.view.empty()) {
      Extents view = {0};
      view.insert(view.end(), a.view.begin(), a.view.end());
      Extents order = {0};
      for (const int axis : a.order) order.push_back(axis + 1);
      const std::string seen = unique(name + ".view");
      file_.node("Reshape", {values, file_.constant(unique(seen + ".shape"), view)}, seen);
      values = unique(name + ".order");
      set_attribute(file_.node("Transpose", {seen}, values), "perm", order);
    }
    file_.node("Reshape",
               {values, file_.constant(unique(name + ".shape"),
                                       Extents{0, a.shape[0], a.shape[1], a.shape[2]})},
               name);
  }

  /// A factor and an offset for each channel, with the bits that the integers have of them.
  void affine(std::size_t index, const Node& node, Map& out) {
    const QuantisedNode& codes = network_.nodes[index];
    const Map& input = map_of(node.inputs[0]);
    const double to = network_.format_of(static_cast<int>(index)).scale;
    const double from = network_.format_of(node.inputs[0]).scale;
    std::vector<float> factors;
    std::vector<float> offsets;
    for (const ScaledSum& sum : codes.sums) {
      factors.push_back(static_cast<float>(std::ldexp(sum.factors[0], -sum.shift) * to / from));
      offsets.push_back(
          static_cast<float>(std::ldexp(static_cast<double>(sum.offset), -sum.shift) * to));
    }
    const auto channels = static_cast<std::int64_t>(codes.sums.size());
    const Extents shape = input.flat ? Extents{1, channels} : Extents{1, channels, 1, 1};
    const std::string product = unique(out.name + ".product");
    file_.node("Mul", {input.name, file_.constant(unique(out.name + ".factor"), shape, factors)},
               product);
    file_.node("Add", {product, file_.constant(unique(out.name + ".offset"), shape, offsets)},
               out.name);
    out.flat = input.flat;
  }

  const QuantisedNetwork& network_;
  QuantiserStyle& style_;
  OnnxFile file_;
  std::map<int, std::size_t> layer_of_;
  std::set<std::string> names_;
  Map image_;
  std::vector<Map> maps_;
};

}  // namespace

OnnxFile network_onnx(const ExportInput& input, QuantiserStyle& style) {
  return Writer(input, style).write();
}

}  // namespace bittern
