#include "host/store/known_plan.h"

#include <fmt/format.h>

#include <exception>
#include <nlohmann/json.hpp>

#include "host/base/hash.h"
#include "host/base/json.h"
#include "host/store/sqlite.h"

namespace bittern {
namespace {

constexpr const char* kColumns =
    "key, planner, schedule, program, result_bits, result_signed, cycles, events, digest";

std::string digest_of(const std::string& key, const std::string& planner, const KnownPlan& plan) {
  Sha256 hash;
  hash.update_field(key).update_field(planner).update_field(plan.schedule);
  hash.update_field(plan.program).update_field(nlohmann::json(plan.events).dump());
  hash.update_field(fmt::format("{} {} {}", plan.result_bits, plan.result_signed, plan.cycles));
  return hash.hex();
}

/// Reads a row of "SELECT kColumns"; false when it is not as it was written.
bool read_row(const Statement& row, KnownPlan& plan) {
  plan.schedule = row.text(2);
  plan.program = row.text(3);
  plan.result_bits = static_cast<int>(row.integer(4));
  plan.result_signed = row.integer(5) != 0;
  plan.cycles = static_cast<std::uint64_t>(row.integer(6));
  try {
    const nlohmann::json events = parse_json(row.text(7), "events");
    for (const auto& [name, count] : events.items()) {
      if (!count.is_number_unsigned()) return false;
      plan.events[name] = count.get<std::uint64_t>();
    }
    return digest_of(row.text(0), row.text(1), plan) == row.text(8);
  } catch (const std::exception&) {
    return false;  // whatever else is in there
  }
}

}  // namespace

std::string PlanKey::hex() const {
  Sha256 hash;
  hash.update_field("bittern-plan-1").update_field(planner).update_field(variant_key);
  hash.update_field(layer_key).update_field(precision.key());
  hash.update_field(fmt::format("batch{}", batch));
  return hash.hex();
}

bool KnownPlan::operator==(const KnownPlan& other) const {
  return schedule == other.schedule && program == other.program &&
         result_bits == other.result_bits && result_signed == other.result_signed &&
         cycles == other.cycles && events == other.events;
}

const char* PlanTable::schema() {
  return R"(
CREATE TABLE plans (
  key TEXT PRIMARY KEY,
  planner TEXT NOT NULL,
  schedule TEXT NOT NULL,
  program TEXT NOT NULL,
  result_bits INTEGER NOT NULL,
  result_signed INTEGER NOT NULL,
  cycles INTEGER NOT NULL,
  events TEXT NOT NULL,
  digest TEXT NOT NULL
) WITHOUT ROWID;
)";
}

bool PlanTable::find(const PlanKey& key, KnownPlan& plan) {
  Statement query(database_, fmt::format("SELECT {} FROM plans WHERE key = ?", kColumns));
  query.bind(0, key.hex());
  KnownPlan found;
  if (!query.step() || !read_row(query, found)) return false;
  plan = std::move(found);
  return true;
}

void PlanTable::put(const PlanKey& key, const KnownPlan& plan) {
  const std::string hex = key.hex();
  Statement insert(
      database_,
      fmt::format("INSERT OR REPLACE INTO plans ({}) VALUES (?,?,?,?,?,?,?,?,?)", kColumns));
  insert.bind(0, hex).bind(1, key.planner).bind(2, plan.schedule).bind(3, plan.program);
  insert.bind(4, std::int64_t{plan.result_bits}).bind(5, std::int64_t{plan.result_signed});
  insert.bind(6, static_cast<std::int64_t>(plan.cycles));
  insert.bind(7, nlohmann::json(plan.events).dump());
  insert.bind(8, digest_of(hex, key.planner, plan));
  insert.step();
}

std::vector<std::string> PlanTable::stale_keys(const std::string& planner) {
  std::vector<std::string> keys;
  Statement query(database_, fmt::format("SELECT {} FROM plans", kColumns));
  while (query.step()) {
    KnownPlan plan;
    if (query.text(1) != planner || !read_row(query, plan)) keys.push_back(query.text(0));
  }
  return keys;
}

PlanCount PlanTable::count(const std::string& planner) {
  return {static_cast<std::size_t>(database_.integer("SELECT count(*) FROM plans")),
          stale_keys(planner).size()};
}

std::size_t PlanTable::remove(const std::string& planner, bool all) {
  if (all) {
    database_.execute("DELETE FROM plans");
    return static_cast<std::size_t>(database_.changes());
  }
  const std::vector<std::string> keys = stale_keys(planner);
  Statement erase(database_, "DELETE FROM plans WHERE key = ?");
  for (const std::string& key : keys) {
    erase.bind(0, key).step();
    erase.reset();
  }
  return keys.size();
}

}  // namespace bittern
