#include "agent/quant/codebook.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "agent/quant/quantiser.h"
#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/random.h"

namespace bittern {
namespace {

std::vector<float> centres(const std::vector<float>& values, int count) {
  return cluster_centres({values.data(), values.size()}, count);
}

torch::Tensor normal_tensor(std::vector<std::int64_t> shape, std::uint64_t seed) {
  Rng rng(seed);
  torch::Tensor tensor = torch::empty(shape);
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    tensor.data_ptr<float>()[i] = static_cast<float>(rng.normal());
  }
  return tensor;
}

double squared_error(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).square().sum().item<double>();
}

TEST(ClusterCentres, FindsGroupsThatAreApart) {
  EXPECT_EQ(centres({9.0f, 1.0f, 2.0f, 11.0f, 10.0f, -30.0f}, 3),
            (std::vector<float>{-30.0f, 1.5f, 10.0f}));
  EXPECT_EQ(centres({4.0f, 2.0f}, 1), std::vector<float>{3.0f});
}

TEST(ClusterCentres, AreNoMoreThanThereAreValues) {
  EXPECT_EQ(centres({1.0f, 2.0f, 1.0f}, 8), (std::vector<float>{1.0f, 2.0f}));
  EXPECT_EQ(centres({5.0f, 5.0f}, 4), std::vector<float>{5.0f});
}

TEST(ClusterCentres, RefuseWhatCannotBeGrouped) {
  EXPECT_THROW(centres({}, 2), Error);
  EXPECT_THROW(centres({1.0f}, 0), Error);
  EXPECT_THROW(centres({1.0f, std::numeric_limits<float>::quiet_NaN()}, 2), Error);
}

/// Where k-means ends, every value is nearest to the mean of its own group.
TEST(CodebookQuantiser, GivesEveryValueTheNearestMean) {
  for (int bits = 1; bits <= 8; ++bits) {
    const torch::Tensor weight = normal_tensor({40, 10, 3}, static_cast<std::uint64_t>(bits));
    const CodebookQuantiser quantiser(weight, bits);
    const torch::Tensor means = quantiser.codebook(weight);
    ASSERT_LE(means.numel(), 1 << bits);
    const torch::Tensor distances = (weight.flatten().unsqueeze(1) - means.unsqueeze(0)).abs();
    const torch::Tensor nearest = distances.amin(1);
    const torch::Tensor taken = (weight - quantiser.fake_quantise(weight)).abs().flatten();
    // Means are kept in single precision.
    EXPECT_LE((taken - nearest).abs().max().item<double>(), 1e-5) << bits;
    EXPECT_TRUE(torch::equal(
        means.index_select(0, quantiser.codes().to(torch::kLong).flatten()).view_as(weight),
        quantiser.fake_quantise(weight)));
  }
}

TEST(CodebookQuantiser, LosesLessThanLinearCodesOfTheSameWidth) {
  const torch::Tensor weight = normal_tensor({2000}, 4);
  for (int bits = 2; bits <= 6; ++bits) {
    const CodebookQuantiser shared(weight, bits);
    const LinearQuantiser linear = weight_quantiser(weight, bits, {ThresholdMethod::kMse, false});
    EXPECT_LT(squared_error(shared.fake_quantise(weight), weight),
              squared_error(linear.fake_quantise(weight), weight))
        << bits;
  }
}

TEST(CodebookQuantiser, MovesACentreByTheMeanOfWhatItsWeightsAreMovedBy) {
  const torch::Tensor weight = torch::tensor({-1.0f, -1.2f, 2.0f, 2.4f});
  const CodebookQuantiser quantiser(weight, 1);
  EXPECT_TRUE(torch::allclose(quantiser.codebook(weight), torch::tensor({-1.1f, 2.2f})));
  const torch::Tensor moved = weight + torch::tensor({0.1f, 0.3f, 0.0f, -1.0f});
  EXPECT_TRUE(torch::allclose(quantiser.codebook(moved), torch::tensor({-0.9f, 1.7f})));
  EXPECT_TRUE(
      torch::allclose(quantiser.fake_quantise(moved), torch::tensor({-0.9f, -0.9f, 1.7f, 1.7f})));
}

TEST(CodebookQuantiser, RefusesOtherWidthsAndOtherTensors) {
  const torch::Tensor weight = normal_tensor({8}, 1);
  EXPECT_THROW(CodebookQuantiser(weight, 0), Error);
  EXPECT_THROW(CodebookQuantiser(weight, 9), Error);
  EXPECT_THROW(CodebookQuantiser(weight, 2).fake_quantise(normal_tensor({9}, 1)), Error);
}

}  // namespace
}  // namespace bittern
