#include "host/execute/device_sums.h"

#include <algorithm>
#include <cstddef>

namespace bittern {
namespace {

int each(const std::vector<int>& list, std::size_t place) {
  return list.size() == 1 ? list.front() : list[place];
}

bool all_zero(const std::vector<int>& list) {
  return std::all_of(list.begin(), list.end(), [](int value) { return value == 0; });
}

}  // namespace

DeviceSums::DeviceSums(const Layer& layer, const DeviceCodes& codes,
                       const std::vector<std::int16_t>& weights)
    : layer_(layer), codes_(codes), weights_(weights), window_layer_(layer) {
  const auto length = static_cast<std::size_t>(layer.reduction());
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    weights_[i] = static_cast<std::int16_t>((weights_[i] - each(codes_.weight_offset, i / length)) /
                                            codes_.weight_gain);
  }
  if (!all_zero(codes_.weight_offset)) {
    window_layer_.out_channels = layer.groups;
    windows_.emplace(window_layer_, std::vector<std::int16_t>(
                                        static_cast<std::size_t>(window_layer_.weights()), 1));
  }
  if (!all_zero(codes_.activation_zero)) {
    const auto area = static_cast<std::size_t>(layer.in_height) * layer.in_width;
    std::vector<std::int16_t> zeros(static_cast<std::size_t>(layer.inputs()));
    for (std::size_t k = 0; k < zeros.size(); ++k) {
      zeros[k] = static_cast<std::int16_t>(each(codes_.activation_zero, k / area));
    }
    zeros_.resize(static_cast<std::size_t>(layer.outputs()));
    LayerKernel(layer, weights).sums(zeros, zeros_);
  }
}

std::vector<std::int16_t> DeviceSums::activations(Span<const std::int16_t> input) const {
  const auto area = static_cast<std::size_t>(layer_.in_height) * layer_.in_width;
  std::vector<std::int16_t> out(input.begin(), input.end());
  if (codes_.activation_gain == 1 && all_zero(codes_.activation_zero)) return out;
  for (std::size_t k = 0; k < out.size(); ++k) {
    out[k] = static_cast<std::int16_t>((out[k] + each(codes_.activation_zero, k / area)) /
                                       codes_.activation_gain);
  }
  return out;
}

std::vector<std::int32_t> DeviceSums::sums(Span<const std::int32_t> of_device,
                                           Span<const std::int16_t> activations) const {
  std::vector<std::int32_t> windows;
  if (windows_) {
    windows.resize(static_cast<std::size_t>(window_layer_.outputs()));
    windows_->sums(activations, windows);
  }
  const std::size_t area = static_cast<std::size_t>(layer_.out_height()) * layer_.out_width();
  const auto of_group = static_cast<std::size_t>(layer_.out_channels / layer_.groups);
  std::vector<std::int32_t> out(of_device.begin(), of_device.end());
  for (std::size_t k = 0; k < out.size(); ++k) {
    const std::size_t channel = k / area;
    std::int64_t sum = std::int64_t{out[k]} * codes_.weight_gain;
    if (windows_) {
      sum += std::int64_t{each(codes_.weight_offset, channel)} *
             windows[channel / of_group * area + k % area];
    }
    sum *= codes_.activation_gain;
    if (!zeros_.empty()) sum -= zeros_[k];
    out[k] = static_cast<std::int32_t>(sum);
  }
  return out;
}

}  // namespace bittern
