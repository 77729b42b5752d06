#include "host/store/store_gc.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "host/base/error.h"
#include "host/device/device_process.h"
#include "host/device/start.h"

namespace bittern {
namespace {

std::string short_hash(const std::string& hash) { return hash.substr(0, 16); }

struct Verdict {
  bool remove = false;
  std::string reason;
};

/// For rows that were simulated and are neither damaged nor swept out with all others.
Verdict verdict_on_simulated(const StoredMeasurement& row, const std::vector<BuiltDevice>& built) {
  const auto same_rtl = std::find_if(built.begin(), built.end(), [&](const BuiltDevice& device) {
    return !device.rtl_hash.empty() && device.rtl_hash == row.key.rtl_hash;
  });
  if (same_rtl != built.end()) {
    return {false, fmt::format("the RTL of bittern-device-{}, which is built", same_rtl->variant)};
  }
  if (!row.measurement.remote.empty()) {
    return {false, fmt::format("measured at {}; what is built there is not known",
                               row.measurement.remote)};
  }
  const auto own = std::find_if(built.begin(), built.end(), [&](const BuiltDevice& device) {
    return device.variant == row.key.variant;
  });
  if (own == built.end()) {
    return {false, fmt::format("bittern-device-{} is not built here, its RTL is not known",
                               row.key.variant)};
  }
  if (own->rtl_hash.empty()) {
    return {false, fmt::format("bittern-device-{} does not say which RTL it has: {}", own->variant,
                               own->problem)};
  }
  return {true, fmt::format("bittern-device-{} has RTL {} now, and no other device has this one",
                            own->variant, short_hash(own->rtl_hash))};
}

Verdict verdict_on(const StoredMeasurement& row, GcScope scope,
                   const std::vector<BuiltDevice>& built) {
  if (row.damaged) return {true, "changed after it was written"};
  if (scope == GcScope::kAll) return {true, "everything is to go"};
  if (scope == GcScope::kDamaged) return {false, "not damaged"};
  if (row.key.origin != Origin::kRtl) {
    return {false, "measured on a board; which RTL it will have is not known"};
  }
  return verdict_on_simulated(row, built);
}

}  // namespace

std::vector<BuiltDevice> built_devices(const std::filesystem::path& folder) {
  std::vector<BuiltDevice> built;
  for (const auto& [variant, path] : device_executables(folder)) {
    BuiltDevice device;
    device.variant = variant;
    try {
      device.rtl_hash = executable_identity(path).rtl_hash;
    } catch (const Error& error) {
      device.problem = error.what();
    }
    built.push_back(std::move(device));
  }
  return built;
}

GcPlan plan_gc(const std::vector<StoredMeasurement>& rows, GcScope scope,
               const std::vector<BuiltDevice>& built) {
  GcPlan plan;
  std::map<std::tuple<bool, std::string, std::string, std::string>, std::size_t> groups;
  for (const StoredMeasurement& row : rows) {
    const Verdict verdict = verdict_on(row, scope, built);
    if (verdict.remove) plan.keys.push_back(row.measurement.key);
    ++groups[{!verdict.remove, row.key.variant, row.key.rtl_hash, verdict.reason}];
  }
  for (const auto& [group, count] : groups) {
    const auto& [kept, variant, hash, reason] = group;
    plan.groups.push_back({!kept, variant, hash, reason, count});
  }
  return plan;
}

std::string gc_text(const GcPlan& plan) {
  std::string text;
  for (const GcGroup& group : plan.groups) {
    text += fmt::format("{} {:>6}  {}, RTL {}: {}\n", group.removed ? "remove" : "keep  ",
                        group.rows, group.variant, short_hash(group.rtl_hash), group.reason);
  }
  return text;
}

}  // namespace bittern
