#include "agent/quant/quantiser.h"

#include <gtest/gtest.h>

#include <cmath>

#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/random.h"

namespace bittern {
namespace {

torch::Tensor random_tensor(std::vector<std::int64_t> shape, Rng& rng) {
  torch::Tensor tensor = torch::empty(shape);
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    tensor.data_ptr<float>()[i] = static_cast<float>(rng.normal());
  }
  return tensor;
}

TEST(LinearQuantiser, DequantisedCodesEqualFakeQuantisationBitForBit) {
  Rng rng(1);
  for (int round = 0; round < 200; ++round) {
    const torch::Tensor x =
        random_tensor({rng.integer(1, 6), rng.integer(1, 7), rng.integer(1, 5)}, rng);
    const int bits = static_cast<int>(rng.integer(2, 8));
    const bool is_signed = rng.uniform() < 0.5;
    const auto method = static_cast<ThresholdMethod>(rng.integer(0, 4));
    const LinearQuantiser quantiser =
        round % 2 == 0 ? weight_quantiser(x, bits, {method, rng.uniform() < 0.5})
                       : activation_quantiser(magnitudes_of(x, is_signed), bits, is_signed, method);
    const torch::Tensor codes = quantiser.codes(x);
    EXPECT_TRUE(torch::equal(quantiser.dequantise(codes), quantiser.fake_quantise(x)));
    EXPECT_TRUE(torch::equal(quantiser.fake_quantise_with_gradient(x), quantiser.fake_quantise(x)));
    EXPECT_GE(codes.to(torch::kInt).min().item<int>(), quantiser.range().low);
    EXPECT_LE(codes.to(torch::kInt).max().item<int>(), quantiser.range().high);
  }
}

TEST(LinearQuantiser, ErrorIsAtMostHalfAStepWhenNothingIsClipped) {
  Rng rng(2);
  for (int bits = 2; bits <= 8; ++bits) {
    const torch::Tensor x = random_tensor({500}, rng);
    const LinearQuantiser quantiser = weight_quantiser(x, bits, {ThresholdMethod::kMax, false});
    const float worst = (quantiser.fake_quantise(x) - x).abs().max().item<float>();
    EXPECT_LE(worst, 0.5001f * quantiser.scales()[0]);
    EXPECT_GT(worst, 0.3f * quantiser.scales()[0]);
  }
}

TEST(LinearQuantiser, CodesAreKnownValues) {
  const LinearQuantiser quantiser(weight_range(3), 3.0f);  // scale 1, codes -3..3
  const torch::Tensor x = torch::tensor({0.5f, 1.5f, 2.5f, -0.5f, -9.0f, 9.0f, 0.6f});
  EXPECT_TRUE(torch::equal(quantiser.codes(x).to(torch::kInt),
                           torch::tensor({0, 2, 2, 0, -3, 3, 1}, torch::kInt)));
}

/// ReLeQ, equation 1.
TEST(LinearQuantiser, WrpnRoundsToStepsBetweenMinusOneAndOne) {
  WeightQuantisation how;
  how.kind = WeightKind::kWrpn;
  const torch::Tensor x = torch::tensor({-1.7f, -0.91f, -0.4f, 0.0f, 0.11f, 0.49f, 0.55f, 1.2f});
  for (int bits = 2; bits <= 8; ++bits) {
    const double steps = std::exp2(bits - 1) - 1.0;
    const torch::Tensor expected = (x.clamp(-1.0, 1.0) * steps).round() / steps;
    EXPECT_TRUE(torch::allclose(weight_quantiser(x, bits, how).fake_quantise(x), expected)) << bits;
  }
  EXPECT_THROW(weight_quantiser(x, 1, how), Error);
  how.kind = WeightKind::kKmeans;
  EXPECT_THROW(weight_quantiser(x, 4, how), Error);
  EXPECT_THROW(weight_kind_of("ternary"), Error);
  EXPECT_EQ(weight_kind_of("wrpn"), WeightKind::kWrpn);
}

TEST(LinearQuantiser, BinaryWeightsAreSignsTimesTheMeanMagnitude) {
  const torch::Tensor x = torch::tensor({0.5f, -1.5f, 0.0f, 2.0f});
  const LinearQuantiser quantiser = weight_quantiser(x, 1, {ThresholdMethod::kMax, false});
  EXPECT_EQ(quantiser.scales(), std::vector<float>{1.0f});
  EXPECT_TRUE(
      torch::equal(quantiser.codes(x).to(torch::kInt), torch::tensor({1, -1, 1, 1}, torch::kInt)));
  EXPECT_TRUE(torch::equal(quantiser.fake_quantise(x), torch::tensor({1.0f, -1.0f, 1.0f, 1.0f})));
  EXPECT_TRUE(torch::equal(quantiser.dequantise(quantiser.codes(x)), quantiser.fake_quantise(x)));
}

TEST(LinearQuantiser, EightBitPixelsPassUnchanged) {
  const torch::Tensor pixels = torch::arange(0, 256).to(torch::kFloat32).div_(255.0f);
  const LinearQuantiser quantiser =
      activation_quantiser(magnitudes_of(pixels, false), 8, false, ThresholdMethod::kMax);
  EXPECT_TRUE(
      torch::equal(quantiser.codes(pixels).to(torch::kInt), torch::arange(0, 256, torch::kInt)));
}

TEST(LinearQuantiser, UnsignedCodesClipNegativeValues) {
  const LinearQuantiser quantiser(activation_range(2, false), 3.0f);
  EXPECT_TRUE(torch::equal(quantiser.fake_quantise(torch::tensor({-2.0f, 1.2f, 7.0f})),
                           torch::tensor({0.0f, 1.0f, 3.0f})));
}

TEST(LinearQuantiser, GradientPassesInsideTheRangeOnly) {
  const LinearQuantiser quantiser(activation_range(2, false), 3.0f);
  const torch::Tensor x =
      torch::tensor({-2.0f, -0.4f, 0.3f, 2.9f, 3.4f, 3.6f, 50.0f}).requires_grad_(true);
  const torch::Tensor weights = torch::tensor({1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f});
  (quantiser.fake_quantise_with_gradient(x) * weights).sum().backward();
  EXPECT_TRUE(torch::equal(x.grad(), torch::tensor({0.0f, 2.0f, 3.0f, 4.0f, 5.0f, 0.0f, 0.0f})));
}

TEST(LinearQuantiser, ChannelsHaveScalesOfTheirOwn) {
  const torch::Tensor weight = torch::tensor({1.0f, -0.5f, 0.01f, 0.02f}).view({2, 2});
  const LinearQuantiser together = weight_quantiser(weight, 4, {ThresholdMethod::kMax, false});
  const LinearQuantiser apart = weight_quantiser(weight, 4, {ThresholdMethod::kMax, true});
  EXPECT_EQ(together.scales().size(), 1u);
  ASSERT_EQ(apart.scales().size(), 2u);
  EXPECT_FLOAT_EQ(apart.scales()[1], 0.02f / 7);
  EXPECT_EQ(together.codes(weight)[1][1].item<int>(), 0);
  EXPECT_EQ(apart.codes(weight)[1][1].item<int>(), 7);
  EXPECT_THROW(apart.codes(torch::zeros({3, 2})), Error);
}

TEST(LinearQuantiser, PerChannelErrorIsNoLargerThanPerTensor) {
  Rng rng(4);
  torch::Tensor weight = random_tensor({16, 8, 3, 3}, rng);
  weight.mul_(torch::linspace(0.1, 2.0, 16).view({16, 1, 1, 1}));
  for (int bits = 2; bits <= 8; ++bits) {
    const auto error = [&](bool per_channel) {
      const auto quantiser = weight_quantiser(weight, bits, {ThresholdMethod::kMse, per_channel});
      return (quantiser.fake_quantise(weight) - weight).square().sum().item<float>();
    };
    EXPECT_LT(error(true), error(false)) << bits;
  }
}

TEST(LinearQuantiser, LayoutOfTheTensorDoesNotMatter) {
  Rng rng(6);
  const torch::Tensor x = random_tensor({2, 3, 4, 5}, rng);
  const torch::Tensor other = x.contiguous(torch::MemoryFormat::ChannelsLast);
  const LinearQuantiser quantiser =
      activation_quantiser(magnitudes_of(x, true), 4, true, ThresholdMethod::kMse);
  EXPECT_TRUE(torch::equal(quantiser.fake_quantise(x), quantiser.fake_quantise(other)));
}

TEST(LinearQuantiser, ImpossibleThresholdsAreRefused) {
  EXPECT_THROW(LinearQuantiser(weight_range(4), 0.0f), Error);
  EXPECT_THROW(LinearQuantiser(weight_range(4), std::vector<float>{1.0f, -1.0f}), Error);
  EXPECT_THROW(LinearQuantiser(weight_range(4), std::vector<float>{}), Error);
}

}  // namespace
}  // namespace bittern
