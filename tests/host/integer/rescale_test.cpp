#include "host/integer/rescale.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "host/base/error.h"
#include "host/base/random.h"
#include "host/integer/quantised_network.h"

namespace bittern {
namespace {

TEST(Rescale, OneLeavesEveryValueAsItIs) {
  const Rescale one = Rescale::of(1.0);
  EXPECT_TRUE(one.identity());
  EXPECT_TRUE(Rescale().identity());
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{255},
        std::int64_t{std::numeric_limits<std::int32_t>::min()}, std::int64_t{1} << 31}) {
    EXPECT_EQ(one(value), value);
  }
}

TEST(Rescale, HalvesGoTowardsPlusInfinity) {
  const Rescale half = Rescale::of(0.5);
  EXPECT_EQ(half(1), 1);
  EXPECT_EQ(half(-1), 0);
  EXPECT_EQ(half(3), 2);
  EXPECT_EQ(half(-3), -1);
  EXPECT_EQ(half(4), 2);
}

TEST(Rescale, IsTheNearestToTheRealProduct) {
  Rng rng(5);
  for (int i = 0; i < 20000; ++i) {
    const double factor =
        std::ldexp(0.5 + 0.5 * rng.uniform(), static_cast<int>(rng.integer(-30, 20)));
    const std::int64_t value = rng.integer(-(1 << 20), 1 << 20);
    const Rescale rescale = Rescale::of(factor);
    const double product = static_cast<double>(value) * factor;
    // The factor is off by 2^-31 of it.
    const double slack = 0.5 + std::abs(product) * std::ldexp(1.0, -31) * 1.001;
    EXPECT_LE(std::abs(static_cast<double>(rescale(value)) - product), slack)
        << value << " * " << factor;
    EXPECT_GE(rescale.shift, 1);
    EXPECT_LE(rescale.shift, 62);
    EXPECT_GE(rescale.multiplier, 1 << 30);
  }
}

TEST(Rescale, EndsOfTheRangeDoNotOverflow) {
  const std::int64_t least = std::numeric_limits<std::int32_t>::min();
  // The greatest multiplier with the greatest shift: just less than 2^-31.
  const Rescale tiny{std::numeric_limits<std::int32_t>::max(), 62};
  EXPECT_EQ(tiny(least), -1);
  const Rescale great = Rescale::of(1073741823.0);
  EXPECT_EQ(great(std::int64_t{1} << 31), (std::int64_t{1} << 31) * 1073741823);
  EXPECT_EQ(great(least), least * 1073741823);
}

TEST(Rescale, FactorsThatCannotRoundAnythingUpAreZero) {
  EXPECT_EQ(Rescale::of(0.0)(1 << 30), 0);
  const Rescale least = Rescale::of(std::ldexp(1.0, -40));
  EXPECT_EQ(least.multiplier, 0);
  EXPECT_EQ(least(std::int64_t{1} << 31), 0);
  // 2^-32 times 2^31 is a half, which goes up.
  EXPECT_EQ(Rescale::of(std::ldexp(1.0, -32))(std::int64_t{1} << 31), 1);
}

TEST(Rescale, RefusesWhatIsNoFactor) {
  for (const double factor : {-1.0, 1073741824.0, std::nan(""), HUGE_VAL, 1073741823.9999999}) {
    EXPECT_THROW(Rescale::of(factor), Error) << factor;
  }
}

TEST(ScaledSum, IsTheNearestToTheRealSum) {
  Rng rng(11);
  for (int i = 0; i < 5000; ++i) {
    std::vector<double> factors;
    const std::int64_t count = rng.integer(1, 5);
    for (std::int64_t k = 0; k < count; ++k) {
      factors.push_back((rng.uniform() - 0.5) *
                        std::ldexp(1.0, static_cast<int>(rng.integer(-10, 6))));
    }
    const double offset =
        (rng.uniform() - 0.5) * std::ldexp(1.0, static_cast<int>(rng.integer(-5, 20)));
    const ScaledSum sum = ScaledSum::of(factors, offset);
    std::int64_t exact = sum.offset + (std::int64_t{1} << (sum.shift - 1));
    double real = offset;
    for (std::size_t k = 0; k < factors.size(); ++k) {
      const std::int64_t code = rng.integer(-255, 255);
      exact += code * sum.factors[k];
      real += static_cast<double>(code) * factors[k];
    }
    EXPECT_LE(std::abs(static_cast<double>(exact >> sum.shift) - real), 0.5 + 1e-4) << real;
  }
}

TEST(ScaledSum, RefusesWhatDoesNotFit) {
  EXPECT_THROW(ScaledSum::of({2e9}, 0), Error);
  EXPECT_THROW(ScaledSum::of({1.0}, 2e9), Error);
  EXPECT_THROW(ScaledSum::of({std::nan("")}, 0), Error);
  EXPECT_THROW(ScaledSum::of({1.0}, std::nan("")), Error);
  EXPECT_NO_THROW(ScaledSum::of({0.0, 1e-30}, 1e9));
}

}  // namespace
}  // namespace bittern
