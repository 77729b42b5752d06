#include "host/network/io/network_yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "host/base/error.h"
#include "host/base/text.h"
#include "host/network/ops.h"

namespace bittern {
namespace {

/// A word as it is where YAML takes it for one, else in quotes.
std::string word(const std::string& text) {
  static const std::set<std::string> kOther = {"true", "false", "null", "yes", "no",
                                               "on",   "off",   "y",    "n"};
  std::string lower;
  bool plain = !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) != 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    plain = plain && (std::isalnum(byte) != 0 || c == '_' || c == '.' || c == '/' || c == '-');
    lower += static_cast<char>(std::tolower(byte));
  }
  if (plain && kOther.count(lower) == 0) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string pair(int h, int w) {
  return h == w ? fmt::format("{}", h) : fmt::format("[{}, {}]", h, w);
}

template <typename T>
std::string list(const std::vector<T>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

/// One number, or one for each channel.
std::string floats(const std::vector<float>& values) {
  return values.size() == 1 ? fmt::format("{}", values[0]) : list(values);
}

/// Collects "key: value" of one entry.
class Entry {
 public:
  void add(const std::string& key, const std::string& value) {
    text_ += fmt::format("{}{}: {}", text_.empty() ? "" : ", ", key, value);
  }
  void add_if(bool wanted, const std::string& key, const std::string& value) {
    if (wanted) add(key, value);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void add_quantiser(Entry& entry, const Quantiser& q) {
  entry.add("bits", fmt::format("{}", q.bits));
  entry.add_if(!q.is_signed, "signed", "false");
  entry.add_if(q.narrow, "narrow", "true");
  entry.add_if(q.bipolar, "bipolar", "true");
  entry.add_if(q.rounding != Rounding::kHalfEven, "rounding", rounding_name(q.rounding));
  entry.add("scale", floats(q.scale));
  entry.add_if(q.zero_point != std::vector<float>{0.0F}, "zero_point", floats(q.zero_point));
}

void add_window(Entry& entry, const Attributes& a, int usual_stride_h, int usual_stride_w) {
  entry.add("kernel", pair(a.kernel_h, a.kernel_w));
  entry.add_if(a.stride_h != usual_stride_h || a.stride_w != usual_stride_w, "stride",
               pair(a.stride_h, a.stride_w));
  entry.add_if(a.dilation_h != 1 || a.dilation_w != 1, "dilation",
               pair(a.dilation_h, a.dilation_w));
}

void add_padding(Entry& entry, const Attributes& a, bool always) {
  const bool symmetric = a.pad_top == a.pad_bottom && a.pad_left == a.pad_right;
  const bool any = a.pad_top + a.pad_bottom + a.pad_left + a.pad_right > 0;
  entry.add_if(any || always, "pad",
               symmetric ? pair(a.pad_top, a.pad_left)
                         : fmt::format("[{}, {}, {}, {}]", a.pad_top, a.pad_bottom, a.pad_left,
                                       a.pad_right));
}

/// Writes the nodes of a graph as entries, some of them several nodes at once.
class Writer {
 public:
  explicit Writer(const Graph& graph) : graph_(graph), uses_(use_counts(graph)) {
    if (graph.output + 1 != static_cast<int>(graph.nodes.size())) {
      fail("the answer is node {} of {}, expected the last", graph.output, graph.nodes.size());
    }
    std::set<std::string> taken = {"input"};
    for (const Node& node : graph.nodes) taken.insert(node.name);
    names_.resize(graph.nodes.size());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      names_[i] = graph.nodes[i].name;
      if (!names_[i].empty()) continue;
      names_[i] = fmt::format("n{}", i);
      while (!taken.insert(names_[i]).second) names_[i] += "_";
    }
  }

  std::string text() {
    std::string text;
    for (std::size_t i = 0; i < graph_.nodes.size();) text += "  - " + entry(i) + "\n";
    return text;
  }

 private:
  const Node& node(std::size_t i) const { return graph_.nodes[i]; }

  /// Whether node `i` follows `i - 1`, which nothing else takes.
  bool follows(std::size_t i, Op op) const {
    return i < graph_.nodes.size() && node(i).op == op &&
           node(i).inputs == std::vector<int>{static_cast<int>(i) - 1} && uses_[i - 1] == 1;
  }

  /// The name where something other than the next entry takes its output, or it has one.
  void add_name(Entry& entry, std::size_t first, std::size_t last) {
    const bool referred = std::any_of(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(last) + 1,
                                      graph_.nodes.end(), [&](const Node& n) {
                                        const bool join = n.inputs.size() > 1;
                                        return std::count(n.inputs.begin(), n.inputs.end(),
                                                          static_cast<int>(last)) > 0 &&
                                               (join || &n != &graph_.nodes[last] + 1);
                                      });
    const bool own = !node(first).name.empty();
    if (own || referred) entry.add("name", word(own ? names_[first] : names_[last]));
    if (referred || own) labels_[last] = own ? names_[first] : names_[last];
  }

  void add_source(Entry& entry, std::size_t i) const {
    const int source = node(i).inputs[0];
    if (source + 1 == static_cast<int>(i)) return;
    entry.add("from", source == kImage ? "input" : word(reference(source)));
  }

  std::string reference(int source) const {
    const auto found = labels_.find(static_cast<std::size_t>(source));
    return found != labels_.end() ? found->second : names_[static_cast<std::size_t>(source)];
  }

  std::string layer(std::size_t& i) {
    const std::size_t first = i;
    const Node& n = node(i);
    const Attributes& a = n.attributes;
    const bool norm = follows(i + 1, Op::kBatchNorm) && !a.relu &&
                      node(i + 1).attributes.epsilon == Attributes().epsilon;
    std::size_t last = norm ? i + 1 : i;
    const bool relu = follows(last + 1, Op::kRelu) && !node(last).attributes.relu;
    if (relu) ++last;
    Entry entry;
    add_name(entry, first, last);
    add_source(entry, first);
    if (n.op == Op::kConv && a.depthwise) {
      entry.add_if(a.out_channels != a.groups, "out", fmt::format("{}", a.out_channels));
    } else {
      entry.add("out", fmt::format("{}", a.out_channels));
    }
    if (n.op == Op::kConv) {
      add_window(entry, a, 1, 1);
      add_padding(entry, a, false);
      entry.add_if(!a.depthwise && a.groups != 1, "groups", fmt::format("{}", a.groups));
    }
    entry.add_if(a.bias == norm, "bias", a.bias ? "true" : "false");
    if (norm) {
      const bool usual = node(first + 1).name == n.name + "_bn";
      entry.add("batch_norm", usual ? "true" : word(node(first + 1).name));
    }
    entry.add_if(!relu && !a.relu, "relu", "false");
    if (a.quantiser) {
      Entry quantiser;
      add_quantiser(quantiser, *a.quantiser);
      entry.add("weight_quantiser", "{" + quantiser.text() + "}");
    }
    i = last + 1;
    return fmt::format("{}: {{{}}}",
                       n.op == Op::kLinear ? "linear"
                       : a.depthwise       ? "depthwise"
                                           : "conv",
                       entry.text());
  }

  std::string pool(std::size_t& i) {
    const Node& n = node(i);
    const Attributes& a = n.attributes;
    Entry entry;
    add_name(entry, i, i);
    entry.add_if(n.op == Op::kAveragePool, "kind", "average");
    add_source(entry, i);
    add_window(entry, a, a.kernel_h, a.kernel_w);
    add_padding(entry, a, false);
    entry.add_if(a.ceil, "ceil", "true");
    entry.add_if(a.count_padding, "count_padding", "true");
    ++i;
    return "pool: {" + entry.text() + "}";
  }

  std::string join(std::size_t& i) {
    const Node& n = node(i);
    std::size_t last = i;
    if (follows(i + 1, Op::kRelu)) ++last;
    Entry entry;
    add_name(entry, i, last);
    std::vector<std::string> sources;
    for (const int source : n.inputs) {
      sources.push_back(source == kImage ? "input" : word(reference(source)));
    }
    entry.add("from", list(sources));
    entry.add_if(last != i, "relu", "true");
    i = last + 1;
    return fmt::format("{}: {{{}}}", op_info(n.op).name, entry.text());
  }

  void add_attributes(Entry& entry, const Node& n) const {
    const Attributes& a = n.attributes;
    const auto real = [](double value) { return fmt::format("{}", value); };
    switch (n.op) {
      case Op::kBatchNorm:
        entry.add_if(a.epsilon != Attributes().epsilon, "epsilon", real(a.epsilon));
        break;
      case Op::kClip:
        if (!a.deviation.empty()) {
          fail("a clip with a bound for each channel has no words in a network file");
        }
        entry.add_if(std::isfinite(a.low), "low", real(a.low));
        entry.add_if(std::isfinite(a.high), "high", real(a.high));
        break;
      case Op::kPadChannels:
        entry.add("before", fmt::format("{}", a.before));
        entry.add("after", fmt::format("{}", a.after));
        break;
      case Op::kSlice:
        entry.add_if(a.step_h != 1 || a.step_w != 1 || a.begin.empty(), "step",
                     pair(a.step_h, a.step_w));
        entry.add_if(!a.begin.empty(), "begin", list(a.begin));
        entry.add_if(!a.end.empty(), "end", list(a.end));
        break;
      case Op::kUpsample:
        entry.add("factor", pair(a.step_h, a.step_w));
        break;
      case Op::kNormalise:
        entry.add("mean", list(a.mean));
        entry.add("deviation", list(a.deviation));
        break;
      case Op::kPad:
        if (!std::isfinite(a.value)) fail("{}: a border of {} cannot be written", n.where, a.value);
        add_padding(entry, a, true);
        entry.add_if(a.value != 0.0, "value", real(a.value));
        entry.add_if(a.border != BorderMode::kValue, "border",
                     a.border == BorderMode::kEdge ? "edge" : "reflect");
        break;
      case Op::kRearrange:
        entry.add_if(!a.view.empty(), "view", list(a.view));
        entry.add_if(!a.order.empty(), "order", list(a.order));
        entry.add("shape", list(a.shape));
        break;
      case Op::kQuantise:
        add_quantiser(entry, *a.quantiser);
        break;
      default:
        break;
    }
  }

  std::string simple(std::size_t& i) {
    const Node& n = node(i);
    std::size_t last = i;
    if (n.op == Op::kBatchNorm && follows(i + 1, Op::kRelu)) ++last;
    Entry entry;
    add_name(entry, i, last);
    add_source(entry, i);
    add_attributes(entry, n);
    entry.add_if(last != i, "relu", "true");
    i = last + 1;
    return fmt::format("{}: {{{}}}", op_info(n.op).name, entry.text());
  }

  /// The entry that begins with node `i`, which is set behind its last one.
  std::string entry(std::size_t& i) {
    const Node& n = node(i);
    if (n.op == Op::kGiven) fail("{}: a map that nothing makes cannot be written", n.where);
    if (n.attributes.relu && n.op != Op::kConv && n.op != Op::kLinear) {
      fail("node {}: a ReLU within it cannot be written", i);
    }
    if (n.op == Op::kConv || n.op == Op::kLinear) return layer(i);
    if (n.op == Op::kMaxPool || n.op == Op::kAveragePool) return pool(i);
    if (n.inputs.size() > 1) return join(i);
    return simple(i);
  }

  const Graph& graph_;
  std::vector<int> uses_;
  std::vector<std::string> names_;
  /// What a node's output is called in the file: an entry of several nodes has the first one's
  /// name.
  std::map<std::size_t, std::string> labels_;
};

}  // namespace

std::string network_yaml(const Network& network) {
  const Graph& graph = network.graph;
  std::string text = fmt::format("name: {}\n", word(network.name));
  if (!network.description.empty()) {
    std::string description;
    for (const char c : printable(network.description)) {
      if (c == '"' || c == '\\') description += '\\';
      description += c;
    }
    text += fmt::format("description: \"{}\"\n", description);
  }
  text += fmt::format("input: [{}, {}, {}]\n", graph.input.channels, graph.input.height,
                      graph.input.width);
  if (graph.signed_input) text += "input_signed: true\n";
  if (graph.first_class != 0) text += fmt::format("first_class: {}\n", graph.first_class);
  if (!network.tensor_names.empty()) {
    text += "tensors:\n";
    for (const auto& [node, name] : network.tensor_names) {
      text += fmt::format("  {}: {}\n", word(node), word(name));
    }
  }
  if (!network.weights_file.empty()) {
    text += fmt::format("weights: {{file: {}, sha256: {}}}\n",
                        word(network.weights_file.filename().string()), network.weights_hash);
  }
  return text + "layers:\n" + Writer(graph).text();
}

}  // namespace bittern
