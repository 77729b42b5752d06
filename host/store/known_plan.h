#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "host/network/layer.h"

namespace bittern {

class Database;

/// Everything that a plan depends on.
struct PlanKey {
  std::string planner;      ///< planner_hash() of host/cores/planner_hash.h
  std::string variant_key;  ///< Variant::key()
  std::string layer_key;    ///< Layer::key()
  Precision precision;
  int batch = 1;

  /// SHA-256 over all of it, hexadecimal.
  std::string hex() const;
};

/// What measuring has to know of a plan, without making it again.
struct KnownPlan {
  std::string schedule;  ///< Plan::key()
  std::string program;   ///< ProgramOutline::digest()
  int result_bits = 32;  ///< as in MeasurementKey
  bool result_signed = true;
  std::uint64_t cycles = 0;                     ///< of the closed form
  std::map<std::string, std::uint64_t> events;  ///< of the closed form

  bool operator==(const KnownPlan& other) const;
};

/// Plans of a store.
struct PlanCount {
  std::size_t all = 0;
  std::size_t stale = 0;  ///< of other planners, or damaged
};

/// Table `plans` of a store. A plan can always be made again: a damaged row is as good as none.
/// Reads and writes within a transaction of the caller.
class PlanTable {
 public:
  explicit PlanTable(Database& database) : database_(database) {}
  static const char* schema();

  /// Whether there is one; fills `plan`.
  bool find(const PlanKey& key, KnownPlan& plan);
  void put(const PlanKey& key, const KnownPlan& plan);
  PlanCount count(const std::string& planner);
  std::size_t remove(const std::string& planner, bool all);

 private:
  std::vector<std::string> stale_keys(const std::string& planner);
  Database& database_;
};

}  // namespace bittern
