#include "host/integer/scheme.h"

#include "host/base/error.h"
#include "host/network/passes/ranges.h"

namespace bittern {
namespace {

/// Works out where codes are made, from the end of the graph to its beginning: where a map goes
/// decides its form.
class Designer {
 public:
  explicit Designer(const Graph& graph)
      : graph_(graph), uses_(use_counts(graph)), ranges_(mark_ranges(graph)) {
    const std::size_t nodes = graph.nodes.size();
    layer_of_.assign(nodes, -1);
    user_.assign(nodes, -1);
    const std::vector<int> places = layer_nodes(graph);
    for (std::size_t i = 0; i < places.size(); ++i) {
      layer_of_[static_cast<std::size_t>(places[i])] = static_cast<int>(i);
    }
    for (std::size_t i = 0; i < nodes; ++i) {
      for (const int source : graph.nodes[i].inputs) {
        if (source != kImage) user_[static_cast<std::size_t>(source)] = static_cast<int>(i);
      }
    }
  }

  QuantisationScheme design() {
    scheme_.points.push_back({});
    const std::vector<Layer> all = layers(graph_);
    for (std::size_t i = 0; i < all.size(); ++i) {
      scheme_.point_of_layer.push_back(static_cast<int>(scheme_.points.size()));
      scheme_.points.push_back({CodePoint::Kind::kLayer, i, all[i].signed_input});
    }
    scheme_.point_of_node.assign(graph_.nodes.size(), QuantisationScheme::kSums);
    for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      if (node.op == Op::kGiven) fail_usage("{}: nothing says what this map is", node.where);
      if (!computes_on_codes(node.op)) scheme_.point_of_node[i] = point_of_new_values(i);
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      if (computes_on_codes(node.op)) {
        scheme_.point_of_node[i] = scheme_.point_of(node.inputs[0]);
      }
    }
    return scheme_;
  }

 private:
  int point_of_new_values(std::size_t node) {
    const std::size_t end = chain_end(node);
    const int user = uses_[end] == 1 ? user_[end] : -1;
    if (user >= 0) {
      const int layer = layer_of_[static_cast<std::size_t>(user)];
      if (layer >= 0) return scheme_.point_of_layer[static_cast<std::size_t>(layer)];
      const Op op = graph_.nodes[static_cast<std::size_t>(user)].op;
      if (op == Op::kConcat) return scheme_.point_of_node[static_cast<std::size_t>(user)];
    }
    if (answers(node, end)) return QuantisationScheme::kSums;
    scheme_.points.push_back({CodePoint::Kind::kStored, end, ranges_[end].low < 0});
    return static_cast<int>(scheme_.points.size()) - 1;
  }

  /// The last of the operations on codes that alone take, one after the other, what a node gives.
  std::size_t chain_end(std::size_t node) const {
    while (uses_[node] == 1 && user_[node] >= 0 &&
           computes_on_codes(graph_.nodes[static_cast<std::size_t>(user_[node])].op)) {
      node = static_cast<std::size_t>(user_[node]);
    }
    return node;
  }

  /// Whether a node's sums, unchanged on the way to `end`, are the network's answer and nothing
  /// else.
  bool answers(std::size_t node, std::size_t end) const {
    const Op op = graph_.nodes[node].op;
    if (op != Op::kConv && op != Op::kLinear && op != Op::kAveragePool) return false;
    if (graph_.output != static_cast<int>(end) || uses_[end] != 1) return false;
    for (std::size_t i = node; i != end; i = static_cast<std::size_t>(user_[i])) {
      if (graph_.nodes[static_cast<std::size_t>(user_[i])].op != Op::kFlatten) return false;
    }
    return !graph_.nodes[node].attributes.relu && !graph_.nodes[end].attributes.relu;
  }

  const Graph& graph_;
  const std::vector<int> uses_;
  const std::vector<Range> ranges_;
  std::vector<int> layer_of_;  ///< of each node, or -1
  std::vector<int> user_;      ///< of each node: one that takes its output, or -1
  QuantisationScheme scheme_;
};

}  // namespace

std::vector<std::size_t> QuantisationScheme::stored() const {
  std::vector<std::size_t> nodes;
  for (const CodePoint& point : points) {
    if (point.kind == CodePoint::Kind::kStored) nodes.push_back(point.place);
  }
  return nodes;
}

bool computes_on_codes(Op op) {
  switch (op) {
    case Op::kRelu:
    case Op::kClip:
    case Op::kMaxPool:
    case Op::kFlatten:
    case Op::kPadChannels:
    case Op::kSlice:
    case Op::kUpsample:
    case Op::kPad:
    case Op::kRearrange:
      return true;
    case Op::kConv:
    case Op::kLinear:
    case Op::kBatchNorm:
    case Op::kAveragePool:
    case Op::kAdd:
    case Op::kConcat:
    case Op::kNormalise:
    case Op::kQuantise:
    case Op::kGiven:
      break;
  }
  return false;
}

QuantisationScheme quantisation_scheme(const Graph& graph) { return Designer(graph).design(); }

}  // namespace bittern
