#include "host/network/passes/relu_behind_pool.h"

#include <utility>

namespace bittern {

Graph relu_behind_pool(const Graph& graph) {
  Graph moved = graph;
  const std::vector<int> uses = use_counts(graph);
  // In order, so that a ReLU passes all of several poolings.
  for (std::size_t i = 0; i < moved.nodes.size(); ++i) {
    Node& pool = moved.nodes[i];
    if (pool.op != Op::kMaxPool || pool.inputs[0] == kImage) continue;
    const auto before = static_cast<std::size_t>(pool.inputs[0]);
    Node& relu = moved.nodes[before];
    if (relu.op != Op::kRelu || uses[before] != 1) continue;
    // They change places: the pooling stands where the ReLU stood.
    pool.inputs = relu.inputs;
    relu.inputs = {static_cast<int>(before)};
    relu.shape = pool.shape;
    std::swap(pool, relu);
  }
  return moved;
}

}  // namespace bittern
