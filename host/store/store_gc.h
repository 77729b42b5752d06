#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "host/store/store.h"

namespace bittern {

/// A device executable that is there, and which RTL it simulates.
struct BuiltDevice {
  std::string variant;  ///< of the executable's name
  std::string rtl_hash;
  std::string problem;  ///< why it does not say which RTL it has; empty when it does
};

/// All devices that are built: in `folder`, or where devices are looked for. Each is started to say
/// who it is.
std::vector<BuiltDevice> built_devices(const std::filesystem::path& folder = {});

/// Which rows `bittern store gc` is asked to remove.
enum class GcScope {
  kStale,    ///< damaged ones, and those that no RTL that is built can answer for
  kDamaged,  ///< damaged ones only
  kAll,
};

/// Rows of one variant and RTL that share a fate.
struct GcGroup {
  bool removed = false;
  std::string variant;
  std::string rtl_hash;
  std::string reason;
  std::size_t rows = 0;
};

/// What is to go and what stays.
struct GcPlan {
  std::vector<std::string> keys;  ///< of the rows to be removed
  std::vector<GcGroup> groups;    ///< of all rows: first what is removed
};

/// Decides for every row. What cannot be known is kept: rows of boards, of devices elsewhere, and
/// of variants whose device is not built here.
GcPlan plan_gc(const std::vector<StoredMeasurement>& rows, GcScope scope,
               const std::vector<BuiltDevice>& built);

/// The plan for people, a line for each group.
std::string gc_text(const GcPlan& plan);

}  // namespace bittern
