#include "host/analysis/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "host/base/error.h"

namespace bittern {
namespace {

TEST(MeanInterval, IsStudentsOfTheValues) {
  // By hand: mean 3, deviation 1, t(2 degrees, 0.975) = 4.302653, half width 4.302653 / sqrt(3).
  const MeanInterval m = mean_interval({2, 3, 4});
  EXPECT_EQ(m.n, 3u);
  EXPECT_DOUBLE_EQ(m.mean, 3.0);
  EXPECT_DOUBLE_EQ(m.deviation, 1.0);
  EXPECT_NEAR(m.low, 3 - 2.484138, 1e-5);
  EXPECT_NEAR(m.high, 3 + 2.484138, 1e-5);
  EXPECT_TRUE(m.above_zero());
  EXPECT_FALSE(m.below_zero());
}

TEST(MeanInterval, OfOneValueClaimsNothing) {
  const MeanInterval m = mean_interval({5});
  EXPECT_DOUBLE_EQ(m.mean, 5.0);
  EXPECT_FALSE(m.known());
  EXPECT_FALSE(m.above_zero());
  EXPECT_FALSE(m.below_zero());
}

TEST(MeanInterval, OfValuesThatChangeSignHoldsZero) {
  const MeanInterval m = mean_interval({-1, 1, 0.5});
  EXPECT_FALSE(m.above_zero());
  EXPECT_FALSE(m.below_zero());
  EXPECT_TRUE(mean_interval({-1, -1.1, -0.9}).below_zero());
}

TEST(Median, IsTheMiddleAndKnowsOfInfiniteValues) {
  const double never = std::numeric_limits<double>::infinity();
  EXPECT_DOUBLE_EQ(median({3, 1, 2}), 2.0);
  EXPECT_DOUBLE_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_DOUBLE_EQ(median({1, never, 2}), 2.0);
  EXPECT_TRUE(std::isinf(median({1, never, never})));
  EXPECT_TRUE(std::isinf(median({never, never})));
  EXPECT_THROW(median({}), Error);
}

TEST(RankCorrelation, IsSpearmans) {
  // By hand: ranks 1..5 against 2 1 4 3 5, sum of squared differences 4, 1 - 6 * 4 / (5 * 24).
  const RankCorrelation r = rank_correlation({1, 2, 3, 4, 5}, {20, 10, 40, 30, 50});
  EXPECT_NEAR(r.rho, 0.8, 1e-12);
  // Fisher's z of 0.8 is 1.098612; its error 1.959964 * sqrt(1.32 / 2) = 1.592276.
  EXPECT_NEAR(r.low, std::tanh(1.098612 - 1.592276), 1e-5);
  EXPECT_NEAR(r.high, std::tanh(1.098612 + 1.592276), 1e-5);
}

TEST(RankCorrelation, OfAConstantIsZeroAndOfFewPointsSaysNothing) {
  EXPECT_DOUBLE_EQ(rank_correlation({1, 1, 1, 1}, {1, 2, 3, 4}).rho, 0.0);
  const RankCorrelation few = rank_correlation({1, 2, 3}, {3, 2, 1});
  EXPECT_DOUBLE_EQ(few.rho, -1.0);
  EXPECT_DOUBLE_EQ(few.low, -1.0);
  EXPECT_DOUBLE_EQ(few.high, 1.0);
}

TEST(RankCorrelation, RefusesListsOfDifferentLengths) {
  EXPECT_THROW(rank_correlation({1, 2}, {1}), Error);
}

}  // namespace
}  // namespace bittern
