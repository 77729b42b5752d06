#include "host/network/quantisation.h"

#include <algorithm>
#include <cmath>

#include "host/base/error.h"

namespace bittern {
namespace {

/// Whether a number is the value of a code, or no bound at all.
bool has_code(const Quantiser& quantiser, double value) {
  if (std::isinf(value)) return true;
  const auto single = static_cast<float>(value);
  return quantiser.scale.size() == 1 && quantiser.quantise(single, 0) == single;
}

/// Whether every output value of a node is one of its input's, or zero.
bool only_moves(const Node& node) {
  switch (node.op) {
    case Op::kMaxPool:
    case Op::kFlatten:
    case Op::kSlice:
    case Op::kRearrange:
    case Op::kUpsample:
    case Op::kRelu:
    case Op::kPadChannels:
      return true;
    case Op::kPad:
      return node.attributes.value == 0.0;
    default:
      return false;
  }
}

/// The quantiser whose values a node's input has.
const Quantiser* quantiser_before(const Graph& graph, int source) {
  bool flat = false;
  std::vector<double> bounds;
  while (source != kImage) {
    const Node& node = graph.nodes[static_cast<std::size_t>(source)];
    if (node.op == Op::kQuantise) {
      const Quantiser* found = &*node.attributes.quantiser;
      // Behind a flatten channels are others.
      const bool one = found->scale.size() == 1 && found->zero_point.size() == 1;
      if (flat && !one) return nullptr;
      const auto coded = [found](double bound) { return has_code(*found, bound); };
      return std::all_of(bounds.begin(), bounds.end(), coded) ? found : nullptr;
    }
    if (node.op == Op::kClip) {
      bounds.insert(bounds.end(), {node.attributes.low, node.attributes.high});
      source = node.inputs[0];
      continue;
    }
    if (!only_moves(node)) return nullptr;
    if (node.op != Op::kMaxPool && node.op != Op::kRelu) flat = true;
    source = node.inputs[0];
  }
  return nullptr;
}

}  // namespace

std::vector<std::optional<LayerQuantisation>> layer_quantisation(const Graph& graph) {
  std::vector<std::optional<LayerQuantisation>> found;
  for (const int index : layer_nodes(graph)) {
    const Node& node = graph.nodes[static_cast<std::size_t>(index)];
    const Quantiser* const input = quantiser_before(graph, node.inputs[0]);
    if (node.attributes.quantiser && input != nullptr) {
      found.push_back(LayerQuantisation{*node.attributes.quantiser, *input});
    } else {
      found.emplace_back();
    }
  }
  return found;
}

bool has_quantisers(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const Node& node) { return node.attributes.quantiser.has_value(); });
}

Policy stated_policy(const Graph& graph, int most_bits) {
  Policy policy;
  const std::vector<int> nodes = layer_nodes(graph);
  const auto quantisation = layer_quantisation(graph);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = graph.nodes[static_cast<std::size_t>(nodes[i])];
    if (!quantisation[i]) {
      fail_usage(
          "{}: layer {} has no quantiser of its {}: its bits are not stated; give --wbits "
          "and --abits, or --policy",
          node.where, node.name, node.attributes.quantiser ? "input" : "weights");
    }
    const BitPair bits{quantisation[i]->weight.bits, quantisation[i]->input.bits};
    if (bits.weight > most_bits || bits.activation > most_bits) {
      fail_usage(
          "{}: layer {} has {} weight bits and {} activation bits, expected at most {}: "
          "give --wbits and --abits, or --policy",
          node.where, node.name, bits.weight, bits.activation, most_bits);
    }
    policy.push_back(bits);
  }
  return policy;
}

}  // namespace bittern
