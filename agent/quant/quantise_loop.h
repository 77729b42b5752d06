#pragma once

#include <cstdint>

#include "host/base/span.h"

namespace bittern {

/// What a linear quantiser does with every value, in one pass over them.
struct QuantiseLoop {
  float inverse = 1.0f;  ///< values are multiplied by it, rounded (ties to even), ...
  float low = 0.0f;      ///< ... clamped to whole numbers of at most 2^21 either way, ...
  float high = 0.0f;
  float scale = 1.0f;  ///< ... and multiplied by it

  /// out[i] from x[i]; both have one size.
  void run(Span<const float> x, Span<float> out) const;
  /// The same, and inside[i]: whether nothing was clamped.
  void run(Span<const float> x, Span<float> out, Span<bool> inside) const;
};

/// out[i] = inside[i] ? gradient[i] : 0.
void pass_inside(Span<const float> gradient, Span<const bool> inside, Span<float> out);

}  // namespace bittern
