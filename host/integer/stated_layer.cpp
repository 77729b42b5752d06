#include "host/integer/stated_layer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>

#include "host/base/error.h"
#include "host/network/quantiser.h"

namespace bittern {
namespace {

constexpr int kMostOperandBits = 8;
constexpr std::int64_t kMostSum = std::numeric_limits<std::int32_t>::max();

/// Codes less their zero points: at most 9 bits.
std::vector<std::int16_t> weight_codes(const Node& node, const Layer& layer,
                                       const Quantiser& quantiser,
                                       const std::vector<float>& weight) {
  const auto length = static_cast<std::size_t>(layer.reduction());
  std::vector<std::int16_t> codes;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const std::size_t c = i / length;
    const float code = quantiser.code(weight[i], c);
    const float value = quantiser.value(code, c);
    // The file has the value in single precision, by this arithmetic or by another one.
    if (std::abs(value - weight[i]) > 1e-5F * std::max(std::abs(value), quantiser.scale_of(c))) {
      fail_usage("{}: layer {}: weight {} is {}, which is the value of no code ({})", node.where,
                 layer.name, i, weight[i], quantiser.text());
    }
    codes.push_back(static_cast<std::int16_t>(code - quantiser.zero_of(c)));
  }
  return codes;
}

DeviceCodes device_codes(const Layer& layer, const Quantiser& quantiser, const StatedCodes& input,
                         const std::vector<std::int16_t>& weights) {
  DeviceCodes codes;
  if (input.bipolar) {
    codes.activation_gain = 2;
    codes.activation_zero = {1};
  } else {
    codes.activation_zero = input.zero;
    const int first = input.zero.front();
    if (std::all_of(input.zero.begin(), input.zero.end(),
                    [first](int zero) { return zero == first; })) {
      codes.activation_zero = {first};
    }
  }
  if (quantiser.bipolar) {
    codes.weight_gain = 2;
    codes.weight_offset = {1};
    return codes;
  }
  const int half = 1 << (quantiser.bits - 1);
  if (std::all_of(weights.begin(), weights.end(),
                  [half](std::int16_t w) { return w >= -half && w < half; })) {
    return codes;
  }
  // Around the middle they fit two's complement.
  codes.weight_offset.clear();
  for (int c = 0; c < layer.out_channels; ++c) {
    const auto zero = static_cast<int>(quantiser.zero_of(static_cast<std::size_t>(c)));
    codes.weight_offset.push_back((quantiser.is_signed ? 0 : half) - zero);
  }
  return codes;
}

/// Scale of the activations of each group.
std::vector<double> input_scales(const Node& node, const Layer& layer, const StatedMap& input) {
  const std::size_t each = input.readings.size() / static_cast<std::size_t>(layer.groups);
  std::vector<double> scales;
  for (std::size_t c = 0; c < input.readings.size(); ++c) {
    if (c % each == 0) {
      scales.push_back(input.readings[c].gain);
    } else if (input.readings[c].gain != scales.back()) {
      fail_usage(
          "{}: layer {}: the scales of its input differ from channel to channel within one sum, "
          "which no integers add up: expected one scale, or a depthwise layer",
          node.where, layer.name);
    }
  }
  return scales;
}

/// The greatest magnitude that sums can have, over all activations.
std::int64_t most_sum(const Layer& layer, const std::vector<std::int16_t>& weights,
                      const StatedMap& input) {
  const auto length = static_cast<std::size_t>(layer.reduction());
  const std::int64_t most =
      std::max({std::abs(input.low), std::abs(input.high), std::int64_t{1} << input.codes->bits});
  std::int64_t greatest = 0;
  for (std::size_t c = 0; c < static_cast<std::size_t>(layer.out_channels); ++c) {
    std::int64_t sum = 0;
    for (std::size_t i = c * length; i < (c + 1) * length; ++i) sum += std::abs(weights[i]);
    if (sum * most > kMostSum) {
      fail_usage("layer {}: sums of output channel {} can reach {}, more than 32 bits hold",
                 layer.name, c, sum * most);
    }
    greatest = std::max(greatest, sum * most);
  }
  return greatest;
}

}  // namespace

StatedLayer stated_layer(const Node& node, const Layer& layer, const StatedMap& input,
                         const std::vector<float>& weights) {
  if (!node.attributes.quantiser) {
    fail_usage("{}: layer {} has no quantiser of its weights: its bits are not stated", node.where,
               layer.name);
  }
  if (!input.codes) {
    fail_usage(
        "{}: layer {} has no quantiser of its input: expected one before it, with nothing between "
        "but what moves values (max pooling, flattening, slices, ...)",
        node.where, layer.name);
  }
  const Quantiser& quantiser = *node.attributes.quantiser;
  if (quantiser.bits > kMostOperandBits || input.codes->bits > kMostOperandBits) {
    fail_usage("{}: layer {} has {} weight bits and {} activation bits, expected at most {}",
               node.where, layer.name, quantiser.bits, input.codes->bits, kMostOperandBits);
  }
  StatedLayer out;
  out.precision.bits = {quantiser.bits, input.codes->bits};
  out.precision.activation_signed = input.codes->is_signed;
  out.weights = weight_codes(node, layer, quantiser, weights);
  out.device_codes = device_codes(layer, quantiser, *input.codes, out.weights);
  out.most_sum = most_sum(layer, out.weights, input);
  const std::vector<double> scales = input_scales(node, layer, input);
  const auto channels = static_cast<std::size_t>(layer.out_channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const std::size_t group = c / (channels / static_cast<std::size_t>(layer.groups));
    out.scales.push_back(static_cast<double>(quantiser.scale_of(c)) * scales[group]);
  }
  return out;
}

}  // namespace bittern
