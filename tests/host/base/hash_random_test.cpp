#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/random.h"
#include "host/base/span.h"

namespace bittern {
namespace {

TEST(Sha256, MatchesThePublishedVectors) {
  // FIPS 180-4 examples and the empty message.
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesGiveTheSameAsTheWhole) {
  Rng rng(7);
  for (int n = 0; n < 200; ++n) {
    std::string text;
    const auto size = rng.integer(0, 300);
    for (int i = 0; i < size; ++i) text += static_cast<char>(rng.integer(0, 255));
    Sha256 hash;
    std::size_t at = 0;
    while (at < text.size()) {
      const auto count =
          static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(text.size() - at)));
      hash.update({reinterpret_cast<const std::uint8_t*>(text.data()) + at, count});
      at += count;
    }
    EXPECT_EQ(hash.hex(), sha256_hex(text));
  }
}

TEST(Sha256, FieldsDoNotRunTogether) {
  EXPECT_NE(Sha256().update_field("ab").update_field("c").hex(),
            Sha256().update_field("a").update_field("bc").hex());
}

TEST(Rng, SplitMixAndXoshiroMatchTheReference) {
  // State {1, 2, 3, 4}: the first outputs of the authors' xoshiro256**.
  Rng rng = Rng::restore("1 2 3 4");
  EXPECT_EQ(rng.next(), 11520u);
  EXPECT_EQ(rng.next(), 0u);
  EXPECT_EQ(rng.next(), 1509978240u);
  EXPECT_EQ(rng.next(), 1215971899390074240u);
  // Seed 0: SplitMix64's first outputs.
  EXPECT_EQ(Rng(0).save(), "e220a8397b1dcdaf 6e789e6aa1b965f4 06c45d188009454f f88bb8a8724c81ec");
}

TEST(Rng, SavedStateContinuesTheSequence) {
  Rng rng(42);
  rng.next();
  Rng copy = Rng::restore(rng.save());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rng.next(), copy.next());
}

TEST(Rng, BadStatesAreErrors) {
  EXPECT_THROW(Rng::restore(""), Error);
  EXPECT_THROW(Rng::restore("1 2 3"), Error);
  EXPECT_THROW(Rng::restore("0 0 0 0"), Error);
  EXPECT_THROW(Rng::restore("1 2 3 x"), Error);
  EXPECT_THROW(Rng::restore("1 2 3 4 5"), Error);
}

TEST(Rng, IntegersAreInRangeAndEquallyLikely) {
  Rng rng(3);
  std::map<std::int64_t, int> seen;
  for (int i = 0; i < 70000; ++i) ++seen[rng.integer(-3, 3)];
  ASSERT_EQ(seen.size(), 7u);
  for (const auto& [value, count] : seen) EXPECT_NEAR(count, 10000, 500) << value;
  EXPECT_EQ(rng.integer(5, 5), 5);
  // The whole range of 64 bits does not loop or divide by zero.
  rng.integer(INT64_MIN, INT64_MAX);
}

TEST(Rng, UniformAndNormalHaveTheRightMoments) {
  Rng rng(11);
  double sum = 0, square = 0, normal = 0, normal_square = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = rng.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    square += u * u;
    const double z = rng.normal();
    ASSERT_TRUE(std::isfinite(z));
    normal += z;
    normal_square += z * z;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
  EXPECT_NEAR(square / kDraws, 1.0 / 3.0, 0.005);
  EXPECT_NEAR(normal / kDraws, 0.0, 0.015);
  EXPECT_NEAR(normal_square / kDraws, 1.0, 0.02);
}

TEST(Rng, SplitStreamsDifferAndRepeat) {
  const Rng rng(5);
  EXPECT_EQ(rng.split(1).next(), rng.split(1).next());
  EXPECT_NE(rng.split(1).next(), rng.split(2).next());
  EXPECT_NE(rng.split(0).next(), Rng(5).next());
}

TEST(Span, ViewsContainersWithoutCopying) {
  std::vector<int> values = {1, 2, 3, 4};
  Span<int> view(values);
  view[0] = 9;
  EXPECT_EQ(values[0], 9);
  const Span<const int> tail = Span<const int>(values).subspan(2, 2);
  EXPECT_EQ(tail.size(), 2u);
  EXPECT_EQ(tail[1], 4);
  EXPECT_TRUE(Span<int>().empty());
}

}  // namespace
}  // namespace bittern
