#include "agent/rl/ppo/rollout.h"

#include <gtest/gtest.h>

#include <cmath>

#include "host/base/random.h"

namespace bittern {
namespace {

/// By hand: three steps, gamma 0.5, lambda 0.8.
///   delta_2 = 3 - 1 = 2                 A_2 = 2
///   delta_1 = 0 + 0.5 * 1 - 2 = -1.5    A_1 = -1.5 + 0.4 * 2 = -0.7
///   delta_0 = 1 + 0.5 * 2 - 4 = -2      A_0 = -2 + 0.4 * -0.7 = -2.28
TEST(Advantages, AreThoseOfAnEpisodeReckonedByHand) {
  const std::vector<double> result = advantages({1, 0, 3}, {4, 2, 1}, 0.5, 0.8);
  ASSERT_EQ(result.size(), 3u);
  EXPECT_NEAR(result[2], 2.0, 1e-12);
  EXPECT_NEAR(result[1], -0.7, 1e-12);
  EXPECT_NEAR(result[0], -2.28, 1e-12);
}

/// The definition as a weighted mean of the n-step advantages (equation 16 before it is summed up):
/// (1 - lambda) (A^1 + lambda A^2 + ...), where those that reach behind the end are A^rest.
TEST(Advantages, AreTheWeightedMeanOfThoseOverSeveralSteps) {
  Rng rng(1);
  std::vector<float> rewards;
  std::vector<float> values;
  for (int i = 0; i < 9; ++i) {
    rewards.push_back(static_cast<float>(rng.normal()));
    values.push_back(static_cast<float>(rng.normal()));
  }
  const double gamma = 0.9;
  const double lambda = 0.7;
  const std::vector<double> result = advantages(rewards, values, gamma, lambda);
  for (std::size_t t = 0; t < rewards.size(); ++t) {
    const std::size_t left = rewards.size() - t;
    double wanted = 0.0;
    for (std::size_t n = 1; n <= left; ++n) {
      double sum = -values[t];
      for (std::size_t k = 0; k < n; ++k) sum += std::pow(gamma, k) * rewards[t + k];
      if (n < left) sum += std::pow(gamma, n) * values[t + n];
      const double weight = n < left ? (1 - lambda) * std::pow(lambda, n - 1)
                                     : std::pow(lambda, n - 1);  // it and all beyond the end
      wanted += weight * sum;
    }
    EXPECT_NEAR(result[t], wanted, 1e-9) << t;
  }
}

TEST(Advantages, AreReturnsLessValuesWithoutDiscount) {
  const std::vector<double> result = advantages({1, 2, 4}, {0.5f, 0.25f, 8}, 1.0, 1.0);
  EXPECT_NEAR(result[0], 7 - 0.5, 1e-12);
  EXPECT_NEAR(result[1], 6 - 0.25, 1e-12);
  EXPECT_NEAR(result[2], 4 - 8, 1e-12);
}

TEST(Normalise, GivesMeanZeroAndDeviationOne) {
  std::vector<double> numbers = {1, 2, 3, 10};
  normalise(numbers);
  double mean = 0.0;
  double square = 0.0;
  for (const double x : numbers) {
    mean += x / 4;
    square += x * x / 4;
  }
  EXPECT_NEAR(mean, 0.0, 1e-9);
  EXPECT_NEAR(square, 1.0, 1e-6);
  EXPECT_NEAR((numbers[3] - numbers[0]) / (numbers[1] - numbers[0]), 9.0, 1e-9);
  std::vector<double> equal(5, 3.0);
  normalise(equal);
  for (const double x : equal) EXPECT_EQ(x, 0.0);
}

}  // namespace
}  // namespace bittern
