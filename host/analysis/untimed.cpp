#include "host/analysis/untimed.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/integer/sum_range.h"

namespace bittern {

std::vector<std::string> untimed_parts(const Network& network, const Variant& variant) {
  const auto has = [&network](std::initializer_list<Op> ops) {
    return std::any_of(network.graph.nodes.begin(), network.graph.nodes.end(),
                       [&ops](const Node& node) {
                         return std::find(ops.begin(), ops.end(), node.op) != ops.end();
                       });
  };
  const bool windows = std::any_of(network.layers.begin(), network.layers.end(),
                                   [](const Layer& l) { return l.kind != LayerKind::kLinear; });
  std::vector<std::string> parts;
  if (has({Op::kNormalise})) parts.emplace_back("normalising of the image");
  if (has({Op::kMaxPool, Op::kAveragePool})) parts.emplace_back("pooling");
  if (has({Op::kUpsample})) parts.emplace_back("upsampling");
  if (has({Op::kPad, Op::kRearrange})) parts.emplace_back("borders and rearranging of maps");
  const bool bipolar =
      std::any_of(network.graph.nodes.begin(), network.graph.nodes.end(), [](const Node& node) {
        return node.op != Op::kQuantise && node.attributes.quantiser &&
               node.attributes.quantiser->bipolar;
      });
  if (bipolar) {
    parts.emplace_back("the sums of activations that weights of -1 and +1 need besides");
  }
  if (has({Op::kAdd, Op::kConcat})) {
    parts.emplace_back("additions and concatenations where branches meet");
  }
  // A device that requantises clamps at 0 as well.
  parts.emplace_back(variant.lowering_choice("requantise", 0) != 0
                         ? "biases"
                         : "biases, ReLU and requantising of the 32-bit sums");
  parts.emplace_back(windows ? "the host's laying out of windows (im2col) and packing of operands"
                             : "the host's packing of operands");
  return parts;
}

std::string untimed_note(const std::vector<std::string>& parts) {
  return fmt::format("Not timed: {}.\n", fmt::join(parts, "; "));
}

std::string overflow_note(const std::vector<LayerReport>& layers) {
  constexpr std::size_t kMostNamed = 8;
  std::vector<std::string> names;
  std::size_t count = 0;
  for (const LayerReport& layer : layers) {
    if (layer.sum_bits <= kSumBits || ++count > kMostNamed) continue;
    names.push_back(fmt::format("{} ({}/{} bits: {})", layer.name, layer.run_bits.weight,
                                layer.run_bits.activation, layer.sum_bits));
  }
  if (names.empty()) return "";
  return fmt::format(
      "Sums can exceed 32 bits and wrap around in {}{}; behind the bits that ran, those that the "
      "largest sums need.\n",
      fmt::join(names, ", "),
      count > names.size() ? fmt::format(" and {} more layers", count - names.size()) : "");
}

}  // namespace bittern
