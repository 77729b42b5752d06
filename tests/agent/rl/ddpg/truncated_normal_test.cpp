#include "agent/rl/ddpg/truncated_normal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace bittern {
namespace {

double pdf(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI); }
double cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

/// Mean, variance and the distribution function itself, for means inside and outside of the
/// interval and deviations of a search's beginning and end.
TEST(TruncatedNormal, HasTheRightDistribution) {
  Rng rng(11);
  constexpr int kDraws = 40000;
  for (const double mean : {0.0, 0.1, 0.5, 0.93, 1.0, -0.4, 1.7}) {
    for (const double sigma : {0.5, 0.2, 0.05}) {
      const double a = (0 - mean) / sigma;
      const double b = (1 - mean) / sigma;
      // The mass between the ends, taken in the tail where it does not cancel.
      const double mass = a > 0 ? cdf(-a) - cdf(-b) : cdf(b) - cdf(a);
      const double shift = (pdf(a) - pdf(b)) / mass;
      const double expected_mean = mean + sigma * shift;
      const double expected_variance =
          sigma * sigma * (1 + (a * pdf(a) - b * pdf(b)) / mass - shift * shift);
      std::vector<double> draws(kDraws);
      double sum = 0;
      double square = 0;
      for (double& x : draws) {
        x = truncated_normal(rng, mean, sigma, 0, 1);
        ASSERT_GE(x, 0.0);
        ASSERT_LE(x, 1.0);
        sum += x;
        square += (x - expected_mean) * (x - expected_mean);
      }
      const double error = std::sqrt(expected_variance / kDraws);
      EXPECT_NEAR(sum / kDraws, expected_mean, 5 * error) << mean << " " << sigma;
      EXPECT_NEAR(square / kDraws, expected_variance, 0.06 * expected_variance)
          << mean << " " << sigma;
      // Kolmogorov and Smirnov: 1.95 / sqrt(n) is passed with probability 0.001.
      std::sort(draws.begin(), draws.end());
      double distance = 0;
      for (int i = 0; i < kDraws; ++i) {
        const double x = (draws[i] - mean) / sigma;
        const double f = (a > 0 ? cdf(-a) - cdf(-x) : cdf(x) - cdf(a)) / mass;
        distance = std::max(
            {distance, std::abs(f - i / double{kDraws}), std::abs(f - (i + 1) / double{kDraws})});
      }
      EXPECT_LT(distance, 1.95 / std::sqrt(kDraws)) << mean << " " << sigma;
    }
  }
}

TEST(TruncatedNormal, NeedsOneDrawWhateverTheParameters) {
  for (const double sigma : {0.0, 1e-9, 0.5, 1e6}) {
    Rng used(5);
    Rng reference(5);
    truncated_normal(used, 0.3, sigma, 0, 1);
    reference.uniform();
    EXPECT_EQ(used.save(), reference.save());
  }
}

TEST(TruncatedNormal, IsTotal) {
  Rng rng(9);
  EXPECT_EQ(truncated_normal(rng, 0.25, 0.0, 0, 1), 0.25);
  EXPECT_EQ(truncated_normal(rng, 3.0, 0.0, 0, 1), 1.0);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_NEAR(truncated_normal(rng, 0.25, 1e-9, 0, 1), 0.25, 1e-7);
    EXPECT_NEAR(truncated_normal(rng, 50.0, 0.1, 0, 1), 1.0, 0.05);
    const double wide = truncated_normal(rng, 0.5, 1e9, 0, 1);
    EXPECT_GE(wide, 0.0);
    EXPECT_LE(wide, 1.0);
  }
}

}  // namespace
}  // namespace bittern
