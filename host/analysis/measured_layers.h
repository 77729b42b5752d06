#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/analysis/layer_report.h"
#include "host/run/measurer.h"

namespace bittern {

/// A layer of a network, which must outlive this, and the bits for it.
struct LayerPoint {
  const Layer* layer = nullptr;
  BitPair bits;
};

/// What gives the cycles of a layer.
enum class LayerModel {
  kRtl,        ///< devices, by way of the store
  kClosed,     ///< the closed form of the RTL
  kPublished,  ///< the model that the authors of the architecture published
};

/// Where the cycles of layers come from.
struct LayerSource {
  LayerModel model = LayerModel::kRtl;
  MeasurerOptions measurer;  ///< kRtl: devices and store
};

/// Layers as measured on one variant, and where the answers came from.
struct MeasuredLayers {
  std::vector<LayerReport> layers;  ///< in the order of the points
  std::string rtl_hash;             ///< kRtl
  std::string store;                ///< file; empty when none was used
  std::size_t simulated = 0;        ///< layers that ran on a device now
  std::size_t recalled = 0;         ///< answers from the store
};

/// Measures points on a variant; equal ones once. Throws as Measurer::measure, report_layer and
/// energy_of do, and Error (exit status 2) for kPublished on a core that has no such model.
MeasuredLayers measure_layers(const Variant& variant, const EnergyTable& energy,
                              const std::vector<LayerPoint>& points, const LayerSource& source);

}  // namespace bittern
