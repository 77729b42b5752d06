#include "host/network/quantiser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/base/random.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

Quantiser made(int bits, bool is_signed, bool narrow) {
  Quantiser q;
  q.bits = bits;
  q.is_signed = is_signed;
  q.narrow = narrow;
  return q;
}

TEST(Quantiser, HasTheCodesOfItsBits) {
  EXPECT_EQ(made(2, true, false).low(), -2);
  EXPECT_EQ(made(2, true, false).high(), 1);
  EXPECT_EQ(made(2, true, true).low(), -1);
  EXPECT_EQ(made(8, false, false).high(), 255);
  EXPECT_EQ(made(8, false, true).high(), 254);
  EXPECT_EQ(made(32, true, false).low(), -2147483648.0);
  Quantiser bipolar = made(1, true, false);
  bipolar.bipolar = true;
  EXPECT_EQ(bipolar.low(), -1);
  EXPECT_EQ(bipolar.high(), 1);
  EXPECT_EQ(bipolar.code(0.0F, 0), 1);
  EXPECT_EQ(bipolar.code(-0.001F, 0), -1);
}

TEST(Quantiser, GivesTheNearestValueThatHasACode) {
  Rng rng(3);
  for (int round = 0; round < 2000; ++round) {
    Quantiser q = made(static_cast<int>(rng.integer(2, 8)), rng.uniform() < 0.5, false);
    q.scale = {static_cast<float>(0.01 + rng.uniform())};
    q.zero_point = {static_cast<float>(
        rng.integer(static_cast<std::int64_t>(q.low()), static_cast<std::int64_t>(q.high())))};
    const auto x = static_cast<float>(200 * rng.uniform() - 100);
    const float found = q.quantise(x, 0);
    // By trying all codes.
    double best = std::numeric_limits<double>::infinity();
    for (double code = q.low(); code <= q.high(); ++code) {
      best = std::min(best, std::abs(double{q.value(static_cast<float>(code), 0)} - x));
    }
    EXPECT_NEAR(std::abs(found - x), best, 1e-4) << q.text() << " " << x;
  }
}

TEST(Quantiser, RoundsAsItsNameSays) {
  const std::vector<double> values = {-2.5, -1.5, -0.6, -0.5, -0.4, 0.4, 0.5, 0.6, 1.5, 2.5};
  const auto all = [&values](Rounding rounding) {
    std::vector<double> codes;
    for (const double value : values) codes.push_back(rounded(value, rounding) + 0.0);
    return codes;
  };
  using V = std::vector<double>;
  EXPECT_EQ(all(Rounding::kHalfEven), (V{-2, -2, -1, 0, 0, 0, 0, 1, 2, 2}));
  EXPECT_EQ(all(Rounding::kHalfUp), (V{-3, -2, -1, -1, 0, 0, 1, 1, 2, 3}));
  EXPECT_EQ(all(Rounding::kHalfDown), (V{-2, -1, -1, 0, 0, 0, 0, 1, 1, 2}));
  EXPECT_EQ(all(Rounding::kDown), (V{-2, -1, 0, 0, 0, 0, 0, 0, 1, 2}));
  EXPECT_EQ(all(Rounding::kUp), (V{-3, -2, -1, -1, -1, 1, 1, 1, 2, 3}));
  EXPECT_EQ(all(Rounding::kFloor), (V{-3, -2, -1, -1, -1, 0, 0, 0, 1, 2}));
  EXPECT_EQ(all(Rounding::kCeil), (V{-2, -1, 0, 0, 0, 1, 1, 1, 2, 3}));
  for (const std::string& name : rounding_names())
    EXPECT_EQ(rounding_name(rounding_of(name)), name);
}

TEST(Quantiser, SaysWhatIsImpossible) {
  const auto message = [](Quantiser q, std::size_t channels) -> std::string {
    try {
      q.validate(channels);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message(made(4, true, false), 3), "");
  EXPECT_THAT(message(made(0, true, false), 1), HasSubstr("expected 1 to 32"));
  EXPECT_THAT(message(made(1, true, true), 1), HasSubstr("two or more"));
  Quantiser q = made(4, true, false);
  q.scale = {1.0F, 2.0F};
  EXPECT_THAT(message(q, 3), HasSubstr("2 scales for 3 channels"));
  q.scale = {0.0F};
  EXPECT_THAT(message(q, 3), HasSubstr("positive"));
  q.scale = {1.0F};
  q.zero_point = {0.5F};
  EXPECT_THAT(message(q, 3), HasSubstr("zero point"));
  q.zero_point = {9.0F};
  EXPECT_THAT(message(q, 3), HasSubstr("from -8 to 7"));
  q = made(2, true, false);
  q.bipolar = true;
  EXPECT_THAT(message(q, 1), HasSubstr("bipolar"));
}

}  // namespace
}  // namespace bittern
