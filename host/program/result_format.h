#pragma once

#include <cstdint>
#include <vector>

#include "host/network/layer.h"

namespace bittern {

/// How the results of a layer leave the device: as the 32-bit sums that they are, or requantised by
/// rtl/common/bittern_tile_write_port.sv, which scales by a power of two.
struct ResultFormat {
  int bits = 32;  ///< 32: sums; 8, 4 or 2: requantised
  int shift = 0;  ///< 0 to 31; without meaning for sums
  bool is_signed = true;

  bool operator==(const ResultFormat& other) const {
    return bits == other.bits && shift == other.shift && is_signed == other.is_signed;
  }
};

/// A format of at least `min_bits` for results that a layer like this one reads as activations: so
/// many bits, rounded up to 2, 4 or 8, of the same sign. Sums when they have more than 8. The shift
/// is one that spreads the outputs of random operands over the range.
ResultFormat requantised_format(const Layer& layer, const Precision& precision, int min_bits);

/// clamp(floor(sum / 2^shift + 1/2)) to the range of the format; the sum itself at 32 bits.
std::int32_t requantise(std::int32_t sum, const ResultFormat& format);
/// The same for all of them.
void requantise(std::vector<std::int32_t>& sums, const ResultFormat& format);

}  // namespace bittern
