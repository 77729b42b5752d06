#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

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
