#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "host/variant/variant.h"
#include "host/network/layer.h"

namespace bittern {

/// How the results of a layer leave the device: as the 32-bit sums that they are, or requantised by
/// rtl/common/bittern_requantise.sv, which scales by a power of two.
struct ResultFormat {
  int bits = 32;           ///< 32: sums; 8, 4 or 2: requantised
  int shift = 0;           ///< 0 to 31; without meaning for sums
  bool is_signed = false;  ///< likewise

  bool operator==(const ResultFormat& other) const {
    return bits == other.bits && shift == other.shift && is_signed == other.is_signed;
  }
};

/// What the write ports of a variant can make of sums, and whether lowering uses it.
struct ResultOptions {
  int min_bits = 32;         ///< narrowest results: rtl.MinResultBits, 32 where there is none
  bool requantises = false;  ///< lowering.requantise

  /// From a variant whose write ports take `units` results at once. Throws Error naming what does
  /// not fit.
  static ResultOptions of(const Variant& variant, int units);
  /// Of the outputs of a layer: requantised_format(), or sums.
  ResultFormat format(const Layer& layer, const Precision& precision) const;
};

/// A format of at least `min_bits` for results that a layer like this one reads as activations: so
/// many bits, rounded up to 2, 4 or 8, of the same sign. Sums when they have more than 8. The shift
/// is one that spreads the outputs of random operands over the range.
ResultFormat requantised_format(const Layer& layer, const Precision& precision, int min_bits);

/// Field `width` of the instructions that write results: how often 32 bits are halved, minus 1; 0
/// for sums.
inline unsigned result_width_field(const ResultFormat& format) {
  return format.bits == 32 ? 0 : format.bits == 8 ? 1 : format.bits == 4 ? 2 : 3;
}

/// clamp(floor(sum / 2^shift + 1/2)) to the range of the format; the sum itself at 32 bits.
std::int32_t requantise(std::int32_t sum, const ResultFormat& format);
/// The result of device memory that begins `bit` bits behind `from`, extended to 32 bits.
inline std::int32_t read_result(const std::uint8_t* from, std::size_t bit,
                                const ResultFormat& format) {
  if (format.bits == 32) {
    std::int32_t value = 0;
    std::memcpy(&value, from + bit / 8, 4);
    return value;
  }
  const std::int32_t value = from[bit / 8] >> (bit % 8) & ((1 << format.bits) - 1);
  const std::int32_t sign = 1 << (format.bits - 1);
  return format.is_signed ? (value ^ sign) - sign : value;
}
/// All of them requantised.
void requantise(std::vector<std::int32_t>& sums, const ResultFormat& format);

}  // namespace bittern
