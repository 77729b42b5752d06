#include "host/search/baselines/knapsack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/base/error.h"
#include "host/base/random.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

/// Random classes; costs grow with gains where `like_bits` says so, and are anything where not.
KnapsackProblem random_problem(Rng& rng, std::size_t classes, int most_options,
                               std::size_t resources, bool like_bits) {
  KnapsackProblem problem;
  problem.costs.resize(resources);
  std::vector<double> most(resources, 0.0);
  for (std::size_t i = 0; i < classes; ++i) {
    const auto options = static_cast<std::size_t>(rng.integer(1, most_options));
    std::vector<double> scores;
    const double loss = std::exp(rng.normal());
    for (std::size_t o = 0; o < options; ++o) {
      scores.push_back(like_bits ? loss * std::pow(0.4, static_cast<double>(o)) : rng.normal());
    }
    problem.scores.push_back(scores);
    for (std::size_t r = 0; r < resources; ++r) {
      std::vector<double> costs;
      const double size = static_cast<double>(rng.integer(1, 30));
      for (std::size_t o = 0; o < options; ++o) {
        costs.push_back(like_bits ? size * static_cast<double>(o + 1) * 1e-6
                                  : static_cast<double>(rng.integer(0, 20)));
      }
      most[r] += *std::max_element(costs.begin(), costs.end());
      problem.costs[r].push_back(costs);
    }
  }
  for (const double m : most) problem.limits.push_back(m * (0.2 + 0.6 * rng.uniform()));
  return problem;
}

