#pragma once

#include <algorithm>
#include <cstdint>

namespace bittern {

/// What the result stage makes of a sum, by division: rounded to the nearest multiple of 2^shift,
/// halves up, and clamped to `bits`. Written apart from the host's, which it checks.
inline std::int32_t requantised(std::int32_t sum, int bits, int shift, bool is_signed) {
  if (bits == 32) return sum;
  const std::int64_t unit = std::int64_t{1} << shift;
  const std::int64_t twice = 2 * std::int64_t{sum} + unit;
  std::int64_t rounded = twice / (2 * unit);
  if (twice % (2 * unit) < 0) --rounded;
  const std::int64_t span = std::int64_t{1} << bits;
  const std::int64_t low = is_signed ? -span / 2 : 0;
  return static_cast<std::int32_t>(std::min(std::max(rounded, low), low + span - 1));
}

}  // namespace bittern
