#include <algorithm>

#include "host/base/random.h"
#include "host/program/core.h"

namespace bittern {
namespace {

/// Values of `bits` bits: most of them uniform, one in eight a corner (least, greatest, zero, all
/// ones), and at the front a run of the greatest in magnitude, which drives accumulators to their
/// ends.
std::vector<std::int16_t> random_values(std::size_t count, int bits, bool is_signed, Rng& rng) {
  const int least = is_signed ? -(1 << (bits - 1)) : 0;
  const int greatest = is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
  const std::uint32_t mask = (1u << bits) - 1;
  const int corners[4] = {least, greatest, 0, is_signed ? -1 : greatest};
  std::vector<std::int16_t> values(count);
  std::size_t i = 0;
  const std::size_t run = std::min<std::size_t>(count / 16, 64);
  for (; i < run; ++i) values[i] = static_cast<std::int16_t>(is_signed ? least : greatest);
  while (i < count) {
    std::uint64_t draw = rng.next();
    for (int e = 0; e < 4 && i < count; ++e, ++i, draw >>= 16) {
      const bool corner = (draw & 7) == 0;
      const int uniform = least + static_cast<int>((draw >> 8) & mask);
      values[i] = static_cast<std::int16_t>(corner ? corners[(draw >> 3) & 3] : uniform);
    }
  }
  return values;
}

}  // namespace

LayerData random_layer_data(const Layer& layer, const Precision& precision, int batch,
                            std::uint64_t seed) {
  Rng rng(seed);
  LayerData data;
  data.activations = random_values(static_cast<std::size_t>(layer.inputs()) * batch,
                                   precision.bits.activation, precision.activation_signed, rng);
  data.weights = random_values(static_cast<std::size_t>(layer.weights()), precision.bits.weight,
                               precision.weight_signed, rng);
  return data;
}

}  // namespace bittern
