#pragma once

#include <string>
#include <vector>

namespace bittern {

/// A pooling as a network file states it. Which kind (maximum, average) the files do not say: it
/// changes shapes only.
struct Pool {
  int kernel_h = 1;
  int kernel_w = 1;
  int stride_h = 1;
  int stride_w = 1;
  int pad_top = 0;
  int pad_bottom = 0;
  int pad_left = 0;
  int pad_right = 0;
  bool global = false;  ///< over the whole map; the numbers above mean nothing then
  std::string where;    ///< "file:line"
};

/// Where a feature map comes from.
struct Source {
  /// Index of the layer that computes it; kImage: the input of the network.
  int layer = kImage;
  /// What it goes through on the way, in this order.
  std::vector<Pool> pools;

  static constexpr int kImage = -1;
};

/// How a layer is connected, as the file states it.
struct Wiring {
  Source input;
  bool relu = true;   ///< whether a ReLU follows the layer
  std::string where;  ///< "file:line"
};

}  // namespace bittern
