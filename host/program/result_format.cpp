#include "host/program/result_format.h"

#include <algorithm>

namespace bittern {

ResultFormat requantised_format(const Layer& layer, const Precision& precision, int min_bits) {
  ResultFormat format;
  if (precision.bits.activation > 8 || min_bits > 8) return format;
  format.bits = std::max(2, min_bits);
  while (format.bits < precision.bits.activation) format.bits *= 2;
  format.is_signed = precision.activation_signed;
  // The sum of K products of random a- and w-bit operands has a deviation of 2^(a+w) sqrt(K) / 6.
  int half_log_k = 0;
  while (layer.reduction() >> (2 * (half_log_k + 1)) != 0) ++half_log_k;
  format.shift = std::clamp(
      precision.bits.activation + precision.bits.weight + half_log_k - format.bits - 1, 0, 31);
  return format;
}

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
