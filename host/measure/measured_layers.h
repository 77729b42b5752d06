#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/measure/layer_report.h"
#include "host/measure/measurer.h"

namespace bittern {

/// A layer of a network, which must outlive this, and the bits for it.
struct LayerPoint {
  const Layer* layer = nullptr;
  BitPair bits;
};

/// Where the cycles of layers come from.
struct LayerSource {
  bool model = false;        ///< the closed form; nothing is simulated
  MeasurerOptions measurer;  ///< otherwise: devices and store
};

/// Layers as measured on one variant, and where the answers came from.
struct MeasuredLayers {
  std::vector<LayerReport> layers;  ///< in the order of the points
  std::string rtl_hash;             ///< empty for the closed form
  std::string store;                ///< file; empty when none was used
  std::size_t simulated = 0;        ///< layers that ran on a device now
  std::size_t recalled = 0;         ///< answers from the store
};

/// Measures points on a variant; equal ones once. Throws as Measurer::measure, report_layer and
/// energy_of do.
MeasuredLayers measure_layers(const Variant& variant, const EnergyTable& energy,
                              const std::vector<LayerPoint>& points, const LayerSource& source);

}  // namespace bittern
