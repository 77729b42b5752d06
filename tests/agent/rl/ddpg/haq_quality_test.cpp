#include <gtest/gtest.h>

#include <algorithm>

#include "agent/rl/ddpg/haq.h"
#include "host/base/random.h"
#include "host/search/driver.h"
#include "host/search/wall.h"
#include "tests/host/search/chain_problem.h"
#include "tests/host/search/synthetic.h"

namespace bittern {
namespace {

using testing::SyntheticProblem;

/// Share of what the best policy gains over the mean of random ones behind the same wall.
template <typename Problem>
struct Yardstick {
  Yardstick(Problem& problem, double ratio, int episodes) {
    search.bits.pin_first_last = false;
    const Constraint limit{Resource::kLatency, true, ratio};
    const BitSpace space(search.bits, problem.cost().network());
    const CostTable table(problem.cost(), space);
    const Wall wall(table, space, {limit}, search.wall);
    best = problem.best_accuracy(ratio, space);
    Rng rng(1);
    constexpr int kRepeats = 5;
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
      double luckiest = 0.0;
      for (int i = 0; i < episodes; ++i) {
        Policy policy(space.layers());
        for (BitPair& bits : policy) {
          bits = {static_cast<int>(rng.integer(2, 8)), static_cast<int>(rng.integer(2, 8))};
        }
        const double accuracy = problem.accuracy(wall.apply(policy).policy);
        mean += accuracy / (kRepeats * episodes);
        luckiest = std::max(luckiest, accuracy);
      }
      random += luckiest / kRepeats;
    }
  }
  double share(double accuracy) const { return (accuracy - mean) / (best - mean); }

  SearchOptions search;
  double best = 0.0;
  double mean = 0.0;
  double random = 0.0;  ///< what random search finds
};

/// The shipped setting with a small network; the mean over `seeds` seeds.
template <typename Problem>
double found_share(Problem& problem, const Yardstick<Problem>& yardstick, double ratio,
                   int episodes, int seeds, HaqOptions options = HaqOptions()) {
  options.agent.hidden1 = 64;
  options.agent.hidden2 = 48;
  double sum = 0.0;
  for (int seed = 1; seed <= seeds; ++seed) {
    SearchContext context;
    context.network = &problem.cost().network();
    context.cost = &problem.cost();
    context.evaluator = &problem.evaluator();
    context.constraints = {{Resource::kLatency, true, ratio}};
    context.seed = static_cast<std::uint64_t>(seed);
    context.budget = episodes;
    const double found =
        run_search(context, yardstick.search, configure_haq(options)).ranked.front().accuracy.top1;
    EXPECT_LE(found, yardstick.best + 1e-9) << "the optimum is none";
    sum += yardstick.share(found) / seeds;
  }
  return sum;
}

class KnownProblem : public ::testing::TestWithParam<double> {};

/// Tight and loose limits alike, beside random search with as many policies. `search_quality` says
/// it for five seeds, and for other problems.
TEST_P(KnownProblem, IsSolvedNearlyToItsOptimum) {
  constexpr int kEpisodes = 600;
  SyntheticProblem problem;
  const Yardstick<SyntheticProblem> yardstick(problem, GetParam(), kEpisodes);
  const double share = found_share(problem, yardstick, GetParam(), kEpisodes, 1);
  EXPECT_GE(share, 0.95);
  EXPECT_GT(share, yardstick.share(yardstick.random));
}

INSTANTIATE_TEST_SUITE_P(Limits, KnownProblem, ::testing::Values(0.2, 0.3, 0.5, 0.7));

TEST(CoupledProblem, IsSolvedBetterThanByRandomSearch) {
  constexpr int kEpisodes = 250;
  testing::ChainProblem problem(8, 1.0, 3);
  const Yardstick<testing::ChainProblem> yardstick(problem, 0.3, kEpisodes);
  const double share = found_share(problem, yardstick, 0.3, kEpisodes, 1);
  EXPECT_GT(share, yardstick.share(yardstick.random));
}

TEST(FewEpisodes, AreEnoughWhereTheAgentReturnsToTheBestAndTheCriticChooses) {
  constexpr int kEpisodes = 200;
  constexpr int kSeeds = 5;
  SyntheticProblem problem;
  const Yardstick<SyntheticProblem> yardstick(problem, 0.3, kEpisodes);
  HaqOptions neither;
  neither.revisit = 0.0;
  neither.candidates = 1;
  HaqOptions returns = neither;
  returns.revisit = 0.5;
  HaqOptions both = returns;
  both.candidates = 16;
  const auto found = [&](const HaqOptions& options) {
    return found_share(problem, yardstick, 0.3, kEpisodes, kSeeds, options);
  };
  EXPECT_GT(found(returns), found(neither) + 0.01);
  EXPECT_GT(found(both), found(returns) + 0.01);
}

}  // namespace
}  // namespace bittern
