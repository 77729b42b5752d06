#pragma once

#include "host/integer/result_format.h"
#include "host/network/layer.h"
#include "host/variant/variant.h"

namespace bittern {

/// What the write ports of a variant can make of sums, and whether lowering uses it.
struct ResultOptions {
  int min_bits = 32;         ///< narrowest results: rtl.MinResultBits, 32 where there is none
  bool requantises = false;  ///< lowering.requantise

  /// From a variant that fits the rules of its core.
  static ResultOptions of(const Variant& variant);
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

}  // namespace bittern
