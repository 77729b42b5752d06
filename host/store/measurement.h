#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace bittern {

/// Where a number comes from.
enum class Origin { kRtl, kBoard, kModel, kTable, kPublished };

/// "rtl", "board", "model" (the closed form of the RTL), "table" (a LUT file) or "published" (a
/// model that others published).
const char* origin_name(Origin origin);
/// All of them.
constexpr Origin kOrigins[] = {Origin::kRtl, Origin::kBoard, Origin::kModel, Origin::kTable,
                               Origin::kPublished};
/// The inverse; throws Error for anything else.
Origin parse_origin(const std::string& text);

/// Cycles and events of one (variant, layer shape, precision, batch, schedule).
struct Measurement {
  std::string key;  ///< content key, see MeasurementKey in store.h
  std::uint64_t cycles = 0;
  std::map<std::string, std::uint64_t>
      events;  ///< counters by the names of the register map; "read_port_beats[0]"...
  std::uint64_t bytes_read = 0;  ///< from device memory, instructions included
  std::uint64_t bytes_written = 0;
  Origin origin = Origin::kRtl;
  std::string schedule;  ///< Plan::key()
  bool checked = false;  ///< outputs were compared bit for bit with the integer reference
  /// Endpoint of the device that ran it, when that was no process of ours; empty otherwise.
  std::string remote;
};

/// Cost of one layer for the whole batch of the variant.
struct LayerCost {
  std::uint64_t cycles = 0;
  double latency_s = 0.0;
  double energy_j = 0.0;       ///< with the energy table's first DRAM anchor
  double energy_high_j = 0.0;  ///< with its second
  double weight_bytes = 0.0;   ///< weights * weight bits / 8
  Origin origin = Origin::kRtl;
};

}  // namespace bittern
