#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/integer/device_codes.h"
#include "host/integer/stated_node.h"
#include "host/network/graph.h"
#include "host/network/layer.h"

namespace bittern {

/// The codes that a map's integers are, less their zero points.
struct StatedCodes {
  int bits = 8;
  bool is_signed = false;
  bool bipolar = false;
  std::vector<int> zero;  ///< of each channel

  bool same_form(const StatedCodes& other) const {
    return bits == other.bits && is_signed == other.is_signed && bipolar == other.bipolar;
  }
};

/// What is known of a map while the network is built.
struct StatedMap {
  int source = kImage;            ///< the node whose integers these are
  std::vector<Reading> readings;  ///< of each channel
  std::int64_t low = 0;           ///< bounds of the integers
  std::int64_t high = 0;
  /// Where the integers are codes that a layer can multiply. The readings are scales then.
  std::optional<StatedCodes> codes;
};

/// A layer of a network that states its quantisers.
struct StatedLayer {
  Precision precision;
  std::vector<std::int16_t> weights;  ///< codes less their zero points: at most 9 bits
  DeviceCodes device_codes;
  std::vector<double> scales;  ///< what one of its sums is worth, for each output channel
  std::int64_t most_sum = 0;   ///< no sum is greater, whatever the activations
};

/// Integers of a convolution or fully connected node that takes `input`, of its weights as values.
/// Throws Error (exit status 2) naming the layer for what stated_network() refuses of layers.
StatedLayer stated_layer(const Node& node, const Layer& layer, const StatedMap& input,
                         const std::vector<float>& weights);

}  // namespace bittern
