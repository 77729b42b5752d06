#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "agent/nn/model.h"

namespace bittern {

/// Values in front of a node for a data set, piece by piece as an Engine cuts it.
using PrefixValues = std::vector<Values>;

/// Keeps what the first nodes of a network gave for a data set, for networks that differ behind
/// them only: policies with equal bits in the first layers. The values that were not used for
/// longest go when there are more bytes than allowed. May be used by several threads.
class PrefixCache {
 public:
  /// `most_bytes` of all values together; 0: nothing is kept.
  explicit PrefixCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// The values in front of node `cut` of what `key` describes: all that decides them. Null where
  /// they are not kept.
  std::shared_ptr<const PrefixValues> find(std::size_t cut, const std::string& key);
  void insert(std::size_t cut, const std::string& key, PrefixValues values);
  std::size_t bytes() const;

 private:
  using Key = std::pair<std::size_t, std::string>;
  struct Entry {
    std::shared_ptr<const PrefixValues> values;
    std::size_t bytes = 0;
    std::list<Key>::iterator use;
  };

  mutable std::mutex mutex_;
  const std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::map<Key, Entry> entries_;
  std::list<Key> uses_;  ///< the last one was used last
};

/// Where a network is cut: a node at which a single map is all that the nodes behind need of those
/// before.
struct PrefixCut {
  std::size_t node = 0;    ///< first node behind the cut
  std::size_t layers = 0;  ///< layers before it
  double work = 0.0;       ///< share of the multiply-accumulates before it
  std::size_t bytes = 0;   ///< of that map, for one image
};

/// At most `count` cuts, at about equal distances of work; none at the ends.
std::vector<PrefixCut> prefix_cuts(const Graph& graph, int count);

/// What a score may take from others and leave for them.
struct SharedPrefixes {
  PrefixCache* cache = nullptr;
  /// Cuts in the order of the nodes, each with the key of what lies before it.
  std::vector<std::pair<std::size_t, std::string>> cuts;
};

}  // namespace bittern
