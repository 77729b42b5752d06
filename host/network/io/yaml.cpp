#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/base/text.h"
#include "host/base/zoo.h"
#include "host/network/layer_name.h"
#include "host/network/network.h"
#include "host/network/ops.h"

namespace bittern {
namespace {

constexpr std::int64_t kMost = 1 << 24;
constexpr int kVersion = 1;
constexpr std::size_t kMostChannels = 65536;
constexpr std::size_t kMostEntries = 16384;
constexpr double kMostReal = 3.5e38;  ///< more than the largest float

/// An integer or [height, width].
std::array<int, 2> pair_of(const YamlNode& node, std::int64_t low) {
  if (!node.is_sequence()) {
    const int both = static_cast<int>(node.integer(low, kMost));
    return {both, both};
  }
  const auto values = node.integers(low, kMost, 2, 2);
  return {static_cast<int>(values[0]), static_cast<int>(values[1])};
}

std::vector<double> reals_of(const YamlNode& node) {
  std::vector<double> values;
  for (const YamlNode& item : node.items(1, kMostChannels)) {
    values.push_back(item.real(-1e6, 1e6));
  }
  return values;
}

/// Padding on both sides of one axis so that output = ceil(size / stride); the odd one goes last.
std::array<int, 2> same_padding(int size, int kernel, int dilation, int stride) {
  const int out = (size + stride - 1) / stride;
  const std::int64_t reach = std::int64_t{kernel - 1} * dilation + 1;
  const std::int64_t all = std::max<std::int64_t>(0, std::int64_t{out - 1} * stride + reach - size);
  return {static_cast<int>(all / 2), static_cast<int>(all - all / 2)};
}

/// After kernel, stride and dilation.
void read_padding(const YamlNode& pad, const Shape& in, Attributes& a) {
  std::array<int, 4> sides{};
  if (pad.is_sequence() && pad.items().size() == 4) {
    const auto values = pad.integers(0, kMost, 4, 4);
    std::transform(values.begin(), values.end(), sides.begin(),
                   [](std::int64_t value) { return static_cast<int>(value); });
  } else if (pad.is_scalar() && pad.text() == "same") {
    const auto rows = same_padding(in.height, a.kernel_h, a.dilation_h, a.stride_h);
    const auto columns = same_padding(in.width, a.kernel_w, a.dilation_w, a.stride_w);
    sides = {rows[0], rows[1], columns[0], columns[1]};
  } else {
    const auto both = pair_of(pad, 0);
    sides = {both[0], both[0], both[1], both[1]};
  }
  a.pad_top = sides[0];
  a.pad_bottom = sides[1];
  a.pad_left = sides[2];
  a.pad_right = sides[3];
}

/// One number or one for each channel.
std::vector<float> floats_of(const YamlNode& node) {
  constexpr double kMostValue = 1e30;
  const auto value = [&](const YamlNode& one) {
    return static_cast<float>(one.real(-kMostValue, kMostValue));
  };
  if (!node.is_sequence()) return {value(node)};
  std::vector<float> values;
  for (const YamlNode& item : node.items(1, kMostChannels)) values.push_back(value(item));
  return values;
}

std::vector<int> ints_of(const YamlNode& node, std::int64_t low, std::size_t least,
                         std::size_t most) {
  std::vector<int> values;
  for (const std::int64_t value : node.integers(low, kMost, least, most)) {
    values.push_back(static_cast<int>(value));
  }
  return values;
}

/// The keys of a quantiser; what does not fit the layer is found when the node is added.
Quantiser read_quantiser(const YamlMap& map) {
  constexpr int kMostQuantiserBits = 32;
  Quantiser q;
  q.bipolar = map.boolean("bipolar", false);
  q.bits = q.bipolar ? static_cast<int>(map.integer("bits", 1, kMostQuantiserBits, 1))
                     : static_cast<int>(map.integer("bits", 1, kMostQuantiserBits));
  q.is_signed = map.boolean("signed", true);
  q.narrow = map.boolean("narrow", false);
  q.rounding = rounding_of(map.choice("rounding", rounding_names(), rounding_names().front()));
  q.scale = floats_of(map.at("scale"));
  if (const auto zero = map.find("zero_point")) q.zero_point = floats_of(*zero);
  return q;
}

/// Reads one attribute of an operation; `in` is the shape of its first input.
void read_attribute(const std::string& key, const YamlNode& value, const Shape& in, Attributes& a) {
  const auto whole = [&value](std::int64_t low) {
    return static_cast<int>(value.integer(low, kMost));
  };
  const auto pair = [&value](int& h, int& w) {
    const auto both = pair_of(value, 1);
    h = both[0];
    w = both[1];
  };
  if (key == "kernel") return pair(a.kernel_h, a.kernel_w);
  if (key == "stride") return pair(a.stride_h, a.stride_w);
  if (key == "dilation") return pair(a.dilation_h, a.dilation_w);
  if (key == "step" || key == "factor") return pair(a.step_h, a.step_w);
  if (key == "pad") return read_padding(value, in, a);
  if (key == "out") a.out_channels = whole(1);
  if (key == "groups") a.groups = whole(1);
  if (key == "bias") a.bias = value.boolean();
  if (key == "ceil") a.ceil = value.boolean();
  if (key == "count_padding") a.count_padding = value.boolean();
  if (key == "before") a.before = whole(0);
  if (key == "after") a.after = whole(0);
  if (key == "low") a.low = value.real(-kMostReal, kMostReal);
  if (key == "high") a.high = value.real(-kMostReal, kMostReal);
  if (key == "begin") a.begin = ints_of(value, 0, 3, 3);
  if (key == "end") a.end = ints_of(value, 1, 3, 3);
  if (key == "view") a.view = ints_of(value, 1, 1, 8);
  if (key == "order") a.order = ints_of(value, 0, 1, 8);
  if (key == "shape") a.shape = ints_of(value, 1, 3, 3);
  if (key == "value") a.value = value.real(-kMostReal, kMostReal);
  if (key == "border") {
    const std::string mode = value.choice({"value", "edge", "reflect"});
    a.border = mode == "edge"      ? BorderMode::kEdge
               : mode == "reflect" ? BorderMode::kReflect
                                   : BorderMode::kValue;
  }
  if (key == "weight_quantiser") {
    a.quantiser = read_quantiser(
        YamlMap(value, {"bits", "signed", "narrow", "bipolar", "rounding", "scale", "zero_point"}));
  }
  if (key == "epsilon") a.epsilon = value.real(1e-12, 1.0);
  if (key == "mean") a.mean = reals_of(value);
  if (key == "deviation") a.deviation = reals_of(value);
}

/// Makes a graph of the entries of a network file.
class Reader {
 public:
  Reader(const Shape& input, bool is_signed) {
    graph_.input = input;
    graph_.signed_input = is_signed;
    named_["input"] = kImage;
  }

