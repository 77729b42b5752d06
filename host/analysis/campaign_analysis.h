#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/analysis/additive_fit.h"
#include "host/analysis/campaign_data.h"
#include "host/analysis/statistics.h"

namespace bittern {

/// A method on a problem, over its seeds. Accuracies are in percent, differences in points.
struct MethodRow {
  std::string problem;
  std::string method;
  bool reinforcement = false;
  bool exhaustive = false;
  std::size_t seeds = 0;
  std::optional<int> budget;  ///< evaluations it was given; nothing where seeds differ
  MeanInterval evaluations;   ///< that it made
  MeanInterval score;         ///< Judge
  std::optional<MeanInterval> test;
  MeanInterval used;  ///< share of the tightest limit that the found policy takes, 0 to 1
  /// Below the true optimum, as the search sees accuracies, where an exhaustive search of the same
  /// problem and seed went through everything.
  std::optional<MeanInterval> regret;
  /// Score less that of the best uniform policy within the limits (by validation), seed by seed.
  std::optional<MeanInterval> against_uniform;
};

/// A method less another one, seed by seed, on one problem, or averaged over several.
struct PairRow {
  std::string problem;  ///< "all N problems" for the average
  std::string method;
  std::string against;
  bool reinforcement = false;  ///< `method` is
  MeanInterval difference;     ///< of scores, points; n is the number of paired seeds
  std::optional<int> budget;   ///< of both; nothing where they differ
  /// "better", "worse", "no difference is shown", or why nothing can be said: too few seeds, or
  /// seeds that all gave one and the same difference, so that they show no uncertainty.
  std::string verdict() const;
};

/// How far a sum over layers explains the accuracies of a network, from all policies that all
/// methods tried with a seed.
struct AdditiveRow {
  std::string network;
  std::uint64_t seed = 0;
  AdditiveFit fit;
};

/// How many evaluations a method takes to a quality.
struct QualityRow {
  std::string problem;
  std::string method;
  double below = 0.0;  ///< points below the best accuracy that is known of the problem and seed
  std::size_t seeds = 0;
  std::size_t reached = 0;       ///< seeds that got so far
  std::optional<double> median;  ///< evaluations; nothing where half of the seeds did not
};

/// What directories of results show.
struct CampaignAnalysis {
  Judge judge = Judge::kSearch;
  std::string reference;  ///< the method that others are compared with; empty: there is none
  bool stand_in = false;  ///< nobody asked for that one: sensitivity is not among the cells
  std::vector<MethodRow> methods;
  std::vector<PairRow> pairs;
  std::vector<AdditiveRow> additive;
  std::vector<QualityRow> quality;
  /// The plain sentences: over all problems first where there are several, then of each.
  std::vector<std::string> verdicts;
};

/// Points below the best known accuracy for which evaluations are counted.
std::vector<double> quality_levels();

/// Highest accuracy within the limits that is known of a problem and seed, as searches see it: the
/// true optimum where an exhaustive search ended, else the best that any method found.
struct BestKnown {
  double accuracy = 0.0;  ///< percent
  bool optimum = false;
};
std::optional<BestKnown> best_known(const AnalysedCampaigns& campaigns, const std::string& problem,
                                    std::uint64_t seed);

/// `against`: the method that others are compared with; empty: sensitivity (which ends in a
/// knapsack) where there is one, else random, else none. Throws Error (exit status 2) naming the
/// methods when there is no such method.
CampaignAnalysis analyse(const AnalysedCampaigns& campaigns, const std::string& against = "");

}  // namespace bittern
