#include "host/network/passes/ranges.h"

#include <algorithm>

namespace bittern {

Range image_range(const Graph& graph) {
  if (graph.signed_input) return {};
  return {0.0, 1.0};
}

std::vector<Range> mark_ranges(const Graph& graph) {
  std::vector<Range> ranges;
  for (const Node& node : graph.nodes) {
    std::vector<Range> inputs;
    for (const int source : node.inputs) {
      inputs.push_back(source == kImage ? image_range(graph)
                                        : ranges[static_cast<std::size_t>(source)]);
    }
    Range range = op_info(node.op).range(node, inputs);
    if (node.attributes.relu) range = {std::max(range.low, 0.0), std::max(range.high, 0.0)};
    ranges.push_back(range);
  }
  return ranges;
}

}  // namespace bittern
