#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/base/error.h"
#include "host/base/temporary_folder.h"
#include "host/search/methods.h"
#include "tests/host/search/grids.h"

namespace bittern {
namespace {

using nlohmann::json;
using testing::GridProblem;
using ::testing::HasSubstr;

ConfiguredMethod configured(const std::string& name, const std::string& yaml = "{}") {
  static const std::vector<MethodKind> methods = host_methods();
  const MethodKind* kind = find_method(methods, name);
  return kind->configure(YamlMap(YamlNode::parse(yaml, "test.yaml"), kind->keys));
}

/// What every baseline promises, for each of them.
class EveryBaseline : public ::testing::TestWithParam<std::string> {
 protected:
  std::vector<json> lines_of(GridProblem& problem, SearchContext context) {
    std::vector<json> lines;
    context.on_resume = [&](int first, const json&) {
      lines = kept_;
      lines.resize(static_cast<std::size_t>(first));
    };
    context.on_episode = [&](const json& line) {
      lines.push_back(line);
      lines.back().erase("time");
    };
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
    const std::vector<json> whole = lines_of(problem, problem.context(90, 3));
    // Killed again and again: the first search that is not stopped ends like `whole`.
    std::atomic<bool> stop{false};
    for (const int lines : {1, 7, 20, 41}) {
      SearchContext part = problem.context(90, 3);
      part.checkpoint = folder / "state";
      part.resume = true;
      part.stop = &stop;
      stop = false;
      problem.evaluator().asked = 0;
      const int before = static_cast<int>(kept_.size());
      part.lines_state = [&]() {
        if (problem.evaluator().asked + before >= lines) stop = true;
        return json(nullptr);
      };
      kept_ = lines_of(problem, part);
    }
    SearchContext rest = problem.context(90, 3);
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
  SearchContext context = problem.context(60, 1);
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
  SearchContext part = problem.context(10, 1);
  part.checkpoint = folder / "state";
  lines_of(problem, part);
  Checkpoint checkpoint = read_checkpoint(part.checkpoint);
  checkpoint.state["measured"][0][0] = "0102zz0304";
  write_checkpoint(part.checkpoint, checkpoint);
  part.resume = true;
  try {
    lines_of(problem, part);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"0102zz0304\" is no choice of 5 slots"));
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, EveryBaseline, ::testing::Values("uniform", "local"),
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
  try {
    run_search(problem.context(10, 1), problem.options(), configured("uniform"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("of the 0 uniform policies of network chain_grid none is"));
  }
}

TEST(LocalTest, FindsTheBestOfSmallGrids) {
  for (const testing::Grid& grid : {testing::lenet_grid(0.5), testing::chain_grid()}) {
    GridProblem problem(grid);
    const SearchResult result =
        run_search(problem.context(300, 2), problem.options(), configured("local"));
    EXPECT_DOUBLE_EQ(result.ranked.front().accuracy.top1, problem.best()) << grid.name;
  }
}

}  // namespace
}  // namespace bittern
