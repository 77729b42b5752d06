#pragma once

#include "host/network/network.h"

namespace bittern {

/// A network that trains in a second: 28x28 image, 4 filters of 5x5 with stride 2, max pooling 2x2,
/// 16 hidden units, 10 outputs.
inline Network tiny_network() {
  Network network;
  network.name = "tiny";
  Layer conv;
  conv.name = "conv";
  conv.kind = LayerKind::kConv;
  conv.in_height = 28;
  conv.in_width = 28;
  conv.out_channels = 4;
  conv.kernel_h = 5;
  conv.kernel_w = 5;
  conv.stride_h = 2;
  conv.stride_w = 2;
  Layer hidden;
  hidden.name = "hidden";
  hidden.kind = LayerKind::kLinear;
  hidden.in_channels = 4 * 6 * 6;
  hidden.out_channels = 16;
  Layer out;
  out.name = "out";
  out.kind = LayerKind::kLinear;
  out.in_channels = 16;
  out.out_channels = 10;
  network.layers = {conv, hidden, out};
  return network;
}

}  // namespace bittern
