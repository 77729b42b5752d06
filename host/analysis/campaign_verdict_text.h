#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/analysis/campaign_analysis.h"

namespace bittern {

/// What the plain sentence on one problem, or on several together, is made of.
struct VerdictFacts {
  std::string problem;
  std::size_t problems = 1;
  Judge judge = Judge::kSearch;
  std::string reference;  ///< method that learners are compared with; empty: there is none
  /// The reference is there only because the results lack the one that was to be beaten.
  bool stand_in = false;
  struct Method {
    std::string name;
    MeanInterval score;        ///< percent, over seeds
    double evaluations = 0.0;  ///< mean
  };
  std::vector<Method> methods;        ///< but exhaustive ones
  std::vector<std::string> learners;  ///< those of them that are reinforcement learning
  std::vector<PairRow> pairs;         ///< of learners and the reference
};

/// "P: X reached Y % (...) with Z evaluations; RL (haq) did not beat sensitivity + knapsack at
/// equal budget (difference D points, 95 % interval ...)". Nothing is claimed whose interval holds
/// 0, nor from a single seed.
std::string verdict_text(const VerdictFacts& facts);

/// What a method is called in sentences: "sensitivity + knapsack" where its name says less.
std::string method_title(const std::string& method);

}  // namespace bittern
