#include "host/search/baselines/knapsack_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "host/base/temporary_folder.h"
#include "tests/host/search/baselines/runs.h"

namespace bittern {
namespace {

using nlohmann::json;
using testing::configured;
using ::testing::ElementsAre;
using testing::GridProblem;
using ::testing::HasSubstr;

/// A grid's space as the baselines see it.
struct Space {
  explicit Space(const testing::Grid& grid)
      : cost(grid.network, grid.latency),
        bits(grid.bits, grid.network),
        table(cost, bits),
        wall(table, bits, grid.constraints, {}),
        choices(bits, wall) {}

  testing::FunctionCost cost;
  BitSpace bits;
  CostTable table;
  Wall wall;
  ChoiceSpace choices;
};

Measured measured(const Space& space, const testing::Grid& grid, const Choice& choice) {
  Measured m;
  m.choice = choice;
  m.accuracy = grid.accuracy(space.choices.policy(choice));
  m.meets_limits = space.choices.meets(choice);
  return m;
}

Choice drawn(const ChoiceSpace& space, Rng& rng) {
  Choice choice;
  for (std::size_t slot = 0; slot < space.slots(); ++slot) {
    choice.push_back(static_cast<int>(rng.integer(0, space.count(slot) - 1)));
  }
  return choice;
}

TEST(AxesTest, OperandsHaveTheirWidthsWithTheOtherAtItsMost) {
  testing::Grid grid = testing::pairs_grid();
  grid.bits.layers = {{"l1", {4}, {}}};
  const Space space(grid);
  const std::vector<Axis> axes = axes_of(space.choices);
  ASSERT_EQ(axes.size(), 5u) << "l1 has activations only";
  EXPECT_THAT(axes[0].options, ElementsAre(4, 9, 14, 19, 24));
  EXPECT_TRUE(axes[0].weights);
  EXPECT_THAT(axes[1].options, ElementsAre(20, 21, 22, 23, 24));
  EXPECT_FALSE(axes[1].weights);
  EXPECT_EQ(axes[2].slot, 1u);
  EXPECT_FALSE(axes[2].weights);
  const OptionLosses sum = sum_of_axes(space.choices, axes,
                                       {{5, 4, 3, 2, 1},
                                        {50, 40, 30, 20, 10},
                                        {9, 8, 7, 6, 5},
                                        std::vector<double>(5, 0.0),
                                        std::vector<double>(5, 0.0)});
  EXPECT_EQ(sum[0][7], 4 + 30) << "3/4 bits";
  EXPECT_EQ(sum[1][3], 6);
}

TEST(AxesTest, WithOneWidthForBothThereIsOneAxis) {
  testing::Grid grid = testing::pairs_grid();
  grid.bits.mode = BitMode::kTied;
  const Space space(grid);
  const std::vector<Axis> axes = axes_of(space.choices);
  ASSERT_EQ(axes.size(), 3u);
  EXPECT_THAT(axes[2].options, ElementsAre(0, 1, 2, 3, 4));
  const OptionLosses sum =
      sum_of_axes(space.choices, axes, {{5, 4, 3, 2, 1}, {1, 1, 1, 1, 1}, {0, 0, 0, 0, 7}});
  EXPECT_THAT(sum[0], ElementsAre(5, 4, 3, 2, 1));
  EXPECT_THAT(sum[2], ElementsAre(0, 0, 0, 0, 7));
}

/// A grid whose accuracy is a sum of losses, and a prior that knows nothing.
TEST(AdditiveModelTest, LearnsASumFromWhatWasMeasured) {
  testing::Grid grid = testing::deep_grid(6, false, 0.0);
  grid.accuracy = [copy = grid](const Policy& policy) {
    return 72.0 - testing::chain_loss(copy, policy);
  };
  const Space space(grid);
  OptionLosses prior;
  for (std::size_t slot = 0; slot < 6; ++slot) {
    prior.push_back({1.0, 0.5, 0.25, 0.12, 0.06, 0.03, 0.0});
  }
  AdditiveModel model(space.choices, prior, 72.0);
  Rng rng(1);
  std::vector<Measured> known;
  std::vector<Measured> others;
  for (int i = 0; i < 80; ++i) {
    known.push_back(measured(space, grid, drawn(space.choices, rng)));
    others.push_back(measured(space, grid, drawn(space.choices, rng)));
  }
  const auto error = [&] {
    double sum = 0.0;
    for (const Measured& m : others) sum += std::abs(model.predict(m.choice) - m.accuracy) / 80.0;
    return sum;
  };
  const double before = error();
  const double ranks_before = rank_correlation(model, others);
  model.fit(known, false);
  EXPECT_LT(error(), 0.3 * before);
  EXPECT_GT(rank_correlation(model, others), ranks_before);
  // The same once more: nothing of the first time is left.
  const OptionLosses once = model.losses();
  model.fit(known, false);
  EXPECT_EQ(model.losses(), once);
  model.fit({}, false);
  EXPECT_EQ(model.losses(), prior);
}

TEST(AdditiveModelTest, ScalesAPriorOfAnotherUnit) {
  testing::Grid grid = testing::deep_grid(6, false, 0.0);
  grid.accuracy = [copy = grid](const Policy& policy) {
    return 72.0 - testing::chain_loss(copy, policy);
  };
  const Space space(grid);
  OptionLosses prior;
  for (std::size_t slot = 0; slot < 6; ++slot) {
    prior.emplace_back();
    for (const BitPair bits : space.choices.options(slot)) {
      prior.back().push_back(0.001 * grid.loss(slot, bits));
    }
  }
  AdditiveModel model(space.choices, prior, 72.0);
  Rng rng(1);
  std::vector<Measured> known;
  for (int i = 0; i < 3; ++i) known.push_back(measured(space, grid, drawn(space.choices, rng)));
  model.fit(known, true);
  for (int i = 0; i < 20; ++i) {
    const Measured m = measured(space, grid, drawn(space.choices, rng));
    EXPECT_NEAR(72.0 - model.predict(m.choice), 72.0 - m.accuracy, 0.1 * (72.0 - m.accuracy));
  }
}

TEST(AdditiveModelTest, RefusesAnotherForm) {
  const Space space(testing::chain_grid());
  EXPECT_THAT(message_of([&] { AdditiveModel(space.choices, {{1.0}}, 1.0); }),
              HasSubstr("losses of 1 slots for a space of 5"));
  OptionLosses prior(5, std::vector<double>(5, 0.0));
  prior[3][1] = std::nan("");
  EXPECT_THAT(message_of([&] { AdditiveModel(space.choices, prior, 1.0); }),
              HasSubstr("layer 3 is nan"));
}

TEST(RankCorrelationTest, IsOneForTheSameOrderAndMinusOneForTheReverse) {
  const Space space(testing::chain_grid());
  const OptionLosses prior(5, {4.0, 3.0, 2.0, 1.0, 0.0});
  const AdditiveModel model(space.choices, prior, 90.0);
  std::vector<Measured> list(5);
  for (int i = 0; i < 5; ++i) {
    list[i].choice = {i, 0, 0, 0, 0};
    list[i].accuracy = 10.0 * i * i;
  }
  EXPECT_DOUBLE_EQ(rank_correlation(model, list), 1.0);
  for (Measured& m : list) m.accuracy = 50.0 - m.accuracy;
  EXPECT_DOUBLE_EQ(rank_correlation(model, list), -1.0);
  for (Measured& m : list) m.accuracy = 7.0;
  EXPECT_EQ(rank_correlation(model, list), 0.0);
  list.resize(2);
  EXPECT_EQ(rank_correlation(model, list), 0.0);
}

TEST(SensitivityTest, MeasuresEveryWidthOfEveryLayerAloneThenVerifies) {
  GridProblem problem(testing::chain_grid());
  const testing::Run done = run(problem, 60, 1, "sensitivity");
  ASSERT_EQ(done.lines.size(), 60u);
  std::set<json> probes;
  for (std::size_t i = 0; i < 21; ++i) {
    EXPECT_EQ(done.lines[i].at("stage"), "probe");
    int changed = 0;
    for (const json& bits : done.lines[i].at("policy")) changed += bits[0] != 8 ? 1 : 0;
    EXPECT_LE(changed, 1);
    probes.insert(done.lines[i].at("policy"));
  }
  EXPECT_EQ(probes.size(), 21u) << "all at 8 bits, and five layers at four other widths";
  for (std::size_t i = 21; i < 60; ++i) {
    EXPECT_EQ(done.lines[i].at("stage"), "verify");
    EXPECT_FALSE(done.lines[i].contains("meets_limits"));
    EXPECT_TRUE(done.lines[i].at("expected").is_number());
    EXPECT_EQ(done.lines[i].contains("rank_correlation"), i % 10 == 0);
  }
}

TEST(SensitivityTest, FindsTheBestOfGridsInFortyEvaluations) {
  for (const testing::Grid& grid :
       {testing::lenet_grid(0.3), testing::lenet_grid(0.4), testing::chain_grid(),
        testing::bumpy_grid(), testing::eight_grid(), testing::two_limits_grid()}) {
    GridProblem problem(grid);
    EXPECT_DOUBLE_EQ(run(problem, 40, 1, "sensitivity").best(), problem.best()) << grid.name;
  }
}

TEST(SensitivityTest, GoesByTheLossWhereThereIsOne) {
  GridProblem problem(testing::saturated_grid());
  const double by_accuracy = run(problem, 60, 1, "sensitivity").best();
  problem.evaluator().loss = [&](const Policy& policy) {
    return 0.01 + 0.3 * testing::chain_loss(problem.grid(), policy);
  };
  const testing::Run by_loss = run(problem, 60, 1, "sensitivity");
  EXPECT_GT(by_loss.best(), by_accuracy + 1.0);
  // Losses add up here: the first policy after the probes is nearly the best.
  const auto first = std::find_if(by_loss.lines.begin(), by_loss.lines.end(),
                                  [](const json& line) { return line.at("stage") == "verify"; });
  ASSERT_NE(first, by_loss.lines.end());
  EXPECT_GT(first->at("accuracy").get<double>(), by_loss.best() - 0.5);
}

TEST(SensitivityTest, GoesOnWhereAPolicyGivesNoNumbers) {
  GridProblem problem(testing::saturated_grid());
  problem.evaluator().loss = [&](const Policy& policy) {
    return policy[0].weight == 2 ? std::nan("") : testing::chain_loss(problem.grid(), policy);
  };
  TemporaryFolder folder;
  SearchContext part = problem.context(60, 1);
  part.checkpoint = folder / "state";
  const testing::Run whole = run(problem, part, configured("sensitivity"));
  EXPECT_EQ(whole.lines.size(), 60u);
  part.resume = true;
  EXPECT_EQ(run(problem, part, configured("sensitivity")).best(), whole.best());
}

TEST(SensitivityTest, MeasuresFewerWidthsWhereTheBudgetIsSmall) {
  GridProblem problem(with_accuracy(testing::deep_grid(10, false, 0.0)));
  const auto probes = [&](int budget, const std::string& keys) {
    int count = 0;
    for (const json& line : run(problem, budget, 1, "sensitivity", keys).lines) {
      count += line.at("stage") == "probe" ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(probes(130, "{}"), 61) << "six widths of ten layers, and the most bits";
  EXPECT_EQ(probes(100, "{}"), 41) << "four";
  EXPECT_EQ(probes(100, "{measure: 0.25}"), 21) << "two";
  EXPECT_EQ(probes(30, "{}"), 11) << "one";
  EXPECT_EQ(probes(12, "{}"), 6) << "one of five layers";
  EXPECT_EQ(probes(12, "{measure: 0}"), 1);
  EXPECT_EQ(probes(20, "{measure: 1}"), 11) << "one";
  EXPECT_EQ(probes(5, "{measure: 1}"), 4) << "the last episode is for a policy within the limits";
  EXPECT_THAT(message_of([&] { run(problem, 1, 1, "sensitivity"); }),
              HasSubstr("sensitivity: 1 episode(s); expected at least 2"));
  EXPECT_THAT(message_of([] { configured("sensitivity", "{measure: 1.5}"); }),
              HasSubstr("measure"));
}

TEST(SensitivityTest, DoubtsWhatItInterpolates) {
  const testing::Grid grid = testing::deep_grid(10, false, 0.0);
  const BitSpace space(grid.bits, grid.network);
  const ConfiguredMethod method = configured("sensitivity");
  EXPECT_TRUE(method.space_doubts(space, 122).empty());
  EXPECT_THAT(method.space_doubts(space, 100),
              ElementsAre(HasSubstr(
                  "60 widths below their most bits; with a share of 0.5 of 100 episodes 40 "
                  "are measured alone")));
  EXPECT_THAT(method.space_doubts(space, 12),
              ElementsAre(HasSubstr("of 5 operands nothing is measured")));
}

class GradientsTest : public ::testing::TestWithParam<std::string> {
 protected:
  GradientsTest()
      : problem_(with_accuracy(testing::deep_grid(10, false, 0.0))), evaluator_(problem_.grid()) {}
  testing::Run done(int budget) {
    SearchContext context = problem_.context(budget, 1);
    context.evaluator = &evaluator_;
    return run(problem_, context, configured(GetParam()));
  }
  testing::FakeScores& scores() {
    return GetParam() == "fisher" ? evaluator_.fisher : evaluator_.hessian;
  }

  GridProblem problem_;
  testing::ScoringEvaluator evaluator_;
};

TEST_P(GradientsTest, GoodScoresGiveTheBestPolicyAtOnce) {
  EXPECT_NEAR(done(1).best(), problem_.best(), 1e-9);
  EXPECT_EQ(score_kind_name(evaluator_.asked_for), GetParam());
}

TEST_P(GradientsTest, WhatTheScoresCostComesOutOfTheBudget) {
  scores().cost = 10.0 / 70.0;  // of ten layers with seven widths: ten evaluations
  EXPECT_EQ(done(30).result.episodes, 20);
  EXPECT_THAT(message_of([&] { done(10); }),
              HasSubstr("the scores cost as much as 10.0 evaluations, and the budget is 10"));
}

TEST_P(GradientsTest, AResumedSearchDoesNotAskForScoresAgain) {
  scores().cost = 0.1;
  TemporaryFolder folder;
  SearchContext context = problem_.context(40, 1);
  context.evaluator = &evaluator_;
  problem_.options().checkpoint_every = 100;
  const testing::Run whole = run(problem_, context, configured(GetParam()));
  context.checkpoint = folder / "state";
  context.budget = 20;
  EXPECT_EQ(run(problem_, context, configured(GetParam())).result.episodes, 13);
  context.budget = 40;
  context.resume = true;
  const double spent = scores().spent();
  EXPECT_EQ(run(problem_, context, configured(GetParam())).result.episodes, whole.result.episodes);
  EXPECT_EQ(scores().spent(), spent);
}

TEST_P(GradientsTest, RefusesScoresThatAreNoNumbersAndEvaluatorsWithout) {
  scores().broken = 3;
  EXPECT_THAT(message_of([&] { done(10); }), HasSubstr("scores of layer l0 at 3/8 bits are nan"));
  EXPECT_THAT(message_of([&] { run(problem_, 10, 1, GetParam()); }),
              HasSubstr("evaluator function evaluator has no " + GetParam() + " scores"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, GradientsTest, ::testing::Values("fisher", "hessian"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace bittern
