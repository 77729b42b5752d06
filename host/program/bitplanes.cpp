#include "host/program/bitplanes.h"

#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#define BITTERN_HAVE_AVX2 1
#include <immintrin.h>
#endif

namespace bittern {
namespace {

/// Bit 8 * r + c of the result is bit 8 * c + r of `x`.
std::uint64_t transpose_8x8_bits(std::uint64_t x) {
  std::uint64_t t = (x ^ (x >> 7)) & 0x00aa00aa00aa00aaull;
  x ^= t ^ (t << 7);
  t = (x ^ (x >> 14)) & 0x0000cccc0000ccccull;
  x ^= t ^ (t << 14);
  t = (x ^ (x >> 28)) & 0x00000000f0f0f0f0ull;
  return x ^ t ^ (t << 28);
}

/// rows[i] holds eight bytes; afterwards byte j of rows[i] is what was byte i of rows[j].
void transpose_8x8_bytes(std::uint64_t rows[8]) {
  constexpr std::uint64_t kHalf = 0x00000000ffffffffull;
  constexpr std::uint64_t kQuarter = 0x0000ffff0000ffffull;
  constexpr std::uint64_t kByte = 0x00ff00ff00ff00ffull;
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t a = rows[i];
    const std::uint64_t b = rows[i + 4];
    rows[i] = (a & kHalf) | (b << 32);
    rows[i + 4] = (a >> 32) | (b & ~kHalf);
  }
  for (int i = 0; i < 8; i += (i % 4 == 1) ? 3 : 1) {
    const std::uint64_t a = rows[i];
    const std::uint64_t b = rows[i + 2];
    rows[i] = (a & kQuarter) | ((b & kQuarter) << 16);
    rows[i + 2] = ((a >> 16) & kQuarter) | (b & ~kQuarter);
  }
  for (int i = 0; i < 8; i += 2) {
    const std::uint64_t a = rows[i];
    const std::uint64_t b = rows[i + 1];
    rows[i] = (a & kByte) | ((b & kByte) << 8);
    rows[i + 1] = ((a >> 8) & kByte) | (b & ~kByte);
  }
}

#ifdef BITTERN_HAVE_AVX2
__attribute__((target("avx2"))) void split_bitplanes_avx2(const std::uint8_t* source,
                                                          std::size_t count, int bits,
                                                          std::uint64_t* planes,
                                                          std::size_t plane_stride) {
  // The top plane is moved to bit 7 of every byte (what crosses from one byte into the next stays
  // below the planes that are read), then movemask collects one plane and doubling brings the next.
  const __m128i shift = _mm_cvtsi32_si128(8 - bits);
  for (std::size_t i = 0; i < count / 64; ++i) {
    const auto* at = reinterpret_cast<const __m256i*>(source + 64 * i);
    __m256i low = _mm256_sll_epi16(_mm256_loadu_si256(at), shift);
    __m256i high = _mm256_sll_epi16(_mm256_loadu_si256(at + 1), shift);
    for (int b = bits - 1; b >= 0; --b) {
      const auto first = static_cast<std::uint32_t>(_mm256_movemask_epi8(low));
      const auto second = static_cast<std::uint32_t>(_mm256_movemask_epi8(high));
      planes[b * plane_stride + i] = first | (static_cast<std::uint64_t>(second) << 32);
      low = _mm256_add_epi8(low, low);
      high = _mm256_add_epi8(high, high);
    }
  }
}
#endif

}  // namespace

void split_bitplanes_portable(const std::uint8_t* source, std::size_t count, int bits,
                              std::uint64_t* planes, std::size_t plane_stride) {
  for (std::size_t i = 0; i < count / 64; ++i) {
    std::uint64_t rows[8];
    for (int j = 0; j < 8; ++j) {
      std::memcpy(&rows[j], source + 64 * i + 8 * j, 8);
      rows[j] = transpose_8x8_bits(rows[j]);
    }
    // Byte b of rows[j] now holds plane b of elements 8j .. 8j+7.
    transpose_8x8_bytes(rows);
    for (int b = 0; b < bits; ++b) planes[b * plane_stride + i] = rows[b];
  }
}

void split_bitplanes(const std::uint8_t* source, std::size_t count, int bits, std::uint64_t* planes,
                     std::size_t plane_stride) {
#ifdef BITTERN_HAVE_AVX2
  static const bool have_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (have_avx2) return split_bitplanes_avx2(source, count, bits, planes, plane_stride);
#endif
  split_bitplanes_portable(source, count, bits, planes, plane_stride);
}

void transpose_to_bytes(const std::int16_t* source, std::size_t source_stride, int channels,
                        int width, std::uint8_t* target, std::size_t target_stride) {
  const int full_channels = channels / 8 * 8;
  const int full_width = width / 8 * 8;
  for (int c = 0; c < full_channels; c += 8) {
    for (int x = 0; x < full_width; x += 8) {
      std::uint64_t rows[8];
      for (int j = 0; j < 8; ++j) {
        const std::int16_t* from = source + (c + j) * source_stride + x;
        std::uint8_t bytes[8];
        for (int e = 0; e < 8; ++e) bytes[e] = static_cast<std::uint8_t>(from[e]);
        std::memcpy(&rows[j], bytes, 8);
      }
      transpose_8x8_bytes(rows);
      for (int e = 0; e < 8; ++e) std::memcpy(target + (x + e) * target_stride + c, &rows[e], 8);
    }
    for (int x = full_width; x < width; ++x) {
      for (int j = 0; j < 8; ++j) {
        target[x * target_stride + c + j] =
            static_cast<std::uint8_t>(source[(c + j) * source_stride + x]);
      }
    }
  }
  for (int c = full_channels; c < channels; ++c) {
    for (int x = 0; x < width; ++x) {
      target[x * target_stride + c] = static_cast<std::uint8_t>(source[c * source_stride + x]);
    }
  }
}

}  // namespace bittern
