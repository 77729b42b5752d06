#pragma once

#include <string>
#include <vector>

#include "host/network/network.h"

namespace bittern {

inline Pool square_pool(int kernel) {
  Pool pool;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = kernel;
  return pool;
}

/// Connects the layers of a network one behind the other. `pools`: those before each of them. There
/// is a ReLU wherever the next input is unsigned.
inline void wire_chain(Network& network, const std::vector<std::vector<Pool>>& pools) {
  network.wiring.clear();
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const bool last = i + 1 == network.layers.size();
    network.wiring.push_back({{static_cast<int>(i) - 1, pools.at(i)},
                              !last && !network.layers[i + 1].signed_input,
                              "test:" + std::to_string(i + 1)});
  }
  network.output = {static_cast<int>(network.layers.size()) - 1, {}};
}

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
  wire_chain(network, {{}, {square_pool(2)}, {}});
  return network;
}

}  // namespace bittern
