#include "host/integer/result_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "host/cores/core.h"
#include "host/cores/stream/result_options.h"
#include "host/integer/reference.h"
#include "tests/host/cores/random_layers.h"
#include "tests/host/cores/requantised.h"

namespace bittern {
namespace {

TEST(ResultFormatTest, RequantisingRoundsHalvesUpAndClamps) {
  const ResultFormat byte{8, 2, true};
  EXPECT_EQ(requantise(5, byte), 1);    // 1.25
  EXPECT_EQ(requantise(6, byte), 2);    // 1.5
  EXPECT_EQ(requantise(-6, byte), -1);  // -1.5
  EXPECT_EQ(requantise(-7, byte), -2);  // -1.75
  EXPECT_EQ(requantise(4 * 127 + 1, byte), 127);
  EXPECT_EQ(requantise(4 * 127 + 2, byte), 127);
  EXPECT_EQ(requantise(-4 * 128 - 3, byte), -128);
  EXPECT_EQ(requantise(-1, {4, 0, false}), 0);
  EXPECT_EQ(requantise(16, {4, 0, false}), 15);
  EXPECT_EQ(requantise(std::numeric_limits<std::int32_t>::max(), {2, 31, true}), 1);
  EXPECT_EQ(requantise(std::numeric_limits<std::int32_t>::min(), {2, 31, true}), -1);
  EXPECT_EQ(requantise(-123456, ResultFormat{}), -123456);
}

TEST(ResultFormatTest, RequantisingEqualsTheDivision) {
  Rng rng(3);
  for (int i = 0; i < 20000; ++i) {
    const auto sum = static_cast<std::int32_t>(rng.next()) >> rng.integer(0, 31);
    const ResultFormat format{2 << rng.integer(0, 2), static_cast<int>(rng.integer(0, 31)),
                              rng.integer(0, 1) == 1};
    ASSERT_EQ(requantise(sum, format),
              requantised(sum, format.bits, format.shift, format.is_signed))
        << sum << " to " << format.bits << " bits, shift " << format.shift;
  }
}

TEST(ResultFormatTest, ResultsAreAsWideAsTheActivationsAndAsNarrowAsTheHardwareCan) {
  Layer layer;
  layer.in_channels = 64;
  layer.out_channels = 8;
  const auto bits = [&](int activation, int least) {
    return requantised_format(layer, {{8, activation}}, least).bits;
  };
  EXPECT_EQ(bits(1, 2), 2);
  EXPECT_EQ(bits(2, 2), 2);
  EXPECT_EQ(bits(3, 2), 4);
  EXPECT_EQ(bits(5, 2), 8);
  EXPECT_EQ(bits(8, 2), 8);
  EXPECT_EQ(bits(2, 8), 8);
  EXPECT_EQ(bits(9, 2), 32);  // no more than 8
  EXPECT_EQ(bits(4, 32), 32);
}

TEST(ResultFormatTest, TheShiftSpreadsOutputsOverTheRange) {
  // An output that most values miss, or that most are clamped to, would hide wrong sums.
  Rng rng(5);
  for (int i = 0; i < 60; ++i) {
    const Layer layer = random_layer(rng);
    const Precision precision = random_precision(rng);
    const ResultFormat format = requantised_format(layer, precision, 2);
    ASSERT_EQ(format.is_signed, precision.activation_signed);
    if (layer.outputs() < 200 || format.bits < 4 || !format.is_signed) continue;
    // Signed operands of few bits have a mean of -1/2; times weights without sign, sums leave the
    // middle of the range. Weights of networks are signed.
    if (!precision.weight_signed) continue;
    std::vector<std::int32_t> outputs =
        reference_outputs(layer, 1, random_layer_data(layer, precision, 1, i));
    requantise(outputs, format);
    const std::int32_t high = (1 << (format.bits - 1)) - 1;
    const auto clamped = std::count_if(outputs.begin(), outputs.end(),
                                       [&](std::int32_t v) { return v == high || v == -high - 1; });
    std::sort(outputs.begin(), outputs.end());
    const auto distinct = std::unique(outputs.begin(), outputs.end()) - outputs.begin();
    EXPECT_LT(clamped, static_cast<std::ptrdiff_t>(layer.outputs() / 2))
        << layer.name << ' ' << precision.key() << ", format of " << format.bits << " bits, shift "
        << format.shift;
    EXPECT_GE(distinct, 4) << layer.name;
  }
}

}  // namespace
}  // namespace bittern
