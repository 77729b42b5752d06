#pragma once

#include <cstddef>
#include <cstdint>

namespace bittern {

/// Cuts bytes into bit planes: bit i % 64 of planes[b * plane_stride + i / 64] becomes bit b of
/// source[i], for b < bits (1..8). `count` is a multiple of 64. Picks the fastest version that this
/// processor has.
void split_bitplanes(const std::uint8_t* source, std::size_t count, int bits, std::uint64_t* planes,
                     std::size_t plane_stride);

/// The same in plain C++: 8x8 bit transposes in 64-bit registers.
void split_bitplanes_portable(const std::uint8_t* source, std::size_t count, int bits,
                              std::uint64_t* planes, std::size_t plane_stride);

/// Puts integers side by side, `bits` (1..16) bits each: bits i * bits and up of `target` become
/// the low bits of source[i]. Integers of more than 8 bits have their upper bytes in `high`.
/// `count` is a multiple of 64; `target` has count * bits / 64 words and one more, which is
/// overwritten.
void pack_fields(const std::uint8_t* source, const std::uint8_t* high, std::size_t count, int bits,
                 std::uint64_t* target);

/// Low (`byte` 0) or high (1) bytes of a matrix of 16-bit integers, transposed: target[x *
/// target_stride + c] = that of source[c * source_stride + x] for c < channels, x < width.
void transpose_to_bytes(const std::int16_t* source, std::size_t source_stride, int channels,
                        int width, int byte, std::uint8_t* target, std::size_t target_stride);

/// Ors `length` bits of `source` from bit `source_bit` into `target` from bit `target_bit`, where
/// target's bits from there on are zero. Reads one word behind the last needed one, writes (zeros)
/// one word behind.
inline void append_bits(const std::uint64_t* source, std::size_t source_bit, std::size_t length,
                        std::uint64_t* target, std::size_t target_bit) {
  const std::uint64_t* from = source + source_bit / 64;
  const unsigned down = source_bit % 64;
  std::uint64_t* to = target + target_bit / 64;
  const unsigned up = target_bit % 64;
  // (x << 1) << (63 - s) is x << (64 - s) that is also right for s == 0.
  std::size_t left = length;
  for (; left > 64; left -= 64, ++from, ++to) {
    const std::uint64_t bits = (from[0] >> down) | ((from[1] << 1) << (63 - down));
    to[0] |= bits << up;
    to[1] |= (bits >> 1) >> (63 - up);
  }
  const std::uint64_t bits =
      ((from[0] >> down) | ((from[1] << 1) << (63 - down))) & (~std::uint64_t{0} >> (64 - left));
  to[0] |= bits << up;
  to[1] |= (bits >> 1) >> (63 - up);
}

}  // namespace bittern
