#pragma once

#include <cstdint>

namespace bittern {

/// Multiplication of an integer by a real factor, as integers do it: a multiplier of 31 bits and a
/// shift. The product is exact; it is rounded once, to the nearest integer, halves towards plus
/// infinity (as rtl/common/bittern_requantise.sv rounds).
struct Rescale {
  std::int32_t multiplier = 1 << 30;  ///< 0, or 2^30 .. 2^31 - 1
  int shift = 30;                     ///< 1 .. 62

  /// The nearest to a factor: off by 2^-31 of it at most. Factors below 2^-32 become 0, which gives
  /// what they would have given. Throws Error unless 0 <= factor < 2^30.
  static Rescale of(double factor);

  /// floor(value * multiplier / 2^shift + 1/2). Defined for -2^31 <= value <= 2^31.
  std::int64_t operator()(std::int64_t value) const {
    return (value * multiplier + (std::int64_t{1} << (shift - 1))) >> shift;
  }
  /// Whether every value stays what it is.
  bool identity() const { return multiplier == 1 << 30 && shift == 30; }
  bool operator==(const Rescale& other) const {
    return multiplier == other.multiplier && shift == other.shift;
  }
};

}  // namespace bittern