  void add(const YamlNode& entry) {
    const auto one = entry.entries(1, 1);
    const std::string& kind = one[0].first;
    const YamlNode& body = one[0].second;
    if (kind == "conv") return add_layer(body, Op::kConv, false);
    if (kind == "depthwise") return add_layer(body, Op::kConv, true);
    if (kind == "linear") return add_layer(body, Op::kLinear, false);
    if (kind == "pool") return add_pool(body);
    if (kind == "relu6") return add_relu6(body);
    if (kind == "add") return add_join(body, Op::kAdd);
    if (kind == "concat") return add_join(body, Op::kConcat);
    for (const Op op :
         {Op::kBatchNorm, Op::kRelu, Op::kClip, Op::kFlatten, Op::kPadChannels, Op::kSlice,
          Op::kUpsample, Op::kNormalise, Op::kPad, Op::kRearrange, Op::kQuantise}) {
      if (kind == op_info(op).name) return add_simple(body, op);
    }
    const std::string missing = missing_for(kind);
    if (!missing.empty()) entry.fail("'" + kind + "': " + missing);
    entry.fail(
        "unknown layer kind '" + kind + "'" +
        suggestion(kind, {"conv", "depthwise", "linear", "pool", "batch_norm", "relu", "relu6",
                          "clip", "add", "concat", "flatten", "pad_channels", "slice", "upsample",
                          "normalise", "pad", "rearrange", "quantise"}));
  }

