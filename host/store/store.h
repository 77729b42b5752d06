#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/network/layer.h"
#include "host/store/known_plan.h"
#include "host/store/measurement.h"

namespace bittern {

class Database;

/// Everything that a measurement depends on. Two different things never share a key; the same thing
/// has one key in every network.
struct MeasurementKey {
  std::string variant;      ///< name, for people: not part of the content key
  std::string variant_key;  ///< Variant::key()
  std::string rtl_hash;     ///< of the device, see DeviceIdentity
  Origin origin = Origin::kRtl;
  std::string layer_key;  ///< Layer::key()
  Precision precision;
  int batch = 1;
  int result_bits = 32;  ///< of the results in device memory: 32 for sums
  bool result_signed = true;
  std::string program;   ///< ProgramOutline::digest()
  std::string schedule;  ///< Plan::key(), for people: not part of the content key, the program is

  /// SHA-256 over all of it but the name and the schedule, hexadecimal.
  std::string hex() const;
};

/// A measurement as it lies in the store.
struct StoredMeasurement {
  MeasurementKey key;
  Measurement measurement;
  std::string tools;     ///< versions that took part, and a remote device's endpoint; for people
  std::string created;   ///< UTC, "2026-01-31T12:00:00Z"
  bool damaged = false;  ///< its digest does not fit its content
};

/// Which measurements of a store are meant. Empty fields mean any.
struct StoreFilter {
  std::string variant;
  std::string key_prefix;
};

/// Measurements that were made once, kept for ever, and beside them what is known of plans: an
/// SQLite file (WAL) that several processes and threads may use at once. Every row carries a digest
/// of its content. A row that was acknowledged survives the death of the process and a full disk. A
/// store that may only be read answers, too, and takes nothing new. Throws Error that names the
/// file and the mending when the file is damaged, of another version, no store at all, locked too
/// long, or cannot be written.
class MeasurementStore {
 public:
  /// Version of the tables in the file (PRAGMA user_version).
  static constexpr int kSchemaVersion = 2;

  /// Opens a store, making file and folders when they are not there.
  explicit MeasurementStore(const std::filesystem::path& path, int busy_timeout_ms = 30000);
  ~MeasurementStore();
  MeasurementStore(const MeasurementStore&) = delete;
  MeasurementStore& operator=(const MeasurementStore&) = delete;

  /// $BITTERN_STORE; else measurements.db in $XDG_CACHE_HOME/bittern, or in ~/.cache/bittern.
  static std::filesystem::path default_path();

  const std::filesystem::path& path() const { return path_; }
  /// Why it may only be read; empty when it can be written.
  const std::string& read_only() const { return read_only_; }
  /// Throws Error when it may only be read. `what`: "cannot take 3 new measurements".
  void require_writable(const std::string& what) const;

  /// The measurement, if it was made and checked. Throws Error when its row is damaged.
  std::optional<Measurement> find(const MeasurementKey& key);

  /// Keeps a measurement; on return it is on the disk. When another process was faster, its row
  /// stays; throws Error when that one has other cycles or events (the device is not
  /// deterministic, or two builds share a hash).
  void put(const MeasurementKey& key, const Measurement& measurement, const std::string& tools);

  /// Rows by variant, layer, bits. Damaged ones are marked, not refused.
  std::vector<StoredMeasurement> list(const StoreFilter& filter = {});

  /// Removes rows by content key; returns how many there were.
  std::size_t remove(const std::vector<std::string>& keys);

  /// What is known of a plan; nothing also where its row is damaged: planning says it anew.
  std::optional<KnownPlan> find_plan(const PlanKey& key);

  /// Keeps what is known of plans, in place of what was kept, all of them or none. Throws Error
  /// when the store may only be read.
  void put_plans(const std::vector<std::pair<PlanKey, KnownPlan>>& plans);

  /// How many plans there are, and how many of them were made by other planners than `planner` or
  /// are damaged.
  PlanCount count_plans(const std::string& planner);
  /// Removes those; with `all`, every plan. Returns how many there were.
  std::size_t remove_plans(const std::string& planner, bool all = false);

  /// Gives the space of removed rows back to the disk.
  void compact();

 private:
  /// What a file says of itself.
  struct Head {
    std::int64_t application = 0;
    std::int64_t version = 0;
    bool fresh = false;  ///< nothing is in it yet
  };
  /// How the file looks from outside: when it changes, an immutable view of it is stale.
  struct Look {
    std::filesystem::file_time_type written;
    std::uintmax_t bytes = 0;
    std::uintmax_t log_bytes = 0;
    bool operator==(const Look& other) const;
  };

  void open_writable();
  void open_readable();
  Head read_head();
  Head read_head_within();  // a transaction
  void check_head(const Head& head) const;
  void use_write_ahead_log();
  void make_tables();
  Look look() const;
  Database& database();

  const std::filesystem::path path_;
  const int busy_timeout_ms_;
  std::mutex mutex_;
  std::unique_ptr<Database> database_;
  std::string read_only_;
  std::optional<Look> immutable_;  ///< when the file alone is read: how it looked
};

}  // namespace bittern
