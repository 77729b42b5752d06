#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "host/network/quantiser.h"

namespace bittern {

/// What the integers of a channel stand for: value = clamp(gain * integer + offset, low, high).
/// Batch norms, ReLU and clipping between a layer's sums and the next quantiser change this, and
/// leave the integers alone.
struct Reading {
  double gain = 1.0;
  double offset = 0.0;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  double value(double integer) const;
  /// Nothing is clamped.
  bool straight() const;
  /// The reading of `factor` * value + `shift`.
  Reading scaled(double factor, double shift) const;
  /// The reading of clamp(value, least, greatest).
  Reading clamped(double least, double greatest) const;
  bool operator==(const Reading& other) const {
    return gain == other.gain && offset == other.offset && low == other.low && high == other.high;
  }
};

/// A quantiser behind a reading, on integers: which code an integer becomes is found by comparing
/// it with the places where the code changes. Both never turn back, so that this is exact, whatever
/// the rounding.
struct Steps {
  bool falling = false;  ///< greater integers have smaller codes: -x is compared
  int first = 0;         ///< what is below all places
  int step = 1;          ///< from one code to the next
  std::vector<std::int64_t> at;

  /// Code less its zero point.
  std::int64_t operator()(std::int64_t x) const;
  /// Of channel `channel` of a quantiser; `low` and `high` bound the integers.
  static Steps of(const Reading& reading, const Quantiser& quantiser, std::size_t channel,
                  std::int64_t low, std::int64_t high);
  bool operator==(const Steps& other) const {
    return falling == other.falling && first == other.first && step == other.step && at == other.at;
  }
};

/// A reading in whole multiples of a unit, for sums of maps that are read differently: clamp(gain *
/// x + offset, low, high).
struct FixedPoint {
  std::int64_t gain = 1;
  std::int64_t offset = 0;
  std::int64_t low = std::numeric_limits<std::int64_t>::min();
  std::int64_t high = std::numeric_limits<std::int64_t>::max();

  std::int64_t operator()(std::int64_t x) const;
  static FixedPoint of(const Reading& reading, double unit);
};

/// How a node of a network with quantisers of its own is computed on integers. Each op uses its own
/// part.
struct StatedNode {
  /// For each input the node, or kImage, whose integers it has.
  std::vector<int> sources;
  /// The node's integers are those of its source: it changes what they stand for at most.
  bool same = false;
  std::vector<Steps> steps;  ///< quantise: one, or one for each channel
  /// Addition, average pooling: what is added up, for each input, one for each channel. Empty: the
  /// integers themselves.
  std::vector<std::vector<FixedPoint>> terms;
  /// Average pooling: factor of the sum of each output pixel, so that all are divided by one
  /// number.
  std::vector<std::int64_t> pixel_factors;
  std::vector<bool> falling;  ///< max pooling: channels whose least integer is the greatest value
  std::int64_t border = 0;    ///< padding: the integer around the map
};

}  // namespace bittern
