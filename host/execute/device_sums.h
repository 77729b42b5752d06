#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/base/span.h"
#include "host/integer/device_codes.h"
#include "host/integer/layer_kernel.h"
#include "host/network/layer.h"

namespace bittern {

/// Between the operands of a layer and those that a device multiplies (DeviceCodes). May be used by
/// several threads.
class DeviceSums {
 public:
  /// `weights`: of the layer, [out_channel][in_channel / groups][kernel_h][kernel_w].
  DeviceSums(const Layer& layer, const DeviceCodes& codes,
             const std::vector<std::int16_t>& weights);

  /// As the device multiplies them.
  const std::vector<std::int16_t>& weights() const { return weights_; }
  /// Activations of an image as the device multiplies them, of those of the layer (planes of rows).
  std::vector<std::int16_t> activations(Span<const std::int16_t> input) const;
  /// Sums of the layer's operands, of the device's sums for these activations() of the image.
  std::vector<std::int32_t> sums(Span<const std::int32_t> of_device,
                                 Span<const std::int16_t> activations) const;

 private:
  Layer layer_;
  DeviceCodes codes_;
  std::vector<std::int16_t> weights_;
  Layer window_layer_;
  std::optional<LayerKernel> windows_;  ///< sum of the activations of each window of a group
  /// What the zeros of the activations add to each sum, which depends on where padding is.
  std::vector<std::int32_t> zeros_;
};

}  // namespace bittern
