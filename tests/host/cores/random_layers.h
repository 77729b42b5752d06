#pragma once

#include <algorithm>

#include "host/base/random.h"
#include "host/network/layer.h"
#include "host/variant/variant.h"

namespace bittern {

/// A small layer of any kind: odd sizes, strides, dilation, uneven padding of any size, groups.
inline Layer random_layer(Rng& rng, int max_channels = 20) {
  Layer layer;
  const auto draw = [&](int low, int high) { return static_cast<int>(rng.integer(low, high)); };
  switch (draw(0, 3)) {
    case 0:
      layer.kind = LayerKind::kLinear;
      layer.in_channels = draw(1, 40 * max_channels);
      layer.out_channels = draw(1, 2 * max_channels);
      break;
    case 1:
      layer.kind = LayerKind::kDepthwise;
      layer.in_channels = draw(1, max_channels);
      layer.groups = layer.in_channels;
      layer.out_channels = layer.in_channels * draw(1, 3);
      break;
    default:
      layer.kind = LayerKind::kConv;
      layer.groups = draw(0, 3) == 0 ? draw(1, 3) : 1;
      layer.in_channels = layer.groups * draw(1, max_channels);
      layer.out_channels = layer.groups * draw(1, max_channels);
      break;
  }
  if (layer.kind != LayerKind::kLinear) {
    layer.kernel_h = draw(1, 5);
    layer.kernel_w = draw(1, 5);
    if (draw(0, 3) == 0) {
      layer.dilation_h = draw(1, 3);
      layer.dilation_w = draw(1, 3);
    }
    // Padding now and then beyond the kernel; the kernel fits the padded input.
    const int more = draw(0, 3) == 0 ? 3 : 0;
    layer.pad_top = draw(0, layer.reach_h() - 1 + more);
    layer.pad_bottom = draw(0, layer.reach_h() - 1 + more);
    layer.pad_left = draw(0, layer.reach_w() - 1 + more);
    layer.pad_right = draw(0, layer.reach_w() - 1 + more);
    const int least_height = std::max(1, layer.reach_h() - layer.pad_top - layer.pad_bottom);
    const int least_width = std::max(1, layer.reach_w() - layer.pad_left - layer.pad_right);
    layer.in_height = draw(least_height, std::max(least_height, 9));
    layer.in_width = draw(least_width, std::max(least_width, 9));
    layer.stride_h = draw(1, 3);
    layer.stride_w = draw(1, 3);
  }
  layer.name = "random " + layer.key();
  return layer;
}

/// Any bits and signs.
inline Precision random_precision(Rng& rng, int max_bits = 8) {
  Precision precision;
  precision.bits.weight = static_cast<int>(rng.integer(1, max_bits));
  precision.bits.activation = static_cast<int>(rng.integer(1, max_bits));
  precision.weight_signed = rng.integer(0, 3) != 0;
  precision.activation_signed = rng.integer(0, 1) != 0;
  return precision;
}

}  // namespace bittern
