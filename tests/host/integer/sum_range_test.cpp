#include "host/integer/sum_range.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "host/base/random.h"

namespace bittern {
namespace {

Layer linear(int inputs) {
  Layer layer;
  layer.kind = LayerKind::kLinear;
  layer.in_channels = inputs;
  layer.out_channels = 8;
  return layer;
}

TEST(SumRange, TheEmbeddingOfARecommenderLeaves32Bits) {
  const SumRange range = sum_range(linear(138000), {{8, 8}});
  EXPECT_EQ(range.least, std::int64_t{138000} * -128 * 255);
  EXPECT_EQ(range.greatest, std::int64_t{138000} * 127 * 255);
  EXPECT_EQ(range.bits(), 34);
  EXPECT_TRUE(range.exceeds());
  EXPECT_FALSE(sum_range(linear(138000), {{6, 8}}).exceeds());
}

TEST(SumRange, TheLimitIsExact) {
  // -128 * 128 = -2^14: 2^17 of them are -2^31, which 32 bits hold; 2^17 + 1 they do not.
  const Precision both_signed{{8, 8}, true, true};
  EXPECT_EQ(sum_range(linear(1 << 17), both_signed).greatest, std::int64_t{1} << 31);
  EXPECT_TRUE(sum_range(linear(1 << 17), both_signed).exceeds());
  EXPECT_FALSE(sum_range(linear((1 << 17) - 1), both_signed).exceeds());
  // One signed bit is -1 or 0: the sums are negative, and -2^31 is still one of 32 bits.
  const Precision one{{1, 1}, true, false};
  EXPECT_EQ(sum_range(linear(5), one).least, -5);
  EXPECT_EQ(sum_range(linear(5), one).greatest, 0);
  const Precision negative{{9, 1}, true, false};  // -256..255 times 0..1
  EXPECT_FALSE(sum_range(linear(1 << 23), negative).exceeds());
  EXPECT_TRUE(sum_range(linear((1 << 23) + 1), negative).exceeds());
}

TEST(SumRange, GroupsAndWindowsCount) {
  Layer conv;
  conv.kind = LayerKind::kConv;
  conv.in_channels = 64;
  conv.out_channels = 64;
  conv.groups = 4;
  conv.in_height = conv.in_width = 8;
  conv.kernel_h = 3;
  conv.kernel_w = 5;
  EXPECT_EQ(sum_range(conv, {{2, 2}, false, false}).greatest, 16 * 15 * 9);
}

TEST(SumRange, AgreesWithExactArithmeticAtEveryPrecision) {
  Rng rng(4);
  for (int round = 0; round < 20000; ++round) {
    // Few and very many products: up to the 2^31 that a layer may have.
    const auto inputs = static_cast<int>(std::int64_t{1} << rng.integer(0, 24)) -
                        static_cast<int>(rng.integer(0, 1));
    Layer layer = linear(std::max(inputs, 1));
    if (rng.integer(0, 3) == 0) {
      layer.kind = LayerKind::kConv;
      layer.kernel_h = static_cast<int>(rng.integer(1, 127));
    }
    Precision p;
    p.bits = {static_cast<int>(rng.integer(1, 16)), static_cast<int>(rng.integer(1, 16))};
    p.weight_signed = rng.integer(0, 1) == 1;
    p.activation_signed = rng.integer(0, 1) == 1;
    // long double has 64 bits of mantissa: exact up to 2^63.
    long double least = 0;
    long double greatest = 0;
    bool first = true;
    const auto ends = [](int bits, bool is_signed) {
      const long double n = std::exp2(static_cast<long double>(bits));
      return is_signed ? std::pair(-n / 2, n / 2 - 1) : std::pair(0.0L, n - 1);
    };
    const auto w = ends(p.bits.weight, p.weight_signed);
    const auto a = ends(p.bits.activation, p.activation_signed);
    for (const long double x : {w.first, w.second}) {
      for (const long double y : {a.first, a.second}) {
        const long double sum = static_cast<long double>(layer.reduction()) * x * y;
        least = first ? sum : std::min(least, sum);
        greatest = first ? sum : std::max(greatest, sum);
        first = false;
      }
    }
    const SumRange range = sum_range(layer, p);
    ASSERT_EQ(static_cast<long double>(range.least), least);
    ASSERT_EQ(static_cast<long double>(range.greatest), greatest);
    const bool exceeds = least < -2147483648.0L || greatest > 2147483647.0L;
    ASSERT_EQ(range.exceeds(), exceeds)
        << layer.key() << " " << p.bits.weight << "/" << p.bits.activation;
  }
}

}  // namespace
}  // namespace bittern