/// All scores of solutions within the limits, ascending.
std::vector<double> all_scores(const KnapsackProblem& problem) {
  std::vector<double> found;
  std::vector<std::size_t> digits(problem.scores.size(), 0);
  for (;;) {
    double score = 0.0;
    std::vector<double> cost(problem.limits.size(), 0.0);
    for (std::size_t i = 0; i < digits.size(); ++i) {
      score += problem.scores[i][digits[i]];
      for (std::size_t r = 0; r < cost.size(); ++r) cost[r] += problem.costs[r][i][digits[i]];
    }
    bool within = true;
    for (std::size_t r = 0; r < cost.size(); ++r) {
      within = within && cost[r] <= problem.limits[r] * (1.0 + 1e-12);
    }
    if (within) found.push_back(score);
    std::size_t i = 0;
    while (i < digits.size() && ++digits[i] == problem.scores[i].size()) digits[i++] = 0;
    if (i == digits.size()) break;
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// The solutions are what they say, within the limits, and no two are the same.
void expect_sound(const KnapsackProblem& problem, const KnapsackResult& result) {
  for (std::size_t s = 0; s < result.solutions.size(); ++s) {
    const KnapsackSolution& solution = result.solutions[s];
    ASSERT_EQ(solution.options.size(), problem.scores.size());
    double score = 0.0;
    std::vector<double> cost(problem.limits.size(), 0.0);
    for (std::size_t i = 0; i < problem.scores.size(); ++i) {
      const auto option = static_cast<std::size_t>(solution.options[i]);
      ASSERT_LT(option, problem.scores[i].size());
      score += problem.scores[i][option];
      for (std::size_t r = 0; r < cost.size(); ++r) cost[r] += problem.costs[r][i][option];
    }
    EXPECT_NEAR(solution.score, score, 1e-9);
    for (std::size_t r = 0; r < cost.size(); ++r) {
      EXPECT_LE(cost[r], problem.limits[r] * (1.0 + 1e-12));
    }
    for (std::size_t other = 0; other < s; ++other) {
      EXPECT_NE(result.solutions[other].options, solution.options);
      EXPECT_LE(result.solutions[other].score, solution.score);
    }
  }
}

TEST(KnapsackTest, GivesTheBestSolutionsOfSmallProblemsInAnyNumberOfResources) {
  Rng rng(1);
  int without = 0;
  for (int round = 0; round < 600; ++round) {
    const auto resources = static_cast<std::size_t>(round % 4);
    const KnapsackProblem problem = random_problem(rng, static_cast<std::size_t>(rng.integer(1, 5)),
                                                   6, resources, round % 3 == 0);
    const std::vector<double> all = all_scores(problem);
    KnapsackOptions options;
    options.solutions = static_cast<int>(rng.integer(1, 12));
    const KnapsackResult result = solve_knapsack(problem, options);
    expect_sound(problem, result);
    ASSERT_TRUE(result.exact);
    const std::size_t expected = std::min(all.size(), static_cast<std::size_t>(options.solutions));
    ASSERT_EQ(result.solutions.size(), expected) << round;
    for (std::size_t i = 0; i < expected; ++i) {
      ASSERT_NEAR(result.solutions[i].score, all[i], 1e-9) << "round " << round << " place " << i;
    }
    without += all.empty() ? 1 : 0;
  }
  EXPECT_GT(without, 0) << "problems that nothing solves are among them";
}

/// Integer costs, against the textbook recursion over the cost.
TEST(KnapsackTest, AgreesWithDynamicProgrammingOverTheCostOnLargeProblems) {
  Rng rng(2);
  for (int round = 0; round < 5; ++round) {
    KnapsackProblem problem;
    problem.costs.resize(1);
    for (int i = 0; i < 60; ++i) {
      problem.scores.emplace_back();
      problem.costs[0].emplace_back();
      const double weight_loss = std::exp(rng.normal());
      const double activation_loss = std::exp(rng.normal());
      const auto size = static_cast<double>(rng.integer(1, 20));
      for (int w = 2; w <= 8; ++w) {
        for (int a = 2; a <= 8; ++a) {
          problem.scores.back().push_back(weight_loss * std::exp2(2 - 2 * w) +
                                          activation_loss * std::exp2(2 - 2 * a) +
                                          1e-3 * rng.normal());
          problem.costs[0].back().push_back(size * w * a);
        }
      }
    }
    double full = 0.0;
    for (const auto& costs : problem.costs[0]) full += costs.back();
    problem.limits = {std::floor(full * (0.2 + 0.1 * round))};
    const auto limit = static_cast<std::size_t>(problem.limits[0]);
    std::vector<double> least(limit + 1, 0.0);
    for (std::size_t i = 0; i < problem.scores.size(); ++i) {
      std::vector<double> next(limit + 1, std::numeric_limits<double>::infinity());
      for (std::size_t o = 0; o < problem.scores[i].size(); ++o) {
        const auto cost = static_cast<std::size_t>(problem.costs[0][i][o]);
        for (std::size_t total = cost; total <= limit; ++total) {
          next[total] = std::min(next[total], least[total - cost] + problem.scores[i][o]);
        }
      }
      least = std::move(next);
    }
    const KnapsackResult result = solve_knapsack(problem);
    expect_sound(problem, result);
    EXPECT_TRUE(result.exact);
    ASSERT_EQ(result.solutions.size(), 1u);
    EXPECT_NEAR(result.solutions[0].score, least[limit], 1e-9);
  }
}

TEST(KnapsackTest, SaysHowFarItCanBeOffWhenItKeepsTooFewStates) {
  Rng rng(3);
  int inexact = 0;
  for (int round = 0; round < 200; ++round) {
    const KnapsackProblem problem = random_problem(rng, 6, 6, 2, round % 2 == 0);
    const std::vector<double> all = all_scores(problem);
    KnapsackOptions options;
    options.solutions = 2;
    options.most_states = 3;
    const KnapsackResult result = solve_knapsack(problem, options);
    expect_sound(problem, result);
    if (result.exact) {
      ASSERT_EQ(result.solutions.size(), std::min<std::size_t>(all.size(), 2));
      for (std::size_t i = 0; i < result.solutions.size(); ++i) {
        EXPECT_NEAR(result.solutions[i].score, all[i], 1e-9);
      }
      continue;
    }
    ++inexact;
    ASSERT_FALSE(all.empty());
    // What is missing from the list is not below the bound.
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool listed =
          std::any_of(result.solutions.begin(), result.solutions.end(),
                      [&](const KnapsackSolution& s) { return std::abs(s.score - all[i]) < 1e-9; });
      if (listed) continue;
      EXPECT_GE(all[i], result.bound - 1e-9);
    }
  }
  EXPECT_GT(inexact, 20);
}

TEST(KnapsackTest, HasNoSolutionWhereTheCheapestOptionsExceedALimit) {
  KnapsackProblem problem{{{1.0, 2.0}, {3.0}}, {{{5.0, 4.0}, {3.0}}}, {6.9}};
  EXPECT_TRUE(solve_knapsack(problem).solutions.empty());
  problem.limits = {7.0};
  const KnapsackResult result = solve_knapsack(problem);
  ASSERT_EQ(result.solutions.size(), 1u);
  EXPECT_THAT(result.solutions[0].options, ::testing::ElementsAre(1, 0));
}

TEST(KnapsackTest, MeetsALimitExactlyDespiteRounding) {
  // 0.1 + 0.2 is above 0.3 in floating point.
  const KnapsackProblem problem{{{0.0, 1.0}, {0.0, 1.0}}, {{{0.1, 0.0}, {0.2, 0.0}}}, {0.3}};
  EXPECT_EQ(solve_knapsack(problem).solutions.at(0).score, 0.0);
}

TEST(KnapsackTest, RefusesWhatDoesNotFit) {
  const KnapsackProblem good{{{1.0, 2.0}, {3.0}}, {{{5.0, 4.0}, {3.0}}}, {9.0}};
  const auto error_of = [](const KnapsackProblem& problem, const KnapsackOptions& options) {
    try {
      solve_knapsack(problem, options);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(error_of(good, {}), "no error");
  EXPECT_THAT(error_of(good, {0, 10}), HasSubstr("0 solutions"));
  EXPECT_THAT(error_of(good, {1, 0}), HasSubstr("no states"));
  KnapsackProblem bad = good;
  bad.limits.push_back(1.0);
  EXPECT_THAT(error_of(bad, {}), HasSubstr("1 resources and 2 limits"));
  bad = good;
  bad.limits[0] = std::nan("");
  EXPECT_THAT(error_of(bad, {}), HasSubstr("limit of resource 0 is no number"));
  bad = good;
  bad.costs[0].pop_back();
  EXPECT_THAT(error_of(bad, {}), HasSubstr("resource 0 has 1 classes, the scores have 2"));
  bad = good;
  bad.scores[1].clear();
  EXPECT_THAT(error_of(bad, {}), HasSubstr("class 1 has no option"));
  bad = good;
  bad.scores[0][1] = std::numeric_limits<double>::infinity();
  EXPECT_THAT(error_of(bad, {}), HasSubstr("a score of class 0 is inf"));
  bad = good;
  bad.costs[0][0].pop_back();
  EXPECT_THAT(error_of(bad, {}), HasSubstr("class 0 has 2 scores and 1 costs in resource 0"));
  bad = good;
  bad.costs[0][1][0] = -1.0;
  EXPECT_THAT(error_of(bad, {}), HasSubstr("cost of class 1 in resource 0 is -1"));
}

}  // namespace
}  // namespace bittern
