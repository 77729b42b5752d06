#include "host/integer/layer_data.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "host/base/error.h"
#include "host/base/random.h"

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
    const int each = bits > 8 ? 2 : 4;  // values of a draw
    for (int e = 0; e < each && i < count; ++e, ++i, draw >>= 64 / each) {
      const bool corner = (draw & 7) == 0;
      const int uniform = least + static_cast<int>((draw >> 8) & mask);
      values[i] = static_cast<std::int16_t>(corner ? corners[(draw >> 3) & 3] : uniform);
    }
  }
  return values;
}

/// Throws Error unless every value fits its precision.
void check_range(const Layer& layer, const char* what, const std::vector<std::int16_t>& values,
                 std::size_t expected, int bits, bool is_signed) {
  if (values.size() != expected) {
    fail("layer {}: {} {}, expected {}", layer.name, values.size(), what, expected);
  }
  // All patterns of 16 bits are values, signed or not.
  if (bits == 16) return;
  const int least = is_signed ? -(1 << (bits - 1)) : 0;
  const int greatest = is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
  // Extremes of 16 interleaved parts: a loop that compilers turn into vector instructions.
  constexpr std::size_t kParts = 16;
  std::int16_t low[kParts] = {};
  std::int16_t high[kParts] = {};
  const std::size_t whole = values.size() / kParts * kParts;
  for (std::size_t i = 0; i < whole; i += kParts) {
    for (std::size_t e = 0; e < kParts; ++e) {
      low[e] = std::min(low[e], values[i + e]);
      high[e] = std::max(high[e], values[i + e]);
    }
  }
  const auto outside = [&](std::int16_t value) { return value < least || value > greatest; };
  if (std::none_of(std::begin(low), std::end(low), outside) &&
      std::none_of(std::begin(high), std::end(high), outside) &&
      std::none_of(values.begin() + static_cast<std::ptrdiff_t>(whole), values.end(), outside)) {
    return;
  }
  const auto bad = std::find_if(values.begin(), values.end(), outside);
  fail("layer {}: {} [{}] is {}, expected {} to {} ({} bits {})", layer.name, what,
       bad - values.begin(), *bad, least, greatest, bits, is_signed ? "signed" : "unsigned");
}

}  // namespace

void check_precision(const Layer& layer, const Precision& precision, int batch, int most_bits) {
  for (const auto& [bits, what] : {std::pair(precision.bits.weight, "weight"),
                                   std::pair(precision.bits.activation, "activation")}) {
    if (bits < 1 || bits > most_bits) {
      fail("layer {}: {} {} bits, expected 1 to {}", layer.name, bits, what, most_bits);
    }
  }
  if (batch < 1) fail("layer {}: batch is {}, expected at least 1", layer.name, batch);
  // Whatever is counted below (bytes with their padding, cycles) fits 64 bits then.
  constexpr double kMostWindowValues = 281474976710656.0;  // 2^48
  const double values = static_cast<double>(layer.out_height()) * layer.out_width() * batch *
                        layer.kernel_h * layer.kernel_w * layer.in_channels;
  if (values > kMostWindowValues) {
    fail(
        "layer {}: batch {} has {:.3g} values in the windows of its input, more than 2^48, which "
        "no "
        "device can compute; take a smaller batch or layer",
        layer.name, batch, values);
  }
}

void check_data(const Layer& layer, const Precision& precision, int batch, const LayerData& data) {
  check_range(layer, "activations", data.activations,
              static_cast<std::size_t>(layer.inputs()) * batch, precision.bits.activation,
              precision.activation_signed);
  check_range(layer, "weights", data.weights, static_cast<std::size_t>(layer.weights()),
              precision.bits.weight, precision.weight_signed);
}

LayerData random_layer_data(const Layer& layer, const Precision& precision, int batch,
                            std::uint64_t seed) {
  Rng rng(seed);
  LayerData data;
  data.activations = random_values(static_cast<std::size_t>(layer.inputs()) * batch,
                                   precision.bits.activation, precision.activation_signed, rng);
  data.wide_unsigned_activations = precision.bits.activation == 16 && !precision.activation_signed;
  data.wide_unsigned_weights = precision.bits.weight == 16 && !precision.weight_signed;
  data.weights = random_values(static_cast<std::size_t>(layer.weights()), precision.bits.weight,
                               precision.weight_signed, rng);
  return data;
}

}  // namespace bittern
