#pragma once

#include <vector>

namespace bittern {

/// How the operands of a layer, x and w, are made of what a device multiplies, u and v, which have
/// the bits of the policy: x = activation_gain * u - activation_zero, w = weight_gain * v +
/// weight_offset. Where both are as they are, the sums are the device's; otherwise the host makes
/// them of the device's, of the sum of the u of each window, and of a map that does not depend on
/// the image (padding is x = 0, which is no u).
struct DeviceCodes {
  int activation_gain = 1;
  std::vector<int> activation_zero = {0};  ///< one, or one for each input channel
  int weight_gain = 1;
  std::vector<int> weight_offset = {0};  ///< one, or one for each output channel

  bool operator==(const DeviceCodes& other) const {
    return activation_gain == other.activation_gain && activation_zero == other.activation_zero &&
           weight_gain == other.weight_gain && weight_offset == other.weight_offset;
  }

  /// Odd codes of weights: v has one bit less than w, and the sign of it.
  static DeviceCodes odd_weights() {
    DeviceCodes codes;
    codes.weight_gain = 2;
    codes.weight_offset = {1};
    return codes;
  }
};

}  // namespace bittern
