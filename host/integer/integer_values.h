#pragma once

#include <cstdint>
#include <vector>

namespace bittern {

/// Maps of one image on its way through a quantised network; empty where they are not computed
/// (yet) or no longer needed.
struct IntegerValues {
  /// Codes of each node's output, planes of rows.
  std::vector<std::vector<std::int16_t>> nodes;
  std::vector<std::int16_t> image;
  /// The sums that are the answer, where there are such.
  std::vector<std::int64_t> answer;
  /// Of a network that states its quantisers, in place of `nodes` and `answer`: codes and sums
  /// alike, planes of rows.
  std::vector<std::vector<std::int64_t>> stated;
};

}  // namespace bittern