  const Graph& graph() const { return graph_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  static std::vector<std::string> keys_of(Op op, std::vector<std::string> others) {
    for (const std::string& key : op_info(op).attributes) {
      others.push_back(key[0] == '!' ? key.substr(1) : key);
    }
    return others;
  }

  int named(const YamlNode& from) const {
    const auto it = named_.find(from.text());
    if (it != named_.end()) return it->second;
    std::vector<std::string> names;
    for (const auto& [name, index] : named_) names.push_back(name);
    from.fail("no earlier entry is called '" + from.text() + "'" + suggestion(from.text(), names));
  }

  /// What an entry with one input takes.
  int source(const YamlMap& map) {
    const auto from = map.find("from");
    const int index = from ? named(*from) : current_;
    if (const auto stated = map.find("in")) {
      const auto values = stated->integers(1, kMost, 3, 3);
      const Shape& in = graph_.shape_of(index);
      if (values != std::vector<std::int64_t>{in.channels, in.height, in.width}) {
        const std::string shapes =
            fmt::format("the file says [{}, {}, {}], but {} [{}, {}, {}] (channels, height, width)",
                        values[0], values[1], values[2],
                        from              ? "'" + from->text() + "' gives"
                        : index == kImage ? "the image is"
                                          : "the entry before it gives",
                        in.channels, in.height, in.width);
        // What an entry names, and the image, are there: the file contradicts itself.
        if (from || index == kImage) stated->fail(shapes);
        return given(
            {static_cast<int>(values[0]), static_cast<int>(values[1]), static_cast<int>(values[2])},
            *stated, shapes);
      }
    }
    return index;
  }

  /// A map that joins or resizes earlier ones in a way that the file does not write.
  int given(const Shape& shape, const YamlNode& stated, const std::string& shapes) {
    Node node;
    node.op = Op::kGiven;
    node.shape = shape;
    append(std::move(node), stated);
    notes_.push_back(fmt::format(
        "{}: {}: it is measured as stated, taken to have no negative values; to train it, write "
        "what joins or resizes the maps (concat, add, upsample)",
        stated.where(), shapes));
    return current_;
  }

  void read_attributes(const YamlMap& map, Node& node) const {
    for (std::string key : op_info(node.op).attributes) {
      const bool required = key[0] == '!';
      if (required) key.erase(0, 1);
      const Shape& in = graph_.shape_of(node.inputs[0]);
      if (const auto value = required ? std::optional(map.at(key)) : map.find(key)) {
        read_attribute(key, *value, in, node.attributes);
      }
    }
  }

  void append(Node node, const YamlNode& entry) {
    node.where = entry.where();
    try {
      current_ = add_node(graph_, std::move(node));
    } catch (const Error& error) {
      entry.fail(error.what());
    }
  }

  void append(Op op, const YamlNode& entry) {
    Node node;
    node.op = op;
    node.inputs = {current_};
    append(std::move(node), entry);
  }

  void append_clip(double high, const YamlNode& entry) {
    Node node;
    node.op = Op::kClip;
    node.inputs = {current_};
    node.attributes.high = high;
    append(std::move(node), entry);
  }

  /// What follows the operation of an entry: `relu` may be true, false, or 6.
  void append_relu(const YamlMap& map, bool fallback, const YamlNode& entry) {
    constexpr double kSix = 6.0;
    const auto value = map.find("relu");
    if (value && value->is_scalar() && value->text() == "6") return append_clip(kSix, entry);
    if (value ? value->boolean() : fallback) append(Op::kRelu, entry);
  }

  void remember(const std::string& name, const YamlNode& entry) {
    if (name.empty()) return;
    const std::string fault = layer_name_fault(name);
    if (!fault.empty()) entry.fail("name '" + shortened(name) + "': " + fault);
    if (!named_.emplace(name, current_).second) entry.fail("a second entry called '" + name + "'");
  }

  void add_layer(const YamlNode& entry, Op op, bool depthwise) {
    std::vector<std::string> keys = keys_of(op, {"name", "relu", "from", "in", "batch_norm"});
    if (depthwise) keys.erase(std::find(keys.begin(), keys.end(), "groups"));
    const YamlMap map(entry, keys);
    Node node;
    node.op = op;
    node.name = map.text("name");
    node.inputs = {source(map)};
    const Shape in = graph_.shape_of(node.inputs[0]);
    std::string norm;
    if (const auto value = map.find("batch_norm")) {
      if (value->text() == "true") {
        norm = node.name + "_bn";
      } else if (value->text() != "false") {
        norm = value->text();
      }
    }
    // A batch norm has a bias of its own.
    node.attributes.bias = norm.empty();
    if (depthwise) {
      node.attributes.depthwise = true;
      node.attributes.groups = in.channels;
      node.attributes.out_channels = static_cast<int>(map.integer("out", 1, kMost, in.channels));
      for (const char* key : {"kernel", "stride", "dilation", "pad", "bias", "weight_quantiser"}) {
        const bool required = std::string(key) == "kernel";
        if (const auto value = required ? std::optional(map.at(key)) : map.find(key)) {
          read_attribute(key, *value, in, node.attributes);
        }
      }
    } else {
      read_attributes(map, node);
    }
    if (op == Op::kLinear && in != Shape{in.channels, 1, 1}) {
      current_ = node.inputs[0];
      append(Op::kFlatten, entry);
      node.inputs = {current_};
    }
    const std::string name = node.name;
    append(std::move(node), entry);
    if (!norm.empty()) {
      Node next;
      next.op = Op::kBatchNorm;
      next.name = norm;
      next.inputs = {current_};
      append(std::move(next), entry);
      remember(norm, entry);
    }
    append_relu(map, true, entry);
    remember(name, entry);
  }

  void add_pool(const YamlNode& entry) {
    const YamlMap map(entry, {"name", "kind", "global", "kernel", "stride", "dilation", "pad",
                              "ceil", "count_padding", "from", "in"});
    const bool average = map.choice("kind", {"max", "average"}, "max") == "average";
    if (!average && map.has("count_padding")) {
      map.at("count_padding").fail("for kind: average only");
    }
    if (average && map.has("dilation")) map.at("dilation").fail("for kind: max only");
    Node node;
    node.op = average ? Op::kAveragePool : Op::kMaxPool;
    node.name = map.text("name", "");
    node.inputs = {source(map)};
    const Shape in = graph_.shape_of(node.inputs[0]);
    Attributes& a = node.attributes;
    if (map.boolean("global", false)) {
      for (const char* key : {"kernel", "stride", "dilation", "pad", "ceil", "count_padding"}) {
        if (map.has(key)) map.at(key).fail("not used with global: true");
      }
      a.kernel_h = a.stride_h = in.height;
      a.kernel_w = a.stride_w = in.width;
    } else {
      read_attribute("kernel", map.at("kernel"), in, a);
      a.stride_h = a.kernel_h;
      a.stride_w = a.kernel_w;
      read_attributes(map, node);
    }
    const std::string name = node.name;
    append(std::move(node), entry);
    remember(name, entry);
  }

  void add_relu6(const YamlNode& entry) {
    constexpr double kSix = 6.0;
    const YamlMap map(entry, {"name", "from", "in"});
    current_ = source(map);
    append_clip(kSix, entry);
    remember(map.text("name", ""), entry);
  }

  void add_join(const YamlNode& entry, Op op) {
    const YamlMap map(entry, {"name", "from", "relu"});
    Node node;
    node.op = op;
    node.name = map.text("name", "");
    for (const YamlNode& from : map.at("from").items(2, 256)) node.inputs.push_back(named(from));
    append(std::move(node), entry);
    append_relu(map, false, entry);
    remember(map.text("name", ""), entry);
  }

  void add_simple(const YamlNode& entry, Op op) {
    std::vector<std::string> others = {"name", "from", "in"};
    if (op == Op::kBatchNorm) others.push_back("relu");
    const YamlMap map(entry, keys_of(op, others));
    Node node;
    node.op = op;
    // The tensors in a checkpoint are named after it.
    node.name = op == Op::kBatchNorm ? map.text("name") : map.text("name", "");
    node.inputs = {source(map)};
    if (op == Op::kClip) {
      if (!map.has("low") && !map.has("high")) entry.fail("clip takes `low`, `high`, or both");
      node.attributes.low = -std::numeric_limits<double>::infinity();
    }
    if (op == Op::kQuantise) {
      node.attributes.quantiser = read_quantiser(map);
    } else {
      read_attributes(map, node);
    }
    const std::string name = node.name;
    append(std::move(node), entry);
    if (op == Op::kBatchNorm) append_relu(map, false, entry);
    remember(name, entry);
  }

  Graph graph_;
  std::vector<std::string> notes_;
  int current_ = kImage;
  std::map<std::string, int> named_;
};

/// `tensors:` {node: name in checkpoints}.
std::map<std::string, std::string> read_tensor_names(const YamlNode& node, const Graph& graph) {
  std::vector<std::string> known;
  for (const Node& candidate : graph.nodes) {
    if (!op_info(candidate.op).tensors.empty()) known.push_back(candidate.name);
  }
  std::map<std::string, std::string> names;
  for (const auto& [name, value] : node.entries(1, 4096)) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      value.fail("no layer or batch norm is called '" + shortened(name) + "'" +
                 suggestion(name, known));
    }
    names[name] = value.text();
  }
  return names;
}

}  // namespace

