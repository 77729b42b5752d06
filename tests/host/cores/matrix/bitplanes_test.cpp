#include "host/cores/matrix/bitplanes.h"

#include <gtest/gtest.h>

#include <vector>

#include "host/base/random.h"

namespace bittern {
namespace {

TEST(BitplanesTest, FastAndPortableVersionsAgreeWithTheDefinition) {
  Rng rng(1);
  for (int bits = 1; bits <= 8; ++bits) {
    for (const std::size_t count : {64, 128, 640}) {
      std::vector<std::uint8_t> source(count);
      for (auto& value : source) value = static_cast<std::uint8_t>(rng.next());
      const std::size_t stride = count / 64 + 3;
      std::vector<std::uint64_t> fast(8 * stride, 77);
      std::vector<std::uint64_t> portable(8 * stride, 77);
      std::vector<std::uint64_t> expected(8 * stride, 77);
      for (int b = 0; b < bits; ++b) {
        for (std::size_t i = 0; i < count / 64; ++i) expected[b * stride + i] = 0;
        for (std::size_t i = 0; i < count; ++i) {
          expected[b * stride + i / 64] |= static_cast<std::uint64_t>((source[i] >> b) & 1)
                                           << (i % 64);
        }
      }
      split_bitplanes(source.data(), count, bits, fast.data(), stride);
      split_bitplanes_portable(source.data(), count, bits, portable.data(), stride);
      EXPECT_EQ(fast, expected) << bits << " bits, " << count;
      EXPECT_EQ(portable, expected) << bits << " bits, " << count;
    }
  }
}

TEST(BitplanesTest, FieldsLieSideBySide) {
  Rng rng(3);
  for (int bits = 1; bits <= 16; ++bits) {
    for (const std::size_t count : {64, 192}) {
      std::vector<std::uint8_t> low(count);
      std::vector<std::uint8_t> high(count);
      for (auto& value : low) value = static_cast<std::uint8_t>(rng.next());
      for (auto& value : high) value = static_cast<std::uint8_t>(rng.next());
      const std::size_t words = count * bits / 64;
      std::vector<std::uint64_t> packed(words + 2, 77);
      pack_fields(low.data(), bits > 8 ? high.data() : nullptr, count, bits, packed.data());
      EXPECT_EQ(packed[words + 1], 77u) << "writes more than one word behind";
      for (std::size_t i = 0; i < count * bits; ++i) {
        const int value = low[i / bits] | high[i / bits] << 8;
        ASSERT_EQ(packed[i / 64] >> (i % 64) & 1, static_cast<unsigned>(value >> (i % bits)) & 1)
            << bits << " bits, bit " << i;
      }
    }
  }
}

TEST(BitplanesTest, TransposesAnyShape) {
  Rng rng(2);
  for (int round = 0; round < 50; ++round) {
    const int channels = static_cast<int>(rng.integer(1, 30));
    const int width = round % 5 == 0 ? 1 : static_cast<int>(rng.integer(1, 30));
    const std::size_t source_stride = width + (round % 10 == 0 ? 0 : rng.integer(0, 5));
    const std::size_t target_stride = channels + rng.integer(0, 5);
    std::vector<std::int16_t> source(channels * source_stride);
    for (auto& value : source) value = static_cast<std::int16_t>(rng.next());
    for (const int byte : {0, 1}) {
      std::vector<std::uint8_t> target(width * target_stride, 99);
      std::vector<std::uint8_t> expected = target;
      for (int c = 0; c < channels; ++c) {
        for (int x = 0; x < width; ++x) {
          const auto value = static_cast<std::uint16_t>(source[c * source_stride + x]);
          expected[x * target_stride + c] = static_cast<std::uint8_t>(value >> (8 * byte));
        }
      }
      transpose_to_bytes(source.data(), source_stride, channels, width, byte, target.data(),
                         target_stride);
      EXPECT_EQ(target, expected) << channels << " x " << width << " byte " << byte;
    }
  }
}

TEST(BitplanesTest, AppendsBitsAtAnyOffset) {
  Rng rng(3);
  for (int round = 0; round < 500; ++round) {
    const std::size_t length = rng.integer(1, 300);
    const std::size_t from = rng.integer(0, 150);
    const std::size_t to = rng.integer(0, 150);
    std::vector<std::uint64_t> source(10);
    for (auto& word : source) word = rng.next();
    std::vector<std::uint64_t> target(10, 0);
    append_bits(source.data(), from, length, target.data(), to);
    for (std::size_t i = 0; i < 640; ++i) {
      const bool inside = i >= to && i < to + length;
      const std::uint64_t bit =
          inside ? source[(from + i - to) / 64] >> ((from + i - to) % 64) & 1 : 0;
      ASSERT_EQ(target[i / 64] >> (i % 64) & 1, bit)
          << length << " " << from << " " << to << " " << i;
    }
  }
}

}  // namespace
}  // namespace bittern
