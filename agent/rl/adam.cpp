#include "agent/rl/adam.h"

#include <cmath>

#include "host/base/vector_clones.h"

namespace bittern {

BITTERN_VECTOR_CLONES void adam_step(const AdamOptions& options, long long steps, std::size_t size,
                                     const float* __restrict gradient, float* __restrict mean,
                                     float* __restrict square, float* __restrict values) {
  const auto count = static_cast<double>(steps);
  const auto rate = static_cast<float>(options.rate / (1.0 - std::pow(options.beta1, count)));
  const auto scale = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(options.beta2, count)));
  const auto beta1 = static_cast<float>(options.beta1);
  const auto beta2 = static_cast<float>(options.beta2);
  const auto rest1 = static_cast<float>(1.0 - options.beta1);
  const auto rest2 = static_cast<float>(1.0 - options.beta2);
  const auto epsilon = static_cast<float>(options.epsilon);
  // The compiler is told (CMakeLists.txt) that nobody asks for errno: else it may not vectorise the
  // square root.
  for (std::size_t i = 0; i < size; ++i) {
    const float g = gradient[i];
    const float m = beta1 * mean[i] + rest1 * g;
    const float s = beta2 * square[i] + rest2 * g * g;
    mean[i] = m;
    square[i] = s;
    values[i] -= rate * m / (std::sqrt(s) * scale + epsilon);
  }
}

BITTERN_VECTOR_CLONES void move_towards(float share, std::size_t size,
                                        const float* __restrict source, float* __restrict target) {
  const float rest = 1.0f - share;
  for (std::size_t i = 0; i < size; ++i) target[i] = rest * target[i] + share * source[i];
}

}  // namespace bittern
