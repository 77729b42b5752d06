#pragma once

#include <algorithm>

#include "host/base/random.h"
#include "host/search/bit_space.h"
#include "host/search/cost_table.h"
#include "host/search/search.h"
#include "host/search/wall.h"

namespace bittern::testing {

/// What a search of a problem with a known optimum is measured by, at a latency limit: the share of
/// what the best policy gains over the mean of random ones behind the same wall.
struct Yardstick {
  /// Random search draws `episodes` policies, `repeats` times.
  template <typename Problem>
  Yardstick(Problem& problem, double ratio, int episodes, int repeats)
      : limit{Resource::kLatency, true, ratio} {
    search.bits.pin_first_last = false;
    const BitSpace space(search.bits, problem.cost().network());
    const CostTable table(problem.cost(), space);
    const Wall wall(table, space, {limit}, search.wall);
    best = problem.best_accuracy(ratio, space);
    Rng rng(1);
    for (int repeat = 0; repeat < repeats; ++repeat) {
      double luckiest = 0.0;
      for (int i = 0; i < episodes; ++i) {
        Policy policy(space.layers());
        for (BitPair& bits : policy) {
          bits = {static_cast<int>(rng.integer(2, 8)), static_cast<int>(rng.integer(2, 8))};
        }
        const double accuracy = problem.accuracy(wall.apply(policy).policy);
        mean += accuracy / (repeats * episodes);
        luckiest = std::max(luckiest, accuracy);
      }
      random += luckiest / repeats;
    }
  }

  double share(double accuracy) const { return (accuracy - mean) / (best - mean); }

  Constraint limit;
  SearchOptions search;  ///< of the searches that are measured
  double best = 0.0;
  double mean = 0.0;
  double random = 0.0;  ///< what random search finds
};

}  // namespace bittern::testing
