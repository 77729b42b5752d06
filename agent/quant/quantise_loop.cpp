#include "agent/quant/quantise_loop.h"

#include <algorithm>

#include "host/base/vector_clones.h"

namespace bittern {
namespace {

/// 1.5 * 2^23: added and subtracted, it leaves the nearest whole number of what is below 2^22.
constexpr float kRound = 12582912.0f;
constexpr float kMost = 2097152.0f;  // 2^21

BITTERN_VECTOR_CLONES void quantise(const float* x, std::size_t count, QuantiseLoop with,
                                    float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    // Bounds are whole numbers: to clamp before is the same. What is no number stays none.
    const float bounded = std::min(std::max(x[i] * with.inverse, with.low), with.high);
    out[i] = ((bounded + kRound) - kRound) * with.scale;
  }
}

BITTERN_VECTOR_CLONES void quantise_inside(const float* x, std::size_t count, QuantiseLoop with,
                                           float* out, bool* inside) {
  for (std::size_t i = 0; i < count; ++i) {
    const float bounded = std::min(std::max(x[i] * with.inverse, -kMost), kMost);
    const float rounded = (bounded + kRound) - kRound;
    const float code = std::min(std::max(rounded, with.low), with.high);
    inside[i] = code == rounded;
    out[i] = code * with.scale;
  }
}

BITTERN_VECTOR_CLONES void pass(const float* gradient, const bool* inside, std::size_t count,
                                float* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = inside[i] ? gradient[i] : 0.0f;
}

}  // namespace

void QuantiseLoop::run(Span<const float> x, Span<float> out) const {
  quantise(x.data(), x.size(), *this, out.data());
}

void QuantiseLoop::run(Span<const float> x, Span<float> out, Span<bool> inside) const {
  quantise_inside(x.data(), x.size(), *this, out.data(), inside.data());
}

void pass_inside(Span<const float> gradient, Span<const bool> inside, Span<float> out) {
  pass(gradient.data(), inside.data(), gradient.size(), out.data());
}

}  // namespace bittern
