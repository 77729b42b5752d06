#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "host/base/error.h"
#include "host/base/temporary_folder.h"
#include "tests/host/search/baselines/runs.h"

namespace bittern {
namespace {

using nlohmann::json;
using testing::configured;
using testing::GridProblem;
using ::testing::HasSubstr;

/// What every baseline promises, for each of them.
class EveryBaseline : public ::testing::TestWithParam<std::string> {
 protected:
  std::vector<json> lines_of(GridProblem& problem, SearchContext context,
                             const std::function<void(const std::vector<json>&)>& after = nullptr) {
    std::vector<json> lines;
    context.on_resume = [&](int first, const json&) {
      lines = kept_;
      lines.resize(static_cast<std::size_t>(first));
    };
    context.on_episode = [&](const json& line) {
      lines.push_back(line);
      lines.back().erase("time");
      if (after) after(lines);
    };
    // Single losses where the grid says none: scores need not be good for what is promised here.
    testing::Grid grid = problem.grid();
    if (!grid.loss) {
      grid.loss = [](std::size_t layer, BitPair bits) {
        return static_cast<double>(layer + 1) * testing::decay(bits.weight, 2.0) +
               testing::decay(bits.activation, 2.0);
      };
    }
    testing::ScoringEvaluator evaluator(grid);
    evaluator.name = problem.evaluator().name;
    context.evaluator = &evaluator;
    result_ = run_search(context, problem.options(), configured(GetParam()));

    return lines;
  }

