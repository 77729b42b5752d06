#pragma once

#include <vector>

#include "host/analysis/layer_report.h"
#include "host/variant/variant.h"

namespace bittern {

// Rooflines (Williams, Waterman, Patterson, CACM 2009): what a layer could reach at most, by the
// array's peak at its bits and by the bytes that it really moves between device memory and chip. An
// operation is a multiplication or an addition, so a multiply-accumulate is two.

/// A multiplication and an addition.
constexpr double kOperationsPerMac = 2.0;

/// Bytes a second between device memory and the data ports of a variant.
struct MemoryBandwidth {
  double port = 0.0;   ///< of one port
  double read = 0.0;   ///< of all ports that read
  double write = 0.0;  ///< of all ports that write
  double all() const { return read + write; }
};

/// Bandwidth of a variant: a port moves PortWidth bits a cycle, or as many bytes as the memory
/// gives it (memory.bytes_per_cycle) if that is less. The instruction port is not counted.
MemoryBandwidth memory_bandwidth(const Variant& variant);

/// What holds a layer back at most: the array, a port that reads, or one that writes.
enum class Bound { kCompute, kRead, kWrite };

/// "compute", "read" or "write".
const char* bound_name(Bound bound);

/// A layer, or several in sequence, in the roofline of its variant. Rates are operations a second.
struct RooflinePoint {
  double operations = 0.0;  ///< of the whole batch
  double bytes = 0.0;       ///< read and written, instructions included
  double peak = 0.0;        ///< of the array at the bits that run
  /// With the traffic of the layer and an endlessly fast array. Every port reads or writes what it
  /// really did, all side by side: the one with the most to move counts. It is between port *
  /// intensity and all * intensity.
  double memory_limit = 0.0;
  double attainable = 0.0;  ///< the smaller of the two
  double achieved = 0.0;    ///< as measured
  Bound bound = Bound::kCompute;

  /// Operations a byte of device memory.
  double intensity() const { return bytes > 0.0 ? operations / bytes : 0.0; }
  /// Share of what is attainable, 0 to 1.
  double reached() const { return attainable > 0.0 ? achieved / attainable : 0.0; }
};

/// Point of a measured layer.
RooflinePoint roofline_point(const LayerReport& layer, const Variant& variant);

/// Point of layers that run one after the other: attainable is what they reach when each reaches
/// what it can; `bound` is what holds back for the longest part of that time.
RooflinePoint roofline_total(const std::vector<RooflinePoint>& layers);

}  // namespace bittern
