#include "agent/quant/trained_ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "agent/torch.h"
#include "host/base/error.h"

namespace bittern {
namespace {

torch::Tensor leaf(const std::vector<float>& values) {
  return torch::tensor(values).requires_grad_(true);
}

/// Goes back from sum(weights * quantised(x)); returns the gradient of x.
torch::Tensor back(TrainedRanges& ranges, const torch::Tensor& x,
                   const std::vector<float>& weights) {
  const torch::Tensor loss = (ranges.quantise(0, x) * torch::tensor(weights)).sum();
  return torch::autograd::grad({loss}, {x})[0];
}

TEST(TrainedRanges, QuantiseAsTheLinearQuantiserOfTheirThreshold) {
  const CodeRange codes = activation_range(3, false);
  TrainedRanges ranges({codes}, {2.0f});
  const torch::Tensor x = leaf({-1.0f, 0.0f, 0.3f, 1.1f, 1.99f, 2.0f, 7.0f});
  const LinearQuantiser linear(codes, 2.0f);
  EXPECT_TRUE(torch::equal(ranges.quantise(0, x), linear.fake_quantise(x)));
  EXPECT_EQ(ranges.quantiser(0).scales(), linear.scales());
}

/// PACT, equation 3: the clipped values move the threshold, the others themselves.
TEST(TrainedRanges, SplitTheGradientAtTheThreshold) {
  TrainedRanges ranges({activation_range(4, false)}, {2.0f});
  const torch::Tensor gradient =
      back(ranges, leaf({-1.0f, 0.5f, 1.5f, 2.0f, 9.0f}), {1.0f, 2.0f, 4.0f, 8.0f, 16.0f});
  EXPECT_TRUE(torch::equal(gradient, torch::tensor({0.0f, 2.0f, 4.0f, 0.0f, 0.0f})));
  ranges.step(0.01, 0.0, 0.0);
  EXPECT_FLOAT_EQ(ranges.thresholds()[0], 2.0f - 0.01f * 24.0f);
  // What was added up is used up.
  ranges.step(0.01, 0.0, 0.0);
  EXPECT_FLOAT_EQ(ranges.thresholds()[0], 2.0f - 0.01f * 24.0f);
}

TEST(TrainedRanges, OfSignedInputsAreMovedFromBothSides) {
  TrainedRanges ranges({activation_range(4, true)}, {2.0f});
  const torch::Tensor gradient =
      back(ranges, leaf({-3.0f, -1.0f, 1.0f, 3.0f}), {5.0f, 1.0f, 1.0f, 2.0f});
  EXPECT_TRUE(torch::equal(gradient, torch::tensor({0.0f, 1.0f, 1.0f, 0.0f})));
  ranges.step(0.1, 0.0, 0.0);
  EXPECT_FLOAT_EQ(ranges.thresholds()[0], 2.0f - 0.1f * (2.0f - 5.0f));
}

TEST(TrainedRanges, HaveMomentumAndAPenalty) {
  TrainedRanges ranges({activation_range(4, false)}, {2.0f});
  back(ranges, leaf({3.0f}), {1.0f});
  ranges.step(0.1, 0.5, 0.25);
  EXPECT_FLOAT_EQ(ranges.thresholds()[0], 2.0f - 0.1f * 1.5f);
  back(ranges, leaf({3.0f}), {1.0f});
  ranges.step(0.1, 0.5, 0.25);
  EXPECT_FLOAT_EQ(ranges.thresholds()[0], 1.85f - 0.1f * (0.5f * 1.5f + 1.0f + 0.25f * 1.85f));
}

TEST(TrainedRanges, StayPositiveAndStayPutWithoutAGradient) {
  TrainedRanges ranges({activation_range(4, false)}, {2.0f});
  ranges.quantise(0, torch::tensor({3.0f}));
  ranges.step(0.1, 0.9, 0.5);
  EXPECT_EQ(ranges.thresholds()[0], 2.0f);
  back(ranges, leaf({3.0f}), {1000.0f});
  ranges.step(1.0, 0.0, 0.0);
  EXPECT_FLOAT_EQ(ranges.thresholds()[0], 0.002f);
}

TEST(TrainedRanges, AddUpTheSameInAnyOrder) {
  const auto after = [](bool reversed) {
    TrainedRanges ranges({activation_range(4, false)}, {1.0f});
    std::vector<float> all = {1e-6f, 0.1f, 3.0f, -3.0f, 0.7f, 1e-5f};
    if (reversed) std::reverse(all.begin(), all.end());
    for (const float weight : all) back(ranges, leaf({2.0f}), {weight});
    ranges.step(0.37, 0.0, 0.0);
    return ranges.thresholds()[0];
  };
  EXPECT_EQ(after(false), after(true));
}

TEST(TrainedRanges, RefuseWhatIsNoRange) {
  EXPECT_THROW(TrainedRanges({activation_range(4, false)}, {0.0f}), Error);
  EXPECT_THROW(TrainedRanges({activation_range(4, false)}, {1.0f, 2.0f}), Error);
  TrainedRanges ranges({activation_range(4, false)}, {1.0f});
  back(ranges, leaf({2.0f}), {std::numeric_limits<float>::infinity()});
  EXPECT_THROW(ranges.step(0.1, 0.9, 0.0), Error);
}

}  // namespace
}  // namespace bittern
