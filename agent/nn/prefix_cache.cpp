#include "agent/nn/prefix_cache.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "host/network/ops.h"

namespace bittern {
namespace {

std::size_t bytes_of(const Values& values) {
  std::size_t bytes = 0;
  for (const torch::Tensor& node : values.nodes) {
    if (node.defined()) bytes += node.nbytes();
  }
  return bytes;
}

}  // namespace

std::shared_ptr<const PrefixValues> PrefixCache::find(std::size_t cut, const std::string& key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = entries_.find({cut, key});
  if (found == entries_.end()) return nullptr;
  uses_.splice(uses_.end(), uses_, found->second.use);
  return found->second.values;
}

void PrefixCache::insert(std::size_t cut, const std::string& key, PrefixValues values) {
  std::size_t bytes = 0;
  for (const Values& piece : values) bytes += bytes_of(piece);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (bytes > most_bytes_ || entries_.count({cut, key}) > 0) return;
  while (bytes_ + bytes > most_bytes_) {
    const auto oldest = entries_.find(uses_.front());
    bytes_ -= oldest->second.bytes;
    entries_.erase(oldest);
    uses_.pop_front();
  }
  uses_.push_back({cut, key});
  entries_[{cut, key}] = {std::make_shared<const PrefixValues>(std::move(values)), bytes,
                          std::prev(uses_.end())};
  bytes_ += bytes;
}

std::size_t PrefixCache::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return bytes_;
}

std::vector<PrefixCut> prefix_cuts(const Graph& graph, int count) {
  const std::vector<Layer> all = layers(graph);
  const std::vector<int> places = layer_nodes(graph);
  double total = 0.0;
  for (const Layer& layer : all) total += static_cast<double>(layer.macs());

  // The furthest node that takes each map, the image's first.
  std::vector<std::size_t> last_use(graph.nodes.size() + 1, 0);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const int source : graph.nodes[i].inputs) {
      last_use[static_cast<std::size_t>(source) + 1] = i;
    }
  }
  std::vector<PrefixCut> possible;
  PrefixCut cut;
  double work = 0.0;
  for (std::size_t node = 1; node < graph.nodes.size(); ++node) {
    if (cut.layers < places.size() && static_cast<std::size_t>(places[cut.layers]) == node - 1) {
      work += static_cast<double>(all[cut.layers].macs());
      ++cut.layers;
    }
    int alive = 0;
    for (std::size_t map = 0; map <= node; ++map) {
      if (last_use[map] < node) continue;
      ++alive;
      const Shape& shape = graph.shape_of(static_cast<int>(map) - 1);
      cut.bytes = static_cast<std::size_t>(shape.elements()) * sizeof(float);
    }
    if (alive != 1 || last_use[0] >= node || cut.layers == 0 || cut.layers == places.size())
      continue;
    cut.node = node;
    cut.work = work / total;
    possible.push_back(cut);
  }
  std::vector<PrefixCut> chosen;
  for (int i = 1; i <= count && !possible.empty(); ++i) {
    const double wanted = static_cast<double>(i) / (count + 1);
    // Of equal work the smallest map: behind a pooling rather than before it.
    const auto better = [&](const PrefixCut& a, const PrefixCut& b) {
      const double far_a = std::abs(a.work - wanted);
      const double far_b = std::abs(b.work - wanted);
      return far_a != far_b ? far_a < far_b : a.node > b.node;
    };
    const PrefixCut best = *std::min_element(possible.begin(), possible.end(), better);
    if (chosen.empty() || chosen.back().node < best.node) chosen.push_back(best);
  }
  return chosen;
}

}  // namespace bittern
