#include "host/network/passes/fuse_relu.h"

namespace bittern {

Graph fuse_relu(const Graph& graph) {
  Graph fused = graph;
  const std::vector<int> uses = use_counts(graph);
  std::vector<bool> removed(graph.nodes.size(), false);
  for (std::size_t i = 0; i < fused.nodes.size(); ++i) {
    const Node& relu = fused.nodes[i];
    if (relu.op != Op::kRelu || relu.inputs[0] == kImage) continue;
    const auto before = static_cast<std::size_t>(relu.inputs[0]);
    if (uses[before] != 1) continue;
    // A ReLU that went into its own producer already does the same once more.
    if (!removed[before]) fused.nodes[before].attributes.relu = true;
    removed[i] = true;
  }
  return without_nodes(fused, removed);
}

}  // namespace bittern