Network parse_network(const YamlNode& document) {
  const YamlMap map(document, {"name", "version", "description", "input", "input_signed",
                               "first_class", "tensors", "weights", "layers"});
  if (const auto version = map.find("version")) {
    if (version->integer(0, kMost) != kVersion) {
      version->fail(
          fmt::format("this Bittern reads network files of version {}: use a newer one", kVersion));
    }
  }
  Network network;
  network.name = file_name_of(map.at("name"));
  network.description = map.text("description", "");
  const auto input = map.at("input").integers(1, kMost, 3, 3);
  Reader reader(
      {static_cast<int>(input[0]), static_cast<int>(input[1]), static_cast<int>(input[2])},
      map.boolean("input_signed", false));
  if (const auto weights = map.find("weights")) {
    const YamlMap file(*weights, {"file", "sha256"});
    network.weights_file = file_of(file.at("file"));
    network.weights_hash = file.text("sha256");
  }
  for (const YamlNode& entry : map.at("layers").items(1, kMostEntries)) reader.add(entry);
  network.graph = reader.graph();
  if (const auto first = map.find("first_class")) {
    const int answers = network.graph.shape_of(network.graph.output).channels;
    network.graph.first_class = static_cast<int>(first->integer(0, answers - 1));
  }
  if (const auto names = map.find("tensors")) {
    network.tensor_names = read_tensor_names(*names, network.graph);
  }
  network.notes = reader.notes();
  network.layers = layers(network.graph);
  if (network.layers.empty()) map.at("layers").fail("no layer that can be quantised");
  return network;
}

}  // namespace bittern
