#include "host/network/graph.h"

#include <fmt/format.h>

#include <optional>

#include "host/base/error.h"
#include "host/network/ops.h"
#include "host/network/passes/ranges.h"

namespace bittern {
namespace {

bool is_layer(const Node& node) { return node.op == Op::kConv || node.op == Op::kLinear; }

/// The text of a chain as it was when chains were all that could be computed: keys of trained
/// weights and of accuracies are made of it. Nothing where the graph is anything else.
std::optional<std::string> chain_key(const Graph& graph) {
  std::string text;
  int layer = kImage;
  bool relu_fits = false;  // the node before is a layer
  std::string pools;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const Attributes& a = node.attributes;
    if (node.inputs != std::vector<int>{static_cast<int>(i) - 1}) return std::nullopt;
    if (is_layer(node)) {
      if (!a.bias) return std::nullopt;
      text += fmt::format("from {}{}", layer, pools);
      pools.clear();
      ++layer;
      const bool relu = i + 1 < graph.nodes.size() && graph.nodes[i + 1].op == Op::kRelu;
      text += relu ? " relu; " : "; ";
      relu_fits = true;
      continue;
    }
    if (node.op == Op::kMaxPool && !a.ceil) {
      pools += " pool " + window_text(a);
    } else if (!(node.op == Op::kRelu && relu_fits) && node.op != Op::kFlatten) {
      return std::nullopt;
    }
    relu_fits = false;
  }
  if (graph.output + 1 != static_cast<int>(graph.nodes.size())) return std::nullopt;
  if (graph.first_class != 0) return std::nullopt;
  return text + fmt::format("from {}{}", layer, pools);
}

}  // namespace

const Shape& Graph::shape_of(int source) const {
  return source == kImage ? input : nodes.at(static_cast<std::size_t>(source)).shape;
}

int add_node(Graph& graph, Node node) {
  const OpInfo& info = op_info(node.op);
  const auto count = static_cast<int>(node.inputs.size());
  const int index = static_cast<int>(graph.nodes.size());
  if (count < info.least_inputs || count > info.most_inputs) {
    fail_usage("{} takes {} to {} inputs, got {}", info.name, info.least_inputs, info.most_inputs,
               count);
  }
  std::vector<Shape> shapes;
  for (const int source : node.inputs) {
    if (source < kImage || source >= index)
      fail("{}: input {} is no earlier node", info.name, source);
    shapes.push_back(graph.shape_of(source));
  }
  node.shape = info.shape(node, shapes);
  graph.nodes.push_back(std::move(node));
  graph.output = index;
  return index;
}

std::vector<int> layer_nodes(const Graph& graph) {
  std::vector<int> found;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (is_layer(graph.nodes[i])) found.push_back(static_cast<int>(i));
  }
  return found;
}

std::vector<Layer> layers(const Graph& graph) {
  const std::vector<Range> ranges = mark_ranges(graph);
  const Range image = image_range(graph);
  std::vector<Layer> found;
  for (const int index : layer_nodes(graph)) {
    const Node& node = graph.nodes[static_cast<std::size_t>(index)];
    const int source = node.inputs[0];
    found.push_back(layer_of(node, graph.shape_of(source)));
    const Range& range = source == kImage ? image : ranges[static_cast<std::size_t>(source)];
    found.back().signed_input = range.low < 0;
  }
  return found;
}

int classes_of(const Graph& graph) {
  return graph.shape_of(graph.output).channels - graph.first_class;
}

std::vector<bool> nodes_in_use(const Graph& graph) {
  std::vector<bool> used(graph.nodes.size(), false);
  if (graph.output != kImage) used[static_cast<std::size_t>(graph.output)] = true;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    if (!used[i]) continue;
    for (const int source : graph.nodes[i].inputs) {
      if (source != kImage) used[static_cast<std::size_t>(source)] = true;
    }
  }
  return used;
}

std::vector<int> use_counts(const Graph& graph) {
  std::vector<int> counts(graph.nodes.size(), 0);
  for (const Node& node : graph.nodes) {
    for (const int source : node.inputs) {
      if (source != kImage) ++counts[static_cast<std::size_t>(source)];
    }
  }
  if (graph.output != kImage) ++counts[static_cast<std::size_t>(graph.output)];
  return counts;
}

Graph without_nodes(const Graph& graph, const std::vector<bool>& removed) {
  Graph less;
  less.input = graph.input;
  less.signed_input = graph.signed_input;
  less.first_class = graph.first_class;
  std::vector<int> moved(graph.nodes.size(), kImage);
  const auto place = [&moved](int source) {
    return source == kImage ? kImage : moved[static_cast<std::size_t>(source)];
  };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node node = graph.nodes[i];
    for (int& source : node.inputs) source = place(source);
    if (removed[i]) {
      moved[i] = node.inputs[0];
    } else {
      moved[i] = static_cast<int>(less.nodes.size());
      less.nodes.push_back(std::move(node));
    }
  }
  less.output = place(graph.output);
  return less;
}

std::string graph_key(const Graph& graph) {
  if (const auto chain = chain_key(graph)) return *chain;
  std::string text = fmt::format("graph-1 {}x{}x{}{}; ", graph.input.channels, graph.input.height,
                                 graph.input.width, graph.signed_input ? " signed" : "");
  for (const Node& node : graph.nodes) {
    const OpInfo& info = op_info(node.op);
    text += info.name;
    for (const int source : node.inputs) text += fmt::format(" {}", source);
    text += " " + info.text(node);
    if (!info.tensors.empty()) text += " = " + node.name;
    text += "; ";
  }
  text += fmt::format("answer {}", graph.output);
  if (graph.first_class != 0) text += fmt::format(" first class {}", graph.first_class);
  return text;
}

}  // namespace bittern
