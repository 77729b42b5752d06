#include "host/cores/stream/result_options.h"

#include <algorithm>

namespace bittern {

ResultOptions ResultOptions::of(const Variant& variant) {
  ResultOptions options;
  const auto narrow = variant.rtl.find("MinResultBits");
  if (narrow != variant.rtl.end()) options.min_bits = static_cast<int>(narrow->second);
  options.requantises = variant.lowering_choice("requantise", 0) != 0;
  return options;
}

ResultFormat ResultOptions::format(const Layer& layer, const Precision& precision) const {
  return requantises ? requantised_format(layer, precision, min_bits) : ResultFormat{};
}

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

}  // namespace bittern
