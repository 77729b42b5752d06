#include "host/store/store.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/json.h"
#include "host/store/sqlite.h"

namespace bittern {
namespace {

// "BTRN": tells our files from other SQLite databases (PRAGMA application_id).
constexpr std::int64_t kApplicationId = 0x4254524e;

constexpr const char* kColumns =
    "key, variant, variant_key, rtl_hash, origin, layer, weight_bits, weight_signed, "
    "activation_bits, activation_signed, batch, result_bits, result_signed, program, schedule, "
    "cycles, events, bytes_read, bytes_written, checked, tools, created, digest";

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
  result_bits INTEGER NOT NULL,
  result_signed INTEGER NOT NULL,
  program TEXT NOT NULL,
  schedule TEXT NOT NULL,
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

/// Marks measurements of devices that run elsewhere, in the column "tools".
constexpr std::string_view kRemote = "remote ";
constexpr std::string_view kBehindRemote = "; ";
/// More than any device has counted.
constexpr std::uint64_t kMostCycles = std::uint64_t{1} << 62;

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
  hash.update_field(row.key.schedule);
  hash.update_field(row.created).update_field(nlohmann::json(m.events).dump());
  hash.update_field(fmt::format("{} {} {} {}", m.cycles, m.bytes_read, m.bytes_written, m.checked));
  return hash.hex();
}

/// Endpoint of the device that runs elsewhere, in the text about tools of its measurements; empty
/// when there is none.
std::string remote_of(const std::string& tools) {
  if (tools.compare(0, kRemote.size(), kRemote) != 0) return {};
  return tools.substr(kRemote.size(), tools.find(kBehindRemote) - kRemote.size());
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
  key.result_bits = static_cast<int>(row.integer(11));
  key.result_signed = row.integer(12) != 0;
  key.program = row.text(13);
  key.schedule = m.schedule = row.text(14);
  m.cycles = static_cast<std::uint64_t>(row.integer(15));
  m.bytes_read = static_cast<std::uint64_t>(row.integer(17));
  m.bytes_written = static_cast<std::uint64_t>(row.integer(18));
  m.checked = row.integer(19) != 0;
  out.tools = row.text(20);
  m.remote = remote_of(out.tools);
  out.created = row.text(21);
  try {
    key.origin = m.origin = parse_origin(row.text(4));
    const auto events = parse_json(row.text(16), "events");
    for (const auto& [name, count] : events.items()) {
      if (!count.is_number_unsigned()) fail("event {} is no count", name);
      m.events[name] = count.get<std::uint64_t>();
    }
    out.damaged = m.cycles == 0 || m.cycles > kMostCycles || key.hex() != m.key ||
                  digest_of(out) != row.text(22);
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
  hash.update_field("bittern-measurement-2").update_field(rtl_hash).update_field(variant_key);
  hash.update_field(origin_name(origin)).update_field(layer_key).update_field(program);
  hash.update_field(precision.key());
  hash.update_field(fmt::format("r{}{} batch{}", result_bits, result_signed ? "s" : "u", batch));
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

MeasurementStore::MeasurementStore(const std::filesystem::path& path, int busy_timeout_ms)
    : path_(path), busy_timeout_ms_(busy_timeout_ms) {
  if (path.has_parent_path()) {
    std::error_code code;
    std::filesystem::create_directories(path.parent_path(), code);
    if (code) {
      fail("measurement store {}: cannot make its folder: {}; use another with --store PATH",
           path.string(), code.message());
    }
  }
  try {
    open_writable();
  } catch (const DatabaseError& error) {
    std::error_code code;
    if (!error.read_only() || !std::filesystem::is_regular_file(path, code)) throw;
    open_readable();
  }
}

MeasurementStore::~MeasurementStore() = default;

bool MeasurementStore::Look::operator==(const Look& other) const {
  return written == other.written && bytes == other.bytes && log_bytes == other.log_bytes;
}

void MeasurementStore::open_writable() {
  database_ = std::make_unique<Database>(path_, Database::Access::kWrite, busy_timeout_ms_);
  if (database_->read_only()) return open_readable();
  const Head head = read_head();
  check_head(head);
  // A commit is on the disk before put() returns.
  database_->execute("PRAGMA synchronous = FULL");
  use_write_ahead_log();
  if (head.fresh) make_tables();
}

/// Nothing is written, in no file. The log beside the file holds measurements that have not been
/// merged into it; without one the file alone is all there is.
void MeasurementStore::open_readable() {
  database_.reset();
  immutable_.reset();
  read_only_ = "neither it nor files beside it can be written";
  const Look before = look();
  const auto opens = [this] {
    try {
      database_ = std::make_unique<Database>(path_, Database::Access::kRead, busy_timeout_ms_);
      check_head(read_head());
    } catch (const DatabaseError& error) {
      if (!error.read_only()) throw;
      return false;
    }
    return true;
  };
  if (opens()) return;
  if (before.log_bytes > 0) {
    fail(
        "measurement store {} may only be read, and the last measurements are still in {}-wal, "
        "which "
        "cannot be read without writing beside it; open the store once where it can be written "
        "('bittern store ls --store {}'), or copy both files to such a place",
        path_.string(), path_.string(), path_.string());
  }
  immutable_ = before;
  database_ = std::make_unique<Database>(path_, Database::Access::kImmutable, busy_timeout_ms_);
  check_head(read_head());
}

MeasurementStore::Look MeasurementStore::look() const {
  Look look;
  std::error_code code;
  look.written = std::filesystem::last_write_time(path_, code);
  look.bytes = std::filesystem::file_size(path_, code);
  std::filesystem::path log = path_;
  log += "-wal";
  look.log_bytes = std::filesystem::file_size(log, code);
  if (code) look.log_bytes = 0;
  return look;
}

/// The database, opened anew when its file changed under an immutable view.
Database& MeasurementStore::database() {
  if (immutable_ && !(*immutable_ == look())) open_readable();
  return *database_;
}

MeasurementStore::Head MeasurementStore::read_head() {
  // One transaction: another process may be making the tables.
  Transaction transaction(*database_, Transaction::Kind::kRead);
  const Head head = read_head_within();
  transaction.commit();
  return head;
}

MeasurementStore::Head MeasurementStore::read_head_within() {
  Head head;
  head.application = database_->integer("PRAGMA application_id");
  head.version = database_->integer("PRAGMA user_version");
  head.fresh = head.application == 0 && head.version == 0 &&
               database_->integer("SELECT count(*) FROM sqlite_master") == 0;
  return head;
}

void MeasurementStore::check_head(const Head& head) const {
  if (head.fresh && !read_only_.empty()) {
    fail("measurement store {} is empty and may only be read; use another with --store PATH",
         path_.string());
  }
  if (head.fresh) return;
  if (head.application != kApplicationId || head.version < 1) {
    fail(
        "{} is an SQLite database, but no measurement store of Bittern; use another file (--store "
        "PATH)",
        path_.string());
  }
  if (head.version < kSchemaVersion) {
    fail(
        "measurement store {} has version {}, this Bittern works with {}: the rows of old ones do "
        "not say which program ran, so nothing proves that they still hold; move it away (mv {} "
        "{}.version{}) and measure again, or use another store (--store PATH)",
        path_.string(), head.version, kSchemaVersion, path_.string(), path_.string(), head.version);
  }
  if (head.version > kSchemaVersion) {
    fail(
        "measurement store {} has version {}, this Bittern works with {}: update Bittern, or use "
        "another store (--store PATH)",
        path_.string(), head.version, kSchemaVersion);
  }
}

void MeasurementStore::use_write_ahead_log() {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(busy_timeout_ms_);
  while (true) {
    // The switch takes an exclusive lock without waiting for it; another process may be doing the
    // same.
    try {
      // A file system without shared memory answers another mode: slower, not wrong.
      database_->execute("PRAGMA journal_mode = WAL");
      return;
    } catch (const DatabaseError& error) {
      if (!error.busy() || Clock::now() > deadline) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void MeasurementStore::make_tables() {
  Transaction transaction(*database_);
  const Head head = read_head_within();
  check_head(head);
  if (head.fresh) {  // no other process made them meanwhile
    database_->execute(kSchema);
    database_->execute(PlanTable::schema());
    database_->execute(fmt::format("PRAGMA application_id = {}", kApplicationId));
    database_->execute(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
  }
  transaction.commit();
}

void MeasurementStore::require_writable(const std::string& what) const {
  if (read_only_.empty()) return;
  fail(
      "measurement store {} may only be read ({}): it {}; use another with --store PATH, or none "
      "with --no-store",
      path_.string(), read_only_, what);
}

std::optional<Measurement> MeasurementStore::find(const MeasurementKey& key) {
  const std::string hex = key.hex();
  const std::lock_guard lock(mutex_);
  Statement query(database(), fmt::format("SELECT {} FROM measurements WHERE key = ?", kColumns));
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
  // In front: what a device says of its tools must not look like this.
  row.tools = measurement.remote.empty()
                  ? tools
                  : fmt::format("{}{}{}{}", kRemote, measurement.remote, kBehindRemote, tools);
  row.created = now_utc();
  const Measurement& m = row.measurement;
  require_writable("cannot take a new measurement");
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
                                           "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                                           kColumns));
  insert.bind(0, m.key).bind(1, key.variant).bind(2, key.variant_key).bind(3, key.rtl_hash);
  insert.bind(4, origin_name(key.origin)).bind(5, key.layer_key);
  insert.bind(6, std::int64_t{key.precision.bits.weight});
  insert.bind(7, std::int64_t{key.precision.weight_signed});
  insert.bind(8, std::int64_t{key.precision.bits.activation});
  insert.bind(9, std::int64_t{key.precision.activation_signed});
  insert.bind(10, std::int64_t{key.batch}).bind(11, std::int64_t{key.result_bits});
  insert.bind(12, std::int64_t{key.result_signed}).bind(13, key.program).bind(14, key.schedule);
  insert.bind(15, static_cast<std::int64_t>(m.cycles));
  insert.bind(16, nlohmann::json(m.events).dump());
  insert.bind(17, static_cast<std::int64_t>(m.bytes_read));
  insert.bind(18, static_cast<std::int64_t>(m.bytes_written));
  insert.bind(19, std::int64_t{m.checked}).bind(20, row.tools).bind(21, row.created);
  insert.bind(22, digest_of(row));
  insert.step();
  transaction.commit();
}

std::vector<StoredMeasurement> MeasurementStore::list(const StoreFilter& filter) {
  const std::lock_guard lock(mutex_);
  Statement query(database(),
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
  require_writable("keeps what it has");
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

std::optional<KnownPlan> MeasurementStore::find_plan(const PlanKey& key) {
  const std::lock_guard lock(mutex_);
  KnownPlan plan;
  if (!PlanTable(database()).find(key, plan)) return std::nullopt;
  return plan;
}

void MeasurementStore::put_plans(const std::vector<std::pair<PlanKey, KnownPlan>>& plans) {
  require_writable("cannot take new plans");
  const std::lock_guard lock(mutex_);
  Transaction transaction(*database_);
  PlanTable table(*database_);
  for (const auto& [key, plan] : plans) table.put(key, plan);
  transaction.commit();
}

PlanCount MeasurementStore::count_plans(const std::string& planner) {
  const std::lock_guard lock(mutex_);
  return PlanTable(database()).count(planner);
}

std::size_t MeasurementStore::remove_plans(const std::string& planner, bool all) {
  require_writable("keeps what it has");
  const std::lock_guard lock(mutex_);
  Transaction transaction(*database_);
  const std::size_t removed = PlanTable(*database_).remove(planner, all);
  transaction.commit();
  return removed;
}

void MeasurementStore::compact() {
  const std::lock_guard lock(mutex_);
  database_->execute("VACUUM");
  database_->execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace bittern
