#include "host/network/passes/joined_layers.h"

#include <map>
#include <numeric>
#include <set>

namespace bittern {

std::vector<std::vector<std::size_t>> joined_layers(const Graph& graph, Op join) {
  const std::vector<int> nodes = layer_nodes(graph);
  std::map<int, std::size_t> place;
  for (std::size_t i = 0; i < nodes.size(); ++i) place[nodes[i]] = i;
  std::vector<std::size_t> group(nodes.size());
  std::iota(group.begin(), group.end(), std::size_t{0});
  // Of each node the layers whose outputs reach it without another layer between.
  std::vector<std::set<std::size_t>> behind(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto layer = place.find(static_cast<int>(i));
    if (layer != place.end()) {
      behind[i] = {layer->second};
      continue;
    }
    for (const int source : graph.nodes[i].inputs) {
      if (source == kImage) continue;
      const auto& more = behind[static_cast<std::size_t>(source)];
      behind[i].insert(more.begin(), more.end());
    }
    if (graph.nodes[i].op != join || behind[i].empty()) continue;
    std::set<std::size_t> merged;
    for (const std::size_t l : behind[i]) merged.insert(group[l]);
    for (std::size_t& of : group) {
      if (merged.count(of) > 0) of = *merged.begin();
    }
  }
  std::map<std::size_t, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < group.size(); ++i) groups[group[i]].push_back(i);
  std::vector<std::vector<std::size_t>> found;
  for (auto& [first, members] : groups) {
    if (members.size() > 1) found.push_back(std::move(members));
  }
  return found;
}

}  // namespace bittern
