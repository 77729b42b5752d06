#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <tuple>

#include "agent/rl/methods.h"
#include "agent/rl/ppo/releq.h"
#include "host/base/yaml.h"
#include "host/search/driver.h"
#include "host/search/methods.h"
#include "tests/agent/rl/ppo/grids.h"
#include "tests/host/search/chain_problem.h"
#include "tests/host/search/grids.h"

namespace bittern {
namespace {

using nlohmann::json;
using testing::ReleqProblem;

class CompleteGrid : public ::testing::TestWithParam<std::tuple<std::size_t, QuantizationState>> {};

/// The acceptance test: on problems whose 625 policies can be gone through, the defaults find 95 %
/// of the best reward within 600 episodes, with at least four of five seeds.
TEST_P(CompleteGrid, IsSolvedNearlyToItsOptimum) {
  ReleqProblem problem(testing::releq_grids()[std::get<0>(GetParam())]);
  ReleqOptions options;
  options.environment.quantization = std::get<1>(GetParam());
  const double best = problem.rewards(options).front();
  ASSERT_GT(best, 0.0);
  int good = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SearchOptions search;
    search.bits = problem.bits();
    SearchContext context;
    context.network = &problem.cost().network();
    context.cost = &problem.cost();
    context.evaluator = &problem.evaluator();
    context.seed = seed;
    context.budget = 600;
    std::atomic<bool> stop{false};
    context.stop = &stop;
    double found = -1.0;
    context.on_episode = [&](const json& line) {
      found = std::max(found, line["releq_reward"].get<double>());
      stop = found >= 0.95 * best;
    };
    run_search(context, search, configure_releq(options));
    EXPECT_LE(found, best + 1e-12) << "the optimum is none";
    good += found >= 0.95 * best;
  }
  EXPECT_GE(good, 4);
}

INSTANTIATE_TEST_SUITE_P(
    Grids, CompleteGrid,
    ::testing::Combine(::testing::Range(std::size_t{0}, testing::releq_grids().size()),
                       ::testing::Values(QuantizationState::kMean, QuantizationState::kHardware)));

/// Not what is found, but what is learnt: without giving up walks, the policy itself ends near the
/// optimum, and knows what it wants. A single run may settle too early, and which one depends on
/// how a processor rounds.
TEST(ReleqAgent, EndsWithAPolicyThatEarnsNearlyTheBestReward) {
  ReleqProblem problem(testing::separable());
  ReleqOptions options;
  options.redraw = 0;
  options.environment.quantization = QuantizationState::kMean;
  const double best = problem.rewards(options).front();
  SearchOptions search;
  search.bits = problem.bits();
  SearchContext context;
  context.network = &problem.cost().network();
  context.cost = &problem.cost();
  context.evaluator = &problem.evaluator();
  context.budget = 600;
  constexpr int kSeeds = 5;
  int near_best = 0;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    context.seed = static_cast<std::uint64_t>(seed);
    json first;
    json last;
    context.on_episode = [&](const json& line) {
      if (line["episode"] == 19) first = line;
      last = line;
    };
    run_search(context, search, configure_releq(options));
    EXPECT_LT(first["moving"]["reward"], 0.8 * best);
    EXPECT_GT(first["entropy"], 1.4) << "five widths, nothing known: log 5 = 1.61";
    EXPECT_GT(last["moving"]["reward"], 0.7 * best);
    EXPECT_LT(last["entropy"], 0.8);
    near_best += last["moving"]["reward"] > 0.9 * best ? 1 : 0;
    RecordProperty("seed_" + std::to_string(seed),
                   std::to_string(last["moving"]["reward"].get<double>() / best));
  }
  EXPECT_GE(near_best, kSeeds - 1);
}

/// Behind a wall the cost is settled. An agent that is still paid for saving goes below the limit,
/// and finds less than random bits do (`search_quality ... releq` says by how much).
TEST(ReleqAgent, FindsMoreBehindTheWallThanRandomBits) {
  testing::ChainProblem problem(8, 1.0, 3);
  const std::vector<MethodKind> methods = all_methods();
  const auto mean_found = [&](const char* name, const char* keys) {
    const MethodKind* kind = find_method(methods, name);
    SearchOptions search;
    search.bits.pin_first_last = false;
    SearchContext context;
    context.network = &problem.cost().network();
    context.cost = &problem.cost();
    context.evaluator = &problem.evaluator();
    context.constraints = {{Resource::kLatency, true, 0.5}};
    context.budget = 200;
    double mean = 0.0;
    for (int seed = 1; seed <= 3; ++seed) {
      context.seed = static_cast<std::uint64_t>(seed);
      const ConfiguredMethod method =
          kind->configure(YamlMap(YamlNode::parse(keys, "test"), kind->keys));
      mean += run_search(context, search, method).ranked.front().accuracy.top1 / 3;
    }
    return mean;
  };
  const double random = mean_found("random", "{}");
  EXPECT_GT(mean_found("releq", "{wall_actions: true}"), random + 0.5);
  EXPECT_LT(mean_found("releq", "{wall_actions: true, reward: paper, uniform_first: false}"),
            random);
}

/// Every pair of layers interacts here, and the agent settles before it has seen enough of them.
TEST(ReleqAgent, FindsMoreWhereItReturnsToItsBestPolicy) {
  const std::vector<testing::Grid> grids = testing::grids();
  const auto eight = std::find_if(grids.begin(), grids.end(),
                                  [](const testing::Grid& grid) { return grid.name == "eight"; });
  ASSERT_NE(eight, grids.end());
  testing::GridProblem problem(*eight);
  testing::FunctionEvaluator evaluator(eight->baseline, eight->accuracy);
  const double best = problem.best();
  const MethodKind kind = releq_method();
  const auto missing = [&](const char* keys, std::uint64_t seed) {
    SearchContext context = problem.context(300, seed);
    context.evaluator = &evaluator;
    const ConfiguredMethod method =
        kind.configure(YamlMap(YamlNode::parse(keys, "test"), kind.keys));
    return best - run_search(context, problem.options(), method).ranked.front().accuracy.top1;
  };
  double without = 0.0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    EXPECT_LT(missing("{wall_actions: true}", seed), 0.01) << seed;
    without += missing("{wall_actions: true, revisit: 0}", seed) / 3;
  }
  EXPECT_GT(without, 0.2);
}

}  // namespace
}  // namespace bittern
