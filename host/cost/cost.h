#pragma once

#include <algorithm>
#include <cstdint>

#include "host/store/measurement.h"

namespace bittern {

/// Time and energy of something: a layer, a sum of layers, one image.
struct Cost {
  double latency_s = 0.0;
  double energy_j = 0.0;       ///< with the energy table's first number for device memory
  double energy_high_j = 0.0;  ///< with its second

  double edp() const { return energy_j * latency_s; }            ///< joule seconds
  double edp_high() const { return energy_high_j * latency_s; }  ///< joule seconds
  /// One after the other.
  Cost& operator+=(const Cost& other) {
    latency_s += other.latency_s;
    energy_j += other.energy_j;
    energy_high_j += other.energy_high_j;
    return *this;
  }
  /// The share of one of `parts` equal parts.
  Cost operator/(int parts) const {
    return {latency_s / parts, energy_j / parts, energy_high_j / parts};
  }
};

/// Cost of one layer, or of several, for the whole batch of the variant.
struct LayerCost : Cost {
  std::uint64_t cycles = 0;
  double weight_bytes = 0.0;  ///< weights * weight bits / 8
  Origin origin = Origin::kRtl;

  LayerCost& operator+=(const LayerCost& other) {
    Cost::operator+=(other);
    cycles += other.cycles;
    weight_bytes += other.weight_bytes;
    origin = std::max(origin, other.origin);  // a sum is no better than the weakest of its parts
    return *this;
  }
};

}  // namespace bittern