  SearchResult result_;
  std::vector<json> kept_;
};

TEST_P(EveryBaseline, ResumesAsIfNothingHadHappened) {
  for (const testing::Grid& grid : {testing::chain_grid(), testing::pairs_grid()}) {
    GridProblem problem(grid);
    TemporaryFolder folder;
    kept_.clear();
    problem.options().checkpoint_every = 10;
    const std::vector<json> whole = lines_of(problem, problem.context(60, 3));
    // Killed again and again, in between checkpoints and before the first one.
    for (const std::size_t lines : {1, 7, 24, 41}) {
      SearchContext part = problem.context(60, 3);
      part.checkpoint = folder / "state";
      part.resume = true;
      const auto kill = [&](const std::vector<json>& done) {
        if (done.size() < lines) return;
        kept_ = done;
        throw std::runtime_error("killed");
      };
      try {
        kept_ = lines_of(problem, part, kill);
      } catch (const std::runtime_error& error) {
        ASSERT_STREQ(error.what(), "killed");
      }
    }
    SearchContext rest = problem.context(60, 3);
    rest.checkpoint = folder / "state";
    rest.resume = true;
    EXPECT_EQ(lines_of(problem, rest), whole) << grid.name;
  }
}

TEST_P(EveryBaseline, AsksForNoPolicyTwiceAndFindsOneWithinTheLimits) {
  GridProblem problem(testing::two_limits_grid());
  std::set<json> policies;
  for (const json& line : lines_of(problem, problem.context(150, 1))) {
    EXPECT_TRUE(policies.insert(line.at("policy")).second) << line.at("policy");
  }
  ASSERT_FALSE(result_.ranked.empty());
  const BitSpace space(problem.options().bits, problem.grid().network);
  const CostTable table(problem.cost(), space);
  const Wall wall(table, space, problem.grid().constraints, {});
  for (const Candidate& candidate : result_.ranked) EXPECT_TRUE(wall.meets(candidate.policy));
}

TEST_P(EveryBaseline, LeavesPinsAndTiesAlone) {
  GridProblem problem(with_accuracy(testing::deep_grid(8, true, 0.5)));
  problem.options().bits.pin_first_last = true;
  problem.options().bits.ties = {{"l1", "l3"}, {"l2", "l5", "l6"}};
  problem.options().bits.layers = {{"l4", {4}, {2, 4}}};
  SearchContext context = problem.context(40, 1);
  context.constraints = {testing::at_most(Resource::kLatency, 0.8)};
  for (const json& line : lines_of(problem, context)) {
    const json& policy = line.at("policy");
    EXPECT_EQ(policy[0], json({8, 8}));
    EXPECT_EQ(policy[7], json({8, 8}));
    EXPECT_EQ(policy[1], policy[3]);
    EXPECT_EQ(policy[2], policy[5]);
    EXPECT_EQ(policy[2], policy[6]);
    EXPECT_EQ(policy[4][0], 4);
    EXPECT_THAT(policy[4][1].get<int>(), ::testing::AnyOf(2, 4));
  }
}

TEST_P(EveryBaseline, EndsWhenASmallSpaceHasNothingLeft) {
  testing::Grid grid = testing::chain_grid();
  grid.bits.weight_bits = {2, 4};
  GridProblem problem(grid);
  lines_of(problem, problem.context(1000, 1));
  EXPECT_TRUE(result_.exhausted);
  EXPECT_LE(result_.episodes, 32) << "no more than there are policies";
}

TEST_P(EveryBaseline, WorksWithoutLimits) {
  testing::Grid grid = testing::chain_grid();
  grid.constraints.clear();
  GridProblem problem(grid);
  lines_of(problem, problem.context(60, 1));
  ASSERT_FALSE(result_.ranked.empty());
  EXPECT_GE(result_.ranked.front().accuracy.top1, problem.best() - 1.0);
}

TEST_P(EveryBaseline, RefusesADamagedState) {
  GridProblem problem(testing::chain_grid());
  TemporaryFolder folder;
  problem.options().checkpoint_every = 8;  // a whole population of NSGA-II
  SearchContext part = problem.context(10, 1);
  part.checkpoint = folder / "state";
  lines_of(problem, part);
  Checkpoint checkpoint = read_checkpoint(part.checkpoint);
  checkpoint.state["measured"][0][0] = "0102zz0304";
  write_checkpoint(part.checkpoint, checkpoint);
  part.resume = true;
  EXPECT_THAT(message_of([&] { lines_of(problem, part); }),
              HasSubstr("\"0102zz0304\" is no choice of 5 slots"));
  checkpoint.state["measured"] = json::array({1});
  write_checkpoint(part.checkpoint, checkpoint);
  EXPECT_THAT(message_of([&] { lines_of(problem, part); }), HasSubstr("expected seven values"));
  checkpoint.state.erase("measured");
  write_checkpoint(part.checkpoint, checkpoint);
  EXPECT_THAT(message_of([&] { lines_of(problem, part); }), HasSubstr("damaged checkpoint"));
}

INSTANTIATE_TEST_SUITE_P(Methods, EveryBaseline,
                         ::testing::Values("uniform", "greedy_down", "greedy_up", "sensitivity",
                                           "fisher", "hessian", "annealing", "nsga2", "local"),
                         [](const auto& info) { return info.param; });

TEST(UniformTest, HasEveryWidthWithinTheLimitsAndSixFour) {
  testing::Grid grid = testing::pairs_grid();
  grid.bits.weight_bits = grid.bits.activation_bits = {2, 3, 4, 5, 6, 7, 8};
  grid.constraints = {testing::at_most(Resource::kLatency, 0.391)};
  GridProblem problem(grid);
  std::vector<json> first;
  SearchContext context = problem.context(100, 1);
  context.on_episode = [&](const json& line) { first.push_back(line.at("policy")[0]); };
  run_search(context, problem.options(), configured("uniform"));
  // 5/5 costs 25 of 64, 6/4 costs 24 of 64.
  EXPECT_EQ(json(first), json({{5, 5}, {4, 4}, {3, 3}, {2, 2}, {6, 4}}));
}

TEST(UniformTest, SaysWhenNoneIsWithinTheLimits) {
  testing::Grid grid = testing::chain_grid();
  grid.bits.layers = {{"l1", {3, 5}, {}}, {"l2", {2, 4}, {}}};
  GridProblem problem(grid);
  EXPECT_THAT(message_of([&] { run(problem, 10, 1, "uniform"); }),
              HasSubstr("of the 0 uniform policies of network chain_grid none is"));
}

/// A table of everything, 300 evaluations, three seeds each: the best of all policies.
class FindsTheBest : public ::testing::TestWithParam<std::string> {};

TEST_P(FindsTheBest, OfSmallGridsInThreeHundredEvaluations) {
  for (const testing::Grid& grid : {testing::lenet_grid(0.4), testing::chain_grid(),
                                    testing::bumpy_grid(), testing::two_limits_grid()}) {
    GridProblem problem(grid);
    const double best = problem.best();
    for (const std::uint64_t seed : {1, 2, 3}) {
      EXPECT_DOUBLE_EQ(run(problem, 300, seed, GetParam()).best(), best)
          << grid.name << " seed " << seed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, FindsTheBest, ::testing::Values("annealing", "nsga2", "local"),
                         [](const auto& info) { return info.param; });

/// Where the accuracy is a function of a sum over layers, greedy steps are near the best.
TEST(GreedyTest, LosesLittleWhereLayersDoNotInteract) {
  GridProblem problem(with_accuracy(testing::deep_grid(10, false, 0.0)));
  const double best = problem.best();
  const double uniform = run(problem, 10, 1, "uniform").best();
  for (const char* name : {"greedy_down", "greedy_up"}) {
    const double found = run(problem, 300, 1, name).best();
    EXPECT_GE(found, best - 0.1 * (best - uniform)) << name;
  }
}

TEST(GreedyTest, GoesByTheLossWhereThereIsOne) {
  GridProblem problem(testing::saturated_grid());
  const double by_accuracy = run(problem, 120, 1, "greedy_down").best();
  problem.evaluator().loss = [&](const Policy& policy) {
    return 0.01 + 0.3 * testing::chain_loss(problem.grid(), policy);
  };
  EXPECT_GT(run(problem, 120, 1, "greedy_down").best(), by_accuracy + 1.0);
}

TEST(GreedyTest, ComesWithinTheLimitsWithAnyBudget) {
  GridProblem problem(with_accuracy(testing::deep_grid(20, true, 0.5)));
  for (const int budget : {1, 2, 3, 10, 45, 90}) {
    for (const char* name : {"greedy_down", "greedy_up"}) {
      const testing::Run done = run(problem, budget, 1, name);
      EXPECT_FALSE(done.result.ranked.empty()) << name << " with " << budget;
      EXPECT_EQ(done.result.episodes, budget);
    }
  }
}

TEST(GreedyTest, StepsDownAreOneWidthEach) {
  GridProblem problem(testing::chain_grid());
  const testing::Run done = run(problem, 300, 1, "greedy_down");
  EXPECT_EQ(done.lines.at(0).at("policy"), json(std::vector<std::vector<int>>(5, {8, 8})));
  for (int layer = 0; layer < 5; ++layer) {
    std::vector<std::vector<int>> expected(5, {8, 8});
    expected[layer] = {5, 8};
    EXPECT_EQ(done.lines.at(1 + layer).at("policy"), json(expected)) << "each layer alone first";
  }
}

/// Goal::kCost, against all policies: the knapsack finds the cheapest policy that keeps an
/// accuracy, greedy steps one that costs three hundredths of 8 bits more.
TEST(SavingTest, ComesCloseToTheCheapestPolicyThatKeepsAnAccuracy) {
  const std::map<std::string, double> missed = {
      {"sensitivity", 1e-9}, {"greedy_down", 0.03}, {"greedy_up", 0.03}};
  for (testing::Grid grid :
       {testing::lenet_grid(1.0), testing::chain_grid(), testing::two_limits_grid()}) {
    for (Constraint& constraint : grid.constraints) constraint.limit = 1.0;
    const double top = grid.accuracy(Policy(grid.network.layers.size(), BitPair{8, 8}));
    for (const double points : {1.0, 3.0, 10.0}) {
      GridProblem problem(grid);
      problem.options().reward.goal = Goal::kCost;
      problem.options().reward.accuracy_floor = top - points;
      const testing::Run all = run(problem, 20'000, 1, "exhaustive");
      ASSERT_TRUE(all.result.ranked.front().meets_floor);
      for (const auto& [method, most] : missed) {
        const Candidate best = run(problem, 100, 1, method).result.ranked.front();
        EXPECT_TRUE(best.meets_floor) << method << ", " << grid.name << ", " << points;
        EXPECT_GE(best.reward, all.result.ranked.front().reward - most)
            << method << ", " << grid.name << ", " << points << " points";
      }
    }
  }
}

TEST(SavingTest, GreedyListsResumeAsIfNothingHadHappened) {
  for (const char* method : {"greedy_down", "greedy_up", "sensitivity"}) {
    GridProblem problem(testing::chain_grid());
    problem.options().reward.goal = Goal::kCost;
    problem.options().reward.accuracy_floor = 60.0;
    problem.options().checkpoint_every = 10;
    const testing::Run whole = run(problem, 50, 1, method);
    TemporaryFolder folder;
    SearchContext part = problem.context(23, 1);
    part.checkpoint = folder / "state";
    part.evaluations = 50;
    run(problem, part, configured(method));
    SearchContext rest = problem.context(50, 1);
    rest.evaluations = 50;
    rest.checkpoint = folder / "state";
    rest.resume = true;
    const testing::Run second = run(problem, rest, configured(method));
    EXPECT_EQ(second.lines, std::vector<json>(whole.lines.begin() + 23, whole.lines.end()))
        << method;
  }
}

TEST(AnnealingTest, CoolsDownAndTakesItsKeys) {
  GridProblem problem(testing::chain_grid());
  for (const char* limits : {"pay", "wall", "reject"}) {
    const testing::Run done = run(
        problem, 120, 1, "annealing",
        std::string("{first_temperature: 0.5, last_temperature: 0.001, limits: ") + limits + "}");
    const double early = done.lines.at(30).at("temperature").get<double>();
    const double late = done.lines.back().at("temperature").get<double>();
    EXPECT_GT(early, 10.0 * late) << limits;
    EXPECT_GT(late, 0.0) << limits;
    for (const json& line : done.lines) EXPECT_FALSE(line.contains("meets_limits"));
  }
  EXPECT_NE(run(problem, 60, 1, "annealing").lines, run(problem, 60, 2, "annealing").lines);
  EXPECT_THAT(message_of([] { configured("annealing", "{first_temperature: 0}"); }),
              HasSubstr("first_temperature"));
  EXPECT_THAT(message_of([] {
                configured("annealing", "{first_temperature: 0.1, last_temperature: 0.2}");
              }),
              HasSubstr("last_temperature"));
  EXPECT_THAT(message_of([] { configured("annealing", "{limits: hope}"); }), HasSubstr("hope"));
}

TEST(Nsga2Test, TakesItsKeys) {
  GridProblem problem(testing::chain_grid());
  const testing::Run wide = run(problem, 60, 1, "nsga2", "{population: 20, limits: dominate}");
  EXPECT_EQ(wide.lines.at(19).at("generation"), 0);
  EXPECT_EQ(wide.lines.at(20).at("generation"), 1);
  EXPECT_TRUE(wide.lines.at(0).contains("meets_limits")) << "the most bits, beyond the limit";
  for (const char* limits : {"pay", "wall"}) {
    for (const json& line :
         run(problem, 40, 1, "nsga2", std::string("{limits: ") + limits + "}").lines) {
      EXPECT_FALSE(line.contains("meets_limits"));
    }
  }
  EXPECT_THAT(message_of([] { configured("nsga2", "{population: 3}"); }), HasSubstr("population"));
  EXPECT_THAT(message_of([] { configured("nsga2", "{crossover: 2}"); }), HasSubstr("crossover"));
  EXPECT_THAT(message_of([] { configured("nsga2", "{mutation: -1}"); }), HasSubstr("mutation"));
  EXPECT_THAT(message_of([] { configured("nsga2", "{focus: 2}"); }), HasSubstr("focus"));
  EXPECT_THAT(message_of([] { configured("nsga2", "{limits: reject}"); }), HasSubstr("reject"));
}

TEST(Nsga2Test, RefusesAPopulationThatWasNeverMeasured) {
  GridProblem problem(testing::chain_grid());
  TemporaryFolder folder;
  SearchContext context = problem.context(16, 1);
  context.checkpoint = folder / "state";
  run(problem, context, configured("nsga2"));
  Checkpoint checkpoint = read_checkpoint(context.checkpoint);
  checkpoint.state["population"][0] = "0404040404";
  write_checkpoint(context.checkpoint, checkpoint);
  context.resume = true;
  EXPECT_THAT(message_of([&] { run(problem, context, configured("nsga2")); }),
              HasSubstr("was never measured"));
}

/// Area that the points take below a corner, both objectives to be small.
double area(std::vector<std::pair<double, double>> points, double right, double top) {
  std::sort(points.begin(), points.end());
  double sum = 0.0;
  double height = top;
  for (const auto& [x, y] : points) {
    if (x >= right || y >= height) continue;
    sum += (right - x) * (height - y);
    height = y;
  }
  return sum;
}

/// Without a focus the whole front is looked for: loss of accuracy against latency.
TEST(Nsga2Test, WithoutAFocusItsFrontTakesNearlyTheAreaOfTheTrueOne) {
  testing::Grid grid = testing::chain_grid();
  grid.constraints = {testing::at_most(Resource::kLatency, 1.0)};
  GridProblem problem(grid);
  const testing::Run all = run(problem, 5000, 1, "exhaustive");
  ASSERT_EQ(all.lines.size(), 3125u);
  const auto points = [](const std::vector<json>& lines) {
    std::vector<std::pair<double, double>> found;
    for (const json& line : lines) {
      found.emplace_back(line.at("ratio").at("latency").get<double>(),
                         1.0 - line.at("accuracy").get<double>() / 100.0);
    }
    return found;
  };
  const double whole = area(points(all.lines), 1.0, 1.0);
  const double random = area(points(run(problem, 300, 1, "random").lines), 1.0, 1.0);
  for (const std::uint64_t seed : {1, 2, 3}) {
    const double found = area(
        points(run(problem, 300, seed, "nsga2", "{focus: 0, population: 30}").lines), 1.0, 1.0);
    EXPECT_GT(found, 0.98 * whole) << seed;
    EXPECT_GT(found, random) << seed;
    EXPECT_LE(found, whole + 1e-12);
  }
}

}  // namespace
}  // namespace bittern
