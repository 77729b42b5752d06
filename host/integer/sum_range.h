#pragma once

#include <cstdint>

#include "host/network/layer.h"

namespace bittern {

/// Bits of the sums in which every core adds up.
constexpr int kSumBits = 32;

/// Smallest and greatest value that a sum of products of a layer can take at a precision.
struct SumRange {
  std::int64_t least = 0;
  std::int64_t greatest = 0;

  /// Bits of the shortest two's complement number that holds both.
  int bits() const;
  /// Whether a sum can leave the 32 bits that it has on a device, where it wraps around.
  bool exceeds() const { return bits() > kSumBits; }
};

/// Over all weights and activations of so many bits. Needs a valid layer and 1 to 16 bits: then 64
/// bits hold the range.
SumRange sum_range(const Layer& layer, const Precision& precision);

}  // namespace bittern
