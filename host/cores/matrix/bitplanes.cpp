#include "host/cores/matrix/bitplanes.h"

#include <algorithm>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif
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

template <int kByte>
std::uint8_t byte_of(std::int16_t value) {
  return static_cast<std::uint8_t>(static_cast<std::uint16_t>(value) >> (8 * kByte));
}

/// One byte of each value of an 8 x 8 block of 16-bit integers, transposed.
template <int kByte>
void transpose_block(const std::int16_t* source, std::size_t source_stride, std::uint8_t* target,
                     std::size_t target_stride) {
#ifdef __SSE2__
  const __m128i low_bytes = _mm_set1_epi16(0xff);
  const auto row = [&](int j) {
    const __m128i values =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(source + j * source_stride));
    return kByte == 0 ? _mm_and_si128(values, low_bytes) : _mm_srli_epi16(values, 8);
  };
  // Rows as bytes, j and j + 4 in one register; three rounds of interleaving transpose them.
  const __m128i a = _mm_packus_epi16(row(0), row(4));
  const __m128i b = _mm_packus_epi16(row(1), row(5));
  const __m128i c = _mm_packus_epi16(row(2), row(6));
  const __m128i d = _mm_packus_epi16(row(3), row(7));
  const __m128i ac0 = _mm_unpacklo_epi8(a, c);  // rows 0 and 2
  const __m128i ac1 = _mm_unpackhi_epi8(a, c);  // rows 4 and 6
  const __m128i bd0 = _mm_unpacklo_epi8(b, d);  // rows 1 and 3
  const __m128i bd1 = _mm_unpackhi_epi8(b, d);  // rows 5 and 7
  const __m128i low[2] = {_mm_unpacklo_epi8(ac0, bd0), _mm_unpackhi_epi8(ac0, bd0)};   // 0 to 3
  const __m128i high[2] = {_mm_unpacklo_epi8(ac1, bd1), _mm_unpackhi_epi8(ac1, bd1)};  // 4 to 7
  for (int half = 0; half < 2; ++half) {
    const __m128i columns[2] = {_mm_unpacklo_epi32(low[half], high[half]),
                                _mm_unpackhi_epi32(low[half], high[half])};
    for (int pair = 0; pair < 2; ++pair) {
      std::uint8_t* to = target + (4 * half + 2 * pair) * target_stride;
      _mm_storel_epi64(reinterpret_cast<__m128i*>(to), columns[pair]);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(to + target_stride),
                       _mm_unpackhi_epi64(columns[pair], columns[pair]));
    }
  }
#else
  std::uint64_t rows[8];
  for (int j = 0; j < 8; ++j) {
    std::uint8_t bytes[8];
    for (int e = 0; e < 8; ++e) bytes[e] = byte_of<kByte>(source[j * source_stride + e]);
    std::memcpy(&rows[j], bytes, 8);
  }
  transpose_8x8_bytes(rows);
  for (int e = 0; e < 8; ++e) std::memcpy(target + e * target_stride, &rows[e], 8);
#endif
}

/// See transpose_to_bytes().
template <int kByte>
void transpose_bytes(const std::int16_t* source, std::size_t source_stride, int channels, int width,
                     std::uint8_t* target, std::size_t target_stride) {
  if (width == 1) {
    // One value a row: channels are a column, one contiguous run when source_stride is 1 too.
    if (source_stride == 1) {
      for (int c = 0; c < channels; ++c) target[c] = byte_of<kByte>(source[c]);
    } else {
      for (int c = 0; c < channels; ++c) target[c] = byte_of<kByte>(source[c * source_stride]);
    }
    return;
  }
  const int full_channels = channels / 8 * 8;
  const int full_width = width / 8 * 8;
  for (int c = 0; c < full_channels; c += 8) {
    for (int x = 0; x < full_width; x += 8) {
      transpose_block<kByte>(source + c * source_stride + x, source_stride,
                             target + x * target_stride + c, target_stride);
    }
    for (int x = full_width; x < width; ++x) {
      for (int j = 0; j < 8; ++j) {
        target[x * target_stride + c + j] = byte_of<kByte>(source[(c + j) * source_stride + x]);
      }
    }
  }
  for (int c = full_channels; c < channels; ++c) {
    for (int x = 0; x < width; ++x) {
      target[x * target_stride + c] = byte_of<kByte>(source[c * source_stride + x]);
    }
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

void pack_fields(const std::uint8_t* source, const std::uint8_t* high, std::size_t count, int bits,
                 std::uint64_t* target) {
  if (bits > 8) {
    std::fill(target, target + count * bits / 64 + 1, 0);
    const std::uint64_t mask = ~std::uint64_t{0} >> (64 - bits);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t value = (source[i] | (std::uint64_t{high[i]} << 8)) & mask;
      const std::size_t bit = i * bits;
      target[bit / 64] |= value << (bit % 64);
      target[bit / 64 + 1] |= (value >> 1) >> (63 - bit % 64);
    }
    return;
  }
  // Eight bytes are pushed together in three rounds: pairs, pairs of pairs, halves. What a store
  // writes beyond its eight integers, the next one overwrites.
  const std::uint64_t low_bits = 0x0101010101010101ull * ((1u << bits) - 1);
  auto* to = reinterpret_cast<std::uint8_t*>(target);
  for (std::size_t i = 0; i < count; i += 8, to += bits) {
    std::uint64_t x = 0;
    std::memcpy(&x, source + i, 8);
    x &= low_bits;
    x = (x & 0x00ff00ff00ff00ffull) | ((x & 0xff00ff00ff00ff00ull) >> (8 - bits));
    x = (x & 0x0000ffff0000ffffull) | ((x & 0xffff0000ffff0000ull) >> (2 * (8 - bits)));
    x = (x & 0x00000000ffffffffull) | ((x & 0xffffffff00000000ull) >> (4 * (8 - bits)));
    std::memcpy(to, &x, 8);
  }
}

void transpose_to_bytes(const std::int16_t* source, std::size_t source_stride, int channels,
                        int width, int byte, std::uint8_t* target, std::size_t target_stride) {
  const auto transpose = byte == 0 ? &transpose_bytes<0> : &transpose_bytes<1>;
  transpose(source, source_stride, channels, width, target, target_stride);
}

}  // namespace bittern
