#include "host/measure/store.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/json.h"
#include "host/measure/sqlite.h"

namespace bittern {
namespace {

// "BTRN": tells our files from other SQLite databases (PRAGMA application_id).
constexpr std::int64_t kApplicationId = 0x4254524e;

constexpr const char* kColumns =
    "key, variant, variant_key, rtl_hash, origin, layer, weight_bits, weight_signed, "
    "activation_bits, activation_signed, batch, schedule, lowering, cycles, events, bytes_read, "
    "bytes_written, checked, tools, created, digest";

constexpr const char* kSchema = R"(
CREATE TABLE measurements (
  key TEXT PRIMARY KEY,
  variant TEXT NOT NULL,
  variant_key TEXT NOT NULL,
  rtl_hash TEXT NOT NULL,
  origin TEXT NOT NULL,
  layer TEXT NOT NULL,
  weight_bits INTEGER NOT NULL,
  weight_signed INTEGER NOT NULL,
  activation_bits INTEGER NOT NULL,
  activation_signed INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  schedule TEXT NOT NULL,
  lowering INTEGER NOT NULL,
  cycles INTEGER NOT NULL,
  events TEXT NOT NULL,
  bytes_read INTEGER NOT NULL,
  bytes_written INTEGER NOT NULL,
  checked INTEGER NOT NULL,
  tools TEXT NOT NULL,
  created TEXT NOT NULL,
  digest TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX by_layer ON measurements (variant, layer, weight_bits, activation_bits);
)";

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::string digest_of(const StoredMeasurement& row) {
  const Measurement& m = row.measurement;
  Sha256 hash;
  hash.update_field(m.key).update_field(row.key.variant).update_field(row.tools);
  hash.update_field(row.created).update_field(nlohmann::json(m.events).dump());
  hash.update_field(fmt::format("{} {} {} {}", m.cycles, m.bytes_read, m.bytes_written, m.checked));
  return hash.hex();
}

/// A row of "SELECT kColumns".
StoredMeasurement read_row(const Statement& row) {
  StoredMeasurement out;
  MeasurementKey& key = out.key;
  Measurement& m = out.measurement;
  m.key = row.text(0);
  key.variant = row.text(1);
  key.variant_key = row.text(2);
  key.rtl_hash = row.text(3);
  key.layer_key = row.text(5);
  key.precision = {{static_cast<int>(row.integer(6)), static_cast<int>(row.integer(8))},
                   row.integer(7) != 0,
                   row.integer(9) != 0};
  key.batch = static_cast<int>(row.integer(10));
  key.schedule = m.schedule = row.text(11);
  key.lowering_version = static_cast<int>(row.integer(12));
  m.cycles = static_cast<std::uint64_t>(row.integer(13));
  m.bytes_read = static_cast<std::uint64_t>(row.integer(15));
  m.bytes_written = static_cast<std::uint64_t>(row.integer(16));
  m.checked = row.integer(17) != 0;
  out.tools = row.text(18);
  out.created = row.text(19);
  try {
    key.origin = m.origin = parse_origin(row.text(4));
    const auto events = parse_json(row.text(14), "events");
    for (const auto& [name, count] : events.items()) m.events[name] = count.get<std::uint64_t>();
    out.damaged = key.hex() != m.key || digest_of(out) != row.text(20);
  } catch (const std::exception&) {
    out.damaged = true;
  }
  return out;
}

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

}  // namespace

std::string MeasurementKey::hex() const {
  Sha256 hash;
  hash.update_field("bittern-measurement-1").update_field(rtl_hash).update_field(variant_key);
  hash.update_field(origin_name(origin)).update_field(layer_key).update_field(schedule);
  hash.update_field(fmt::format("w{}{} a{}{} batch{} lowering{}", precision.bits.weight,
                                precision.weight_signed ? "s" : "u", precision.bits.activation,
                                precision.activation_signed ? "s" : "u", batch, lowering_version));
  return hash.hex();
}

std::filesystem::path MeasurementStore::default_path() {
  if (const char* store = environment("BITTERN_STORE")) return store;
  if (const char* cache = environment("XDG_CACHE_HOME")) {
    return std::filesystem::path(cache) / "bittern" / "measurements.db";
  }
  if (const char* home = environment("HOME")) {
    return std::filesystem::path(home) / ".cache" / "bittern" / "measurements.db";
  }
  fail_usage(
      "no place for the measurement store: none of $BITTERN_STORE, $XDG_CACHE_HOME and $HOME is "
      "set; give one with --store PATH");
}

MeasurementStore::MeasurementStore(const std::filesystem::path& path, int busy_timeout_ms) {
  if (path.has_parent_path()) {
    std::error_code code;
    std::filesystem::create_directories(path.parent_path(), code);
    if (code) {
      fail("measurement store {}: cannot make its folder: {}; use another with --store PATH",
           path.string(), code.message());
    }
  }
  database_ = std::make_unique<Database>(path, true, busy_timeout_ms);
  prepare_schema();
}

MeasurementStore::~MeasurementStore() = default;

const std::filesystem::path& MeasurementStore::path() const { return database_->path(); }

void MeasurementStore::prepare_schema() {
  Database& db = *database_;
  const auto check = [&db](bool& fresh) {
    const std::int64_t application = db.integer("PRAGMA application_id");
    const std::int64_t version = db.integer("PRAGMA user_version");
    fresh =
        application == 0 && version == 0 && db.integer("SELECT count(*) FROM sqlite_master") == 0;
    if (fresh) return;
    if (application != kApplicationId || version < 1) {
      fail(
          "{} is an SQLite database, but no measurement store of Bittern; use another file "
          "(--store "
          "PATH)",
          db.path().string());
    }
    if (version > kSchemaVersion) {
      fail(
          "measurement store {} has version {}, this Bittern reads up to {}: update Bittern, or "
          "use "
          "another store (--store PATH)",
          db.path().string(), version, kSchemaVersion);
    }
  };
  bool fresh = false;
  check(fresh);
  // A commit is on the disk before put() returns.
  db.execute("PRAGMA synchronous = FULL");
  if (db.text("PRAGMA journal_mode") != "wal") {
    // Takes an exclusive lock without waiting for it; another process may be doing the same.
    for (int attempt = 0;; ++attempt) {
      try {
        db.execute("PRAGMA journal_mode = WAL");
        break;
      } catch (const Error&) {
        if (attempt == 100) throw;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    }
  }
  if (!fresh) return;
  Transaction transaction(db);
  check(fresh);  // another process may have made the tables meanwhile
  if (fresh) {
    db.execute(kSchema);
    db.execute(fmt::format("PRAGMA application_id = {}", kApplicationId));
    db.execute(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
  }
  transaction.commit();
}

std::optional<Measurement> MeasurementStore::find(const MeasurementKey& key) {
  const std::string hex = key.hex();
  const std::lock_guard lock(mutex_);
  Statement query(*database_, fmt::format("SELECT {} FROM measurements WHERE key = ?", kColumns));
  query.bind(0, hex);
  if (!query.step()) return std::nullopt;
  const StoredMeasurement row = read_row(query);
  if (row.damaged) {
    fail(
        "measurement store {}: the row {} ({} at {}/{} bits on {}) was changed after it was "
        "written; "
        "remove damaged rows with 'bittern store gc --damaged --store {}' and measure again",
        path().string(), hex.substr(0, 12), key.layer_key, key.precision.bits.weight,
        key.precision.bits.activation, key.variant, path().string());
  }
  if (!row.measurement.checked) return std::nullopt;
  return row.measurement;
}

void MeasurementStore::put(const MeasurementKey& key, const Measurement& measurement,
                           const std::string& tools) {
  StoredMeasurement row;
  row.key = key;
  row.measurement = measurement;
  row.measurement.key = key.hex();
  row.tools = tools;
  row.created = now_utc();
  const Measurement& m = row.measurement;
  const std::lock_guard lock(mutex_);
  Transaction transaction(*database_);
  {
    Statement query(*database_, fmt::format("SELECT {} FROM measurements WHERE key = ?", kColumns));
    query.bind(0, m.key);
    if (query.step()) {
      const StoredMeasurement known = read_row(query);
      if (!known.damaged && known.measurement.checked) {
        if (known.measurement.cycles == m.cycles && known.measurement.events == m.events) return;
        fail(
            "measurement store {}: {} at {}/{} bits on {} took {} cycles now, but {} when it was "
            "measured at {}: the device is not deterministic, or one of the two is wrong. Look at "
            "'bittern store show {}', run 'bittern validate'",
            path().string(), key.layer_key, key.precision.bits.weight,
            key.precision.bits.activation, key.variant, m.cycles, known.measurement.cycles,
            known.created, m.key.substr(0, 12));
      }
    }
  }
  Statement insert(*database_, fmt::format("INSERT OR REPLACE INTO measurements ({}) VALUES "
                                           "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                                           kColumns));
  insert.bind(0, m.key).bind(1, key.variant).bind(2, key.variant_key).bind(3, key.rtl_hash);
  insert.bind(4, origin_name(key.origin)).bind(5, key.layer_key);
  insert.bind(6, std::int64_t{key.precision.bits.weight});
  insert.bind(7, std::int64_t{key.precision.weight_signed});
  insert.bind(8, std::int64_t{key.precision.bits.activation});
  insert.bind(9, std::int64_t{key.precision.activation_signed});
  insert.bind(10, std::int64_t{key.batch}).bind(11, key.schedule);
  insert.bind(12, std::int64_t{key.lowering_version});
  insert.bind(13, static_cast<std::int64_t>(m.cycles));
  insert.bind(14, nlohmann::json(m.events).dump());
  insert.bind(15, static_cast<std::int64_t>(m.bytes_read));
  insert.bind(16, static_cast<std::int64_t>(m.bytes_written));
  insert.bind(17, std::int64_t{m.checked}).bind(18, row.tools).bind(19, row.created);
  insert.bind(20, digest_of(row));
  insert.step();
  transaction.commit();
}

std::vector<StoredMeasurement> MeasurementStore::list(const StoreFilter& filter) {
  const std::lock_guard lock(mutex_);
  Statement query(*database_,
                  fmt::format("SELECT {} FROM measurements WHERE (?1 = '' OR variant = ?1) AND "
                              "substr(key, 1, length(?2)) = ?2 ORDER BY variant, layer, "
                              "weight_bits, activation_bits, batch, created, key",
                              kColumns));
  query.bind(0, filter.variant).bind(1, filter.key_prefix);
  std::vector<StoredMeasurement> rows;
  while (query.step()) rows.push_back(read_row(query));
  return rows;
}

std::size_t MeasurementStore::remove(const std::vector<std::string>& keys) {
  const std::lock_guard lock(mutex_);
  Transaction transaction(*database_);
  Statement erase(*database_, "DELETE FROM measurements WHERE key = ?");
  std::size_t removed = 0;
  for (const std::string& key : keys) {
    erase.bind(0, key).step();
    removed += static_cast<std::size_t>(database_->changes());
    erase.reset();
  }
  transaction.commit();
  return removed;
}

void MeasurementStore::compact() {
  const std::lock_guard lock(mutex_);
  database_->execute("VACUUM");
  database_->execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace bittern
