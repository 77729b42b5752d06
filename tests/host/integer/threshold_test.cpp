#include "host/integer/threshold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "host/base/error.h"
#include "host/base/random.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

std::vector<float> normals(int count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(rng.normal()));
  return values;
}

double mean_squared_error(const std::vector<float>& values, float threshold, CodeRange range) {
  const double scale = threshold / range.high;
  double error = 0;
  for (const float value : values) {
    const double code = std::clamp<double>(std::nearbyint(value / scale), range.low, range.high);
    error += std::pow(value - code * scale, 2);
  }
  return error / static_cast<double>(values.size());
}

TEST(CodeRange, WeightsAreSymmetric) {
  EXPECT_EQ(weight_range(2), (CodeRange{-1, 1}));
  EXPECT_EQ(weight_range(5), (CodeRange{-15, 15}));
  EXPECT_EQ(weight_range(8), (CodeRange{-127, 127}));
}

TEST(FindThreshold, OfBinaryWeightsHasTheLeastSquaredErrorWhateverTheMethod) {
  std::vector<float> values = normals(5000, 7);
  values.resize(6000, 0.0f);
  const auto error = [&values](double scale) {
    double sum = 0.0;
    for (const float value : values) sum += std::pow(value - (value < 0 ? -scale : scale), 2);
    return sum;
  };
  const float found = find_threshold(values, weight_range(1), 1, ThresholdMethod::kMse);
  EXPECT_LT(error(found), error(found * 1.01));
  EXPECT_LT(error(found), error(found * 0.99));
  EXPECT_EQ(find_threshold(values, weight_range(1), 1, ThresholdMethod::kHaq), found);
}

TEST(CodeRange, UnsignedActivationsUseEveryCode) {
  EXPECT_EQ(activation_range(1, false), (CodeRange{0, 1}));
  EXPECT_EQ(activation_range(8, false), (CodeRange{0, 255}));
  EXPECT_EQ(activation_range(8, true), (CodeRange{-127, 127}));
}

TEST(CodeRange, ImpossibleWidthsAreRefusedWithTheReason) {
  EXPECT_THAT(message_of([] { weight_range(0); }), HasSubstr("expected 1..8"));
  EXPECT_THAT(message_of([] { weight_range(9); }), HasSubstr("expected 1..8"));
  EXPECT_THAT(message_of([] { activation_range(1, true); }), HasSubstr("expected 2..8"));
  EXPECT_THAT(message_of([] { activation_range(0, false); }), HasSubstr("expected 1..8"));
}

TEST(ThresholdMethod, NamesGoBothWays) {
  for (const char* name : {"max", "kl", "mse", "percentile", "haq"}) {
    EXPECT_STREQ(threshold_method_name(threshold_method_of(name)), name);
  }
  EXPECT_THAT(message_of([] { threshold_method_of("entropy"); }), HasSubstr("percentile"));
}

TEST(FindThreshold, MaxTakesTheLargestMagnitudeOfTheCodedSide) {
  const std::vector<float> values{0.5f, -3.0f, 2.0f};
  EXPECT_EQ(find_threshold(values, weight_range(4), 4, ThresholdMethod::kMax), 3.0f);
  EXPECT_EQ(find_threshold(values, activation_range(4, false), 4, ThresholdMethod::kMax), 2.0f);
}

TEST(FindThreshold, MseIsNoWorseThanMaxAndNearTheBestOfAFineScan) {
  for (int bits = 2; bits <= 8; ++bits) {
    const std::vector<float> values = normals(20000, static_cast<std::uint64_t>(bits));
    const CodeRange range = weight_range(bits);
    const float max = find_threshold(values, range, bits, ThresholdMethod::kMax);
    const float found = find_threshold(values, range, bits, ThresholdMethod::kMse);
    const double error = mean_squared_error(values, found, range);
    EXPECT_LE(error, mean_squared_error(values, max, range)) << bits;
    double best = error;
    for (int percent = 2; percent <= 100; ++percent) {
      best = std::min(best, mean_squared_error(values, max * percent / 100, range));
    }
    EXPECT_LE(error, 1.05 * best) << bits;
  }
}

