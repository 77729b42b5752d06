#include "host/cores/stream/result_options.h"

#include <algorithm>

#include "host/base/error.h"

namespace bittern {

ResultOptions ResultOptions::of(const Variant& variant, int units) {
  ResultOptions options;
  const auto narrow = variant.rtl.find("MinResultBits");
  if (narrow != variant.rtl.end()) {
    const std::int64_t bits = narrow->second;
    const std::int64_t beat = variant.parameter("PortWidth") * variant.parameter("NumWritePorts");
    if ((bits != 2 && bits != 4 && bits != 8 && bits != 32) || units * bits % beat != 0) {
      fail_usage(
          "variant {}: rtl.MinResultBits is {}, expected 2, 4, 8 or 32, and {} results of so many "
          "bits to be a whole number of beats of all write ports ({} bits)",
          variant.name, bits, units, beat);
    }
    options.min_bits = static_cast<int>(bits);
  }
  options.requantises = variant.lowering_choice("requantise", 0) != 0;
  if (options.requantises && options.min_bits == 32) {
    fail_usage(
        "variant {}: lowering.requantise needs write ports that can: give rtl.MinResultBits 2, 4 "
        "or "
        "8",
        variant.name);
  }
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
