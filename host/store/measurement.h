#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace bittern {

/// Where a number comes from, the strongest first.
enum class Origin { kRtl, kBoard, kModel, kTable, kPublished };

/// "rtl", "board", "model" (the closed form of the RTL), "table" (a LUT file) or "published" (a
/// model that others published).
const char* origin_name(Origin origin);
/// All of them.
constexpr Origin kOrigins[] = {Origin::kRtl, Origin::kBoard, Origin::kModel, Origin::kTable,
                               Origin::kPublished};
/// The inverse; throws Error for anything else.
Origin parse_origin(const std::string& text);

/// Cycles and events of one program on one variant.
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

}  // namespace bittern