TEST(FindThreshold, MseOfTernaryNormalsIsTheKnownOptimum) {
  // Codes -1, 0, 1 for a standard normal: the best step is 1.2240 (Max 1960, three levels).
  const float found = find_threshold(normals(200000, 3), weight_range(2), 2, ThresholdMethod::kMse);
  EXPECT_NEAR(found, 1.224, 0.05);
}

TEST(FindThreshold, KlClipsAnOutlierAndMaxDoesNot) {
  std::vector<float> values = normals(20000, 9);
  values.push_back(60.0f);
  EXPECT_EQ(find_threshold(values, weight_range(4), 4, ThresholdMethod::kMax), 60.0f);
  const float found = find_threshold(values, weight_range(4), 4, ThresholdMethod::kKl);
  EXPECT_LT(found, 10.0f);
  EXPECT_GT(found, 1.0f);
}

TEST(FindThreshold, KlKeepsAUniformDistribution) {
  std::vector<float> values;
  for (int i = 0; i < 10000; ++i) values.push_back(static_cast<float>(i) / 10000);
  EXPECT_GT(find_threshold(values, activation_range(4, false), 4, ThresholdMethod::kKl), 0.9f);
}

TEST(FindThreshold, PercentileLeavesOneInAThousandOut) {
  std::vector<float> values;
  for (int i = 1; i <= 100000; ++i) values.push_back(static_cast<float>(i));
  const float found =
      find_threshold(values, activation_range(8, false), 8, ThresholdMethod::kPercentile);
  EXPECT_NEAR(found, 99900.0f, 100000.0f / 300);  // to one bin
}

TEST(FindThreshold, HaqSwitchesToKlBelowFiveBits) {
  std::vector<float> values = normals(5000, 2);
  values.push_back(20.0f);
  for (int bits = 2; bits <= 8; ++bits) {
    const auto same = bits >= 5 ? ThresholdMethod::kMax : ThresholdMethod::kKl;
    EXPECT_EQ(find_threshold(values, weight_range(bits), bits, ThresholdMethod::kHaq),
              find_threshold(values, weight_range(bits), bits, same));
  }
}

TEST(FindThreshold, EveryMethodStaysWithinTheValues) {
  Rng rng(11);
  for (int round = 0; round < 60; ++round) {
    const std::vector<float> values =
        normals(static_cast<int>(rng.integer(1, 3000)), static_cast<std::uint64_t>(round));
    const int bits = static_cast<int>(rng.integer(2, 8));
    const CodeRange range = weight_range(bits);
    const float max = find_threshold(values, range, bits, ThresholdMethod::kMax);
    for (const auto method :
         {ThresholdMethod::kKl, ThresholdMethod::kMse, ThresholdMethod::kPercentile}) {
      const float found = find_threshold(values, range, bits, method);
      EXPECT_GT(found, 0.0f);
      EXPECT_LE(found, max);
    }
  }
}

TEST(FindThreshold, ZerosHaveAHarmlessThreshold) {
  const std::vector<float> zeros(100, 0.0f);
  EXPECT_EQ(find_threshold(zeros, weight_range(4), 4, ThresholdMethod::kKl), 1.0f);
  const std::vector<float> negative(100, -2.0f);
  EXPECT_EQ(find_threshold(negative, activation_range(4, false), 4, ThresholdMethod::kMse), 1.0f);
}

TEST(FindThreshold, NothingAndInfinitiesAreErrors) {
  EXPECT_THROW(find_threshold({}, weight_range(4), 4, ThresholdMethod::kMax), Error);
  const std::vector<float> bad{1.0f, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_THAT(message_of([&] { find_threshold(bad, weight_range(4), 4, ThresholdMethod::kMax); }),
              HasSubstr("diverged"));
}

}  // namespace
}  // namespace bittern
