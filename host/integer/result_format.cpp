#include "host/integer/result_format.h"

#include <algorithm>

namespace bittern {

std::int32_t requantise(std::int32_t sum, const ResultFormat& format) {
  if (format.bits == 32) return sum;
  const std::int64_t half = format.shift == 0 ? 0 : std::int64_t{1} << (format.shift - 1);
  const std::int64_t scaled = (std::int64_t{sum} + half) >> format.shift;
  const std::int64_t least = format.is_signed ? -(std::int64_t{1} << (format.bits - 1)) : 0;
  const std::int64_t greatest = (std::int64_t{1} << (format.bits - (format.is_signed ? 1 : 0))) - 1;
  return static_cast<std::int32_t>(std::clamp(scaled, least, greatest));
}

void requantise(std::vector<std::int32_t>& sums, const ResultFormat& format) {
  if (format.bits == 32) return;
  for (std::int32_t& sum : sums) sum = requantise(sum, format);
}

}  // namespace bittern
