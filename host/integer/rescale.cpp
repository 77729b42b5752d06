#include "host/integer/rescale.h"

#include <cmath>

#include "host/base/error.h"

namespace bittern {

Rescale Rescale::of(double factor) {
  constexpr int kBits = 31;
  constexpr int kMostShift = 62;
  if (!(factor >= 0) || factor >= 1073741824.0) {
    fail("a factor of {} between two scales: expected 0 or more and less than 2^30", factor);
  }
  int exponent = 0;
  const double fraction = std::frexp(factor, &exponent);  // 1/2 .. 1, or 0
  std::int64_t multiplier = std::llround(std::ldexp(fraction, kBits));
  if (multiplier == std::int64_t{1} << kBits) {
    multiplier >>= 1;
    ++exponent;
  }
  const int shift = kBits - exponent;
  if (multiplier == 0 || shift > kMostShift) return {0, 1};
  if (shift < 1) fail("a factor of {} between two scales: expected less than 2^30", factor);
  return {static_cast<std::int32_t>(multiplier), shift};
}

}  // namespace bittern
