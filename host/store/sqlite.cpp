#include "host/store/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cctype>

namespace bittern {

namespace {

/// Name of a file for SQLITE_OPEN_URI.
std::string uri_of(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '/' || c == '.' || c == '-' || c == '_') {
      uri += c;
    } else {
      uri += fmt::format("%{:02x}", byte);
    }
  }
  return uri + "?immutable=1";
}

template <typename... Args>
[[noreturn]] void fail_code(int code, fmt::format_string<Args...> format, Args&&... args) {
  throw DatabaseError(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace

bool DatabaseError::busy() const {
  const int kind = code_ & 0xff;
  return kind == SQLITE_BUSY || kind == SQLITE_LOCKED || kind == SQLITE_PROTOCOL;
}

bool DatabaseError::read_only() const {
  const int kind = code_ & 0xff;
  return kind == SQLITE_READONLY || kind == SQLITE_CANTOPEN || kind == SQLITE_PERM;
}

Database::Database(const std::filesystem::path& path, Access access, int busy_timeout_ms)
    : path_(path) {
  const bool immutable = access == Access::kImmutable;
  const int flags = SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE |
                    (access == Access::kWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                              : SQLITE_OPEN_READONLY) |
                    (immutable ? SQLITE_OPEN_URI : 0);
  const std::string name = immutable ? uri_of(path) : path.string();
  const int code = sqlite3_open_v2(name.c_str(), &handle_, flags, nullptr);
  if (code != SQLITE_OK) {
    try {
      fail_with(code, "open");
    } catch (...) {
      sqlite3_close(handle_);
      throw;
    }
  }
  sqlite3_busy_timeout(handle_, busy_timeout_ms);
}

Database::~Database() { sqlite3_close(handle_); }

void Database::fail_with(int code, const std::string& doing) const {
  const std::string file = path_.string();
  const std::string why =
      handle_ != nullptr && code != SQLITE_NOMEM ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      fail_code(
          code,
          "measurement store {}: cannot {}: another process holds it ({}); wait for it or use "
          "another store (--store PATH)",
          file, doing, why);
    case SQLITE_FULL:
      fail_code(
          code,
          "measurement store {}: cannot {}: the disk is full; what was stored before is safe. Free "
          "space, or put the store elsewhere (--store PATH)",
          file, doing);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      fail_code(
          code,
          "measurement store {}: cannot {}: the file is damaged or no measurement store ({}); move "
          "it away (mv {} {}.damaged) and measure again, or rescue what can be with "
          "'sqlite3 {} .recover'",
          file, doing, why, file, file, file);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      fail_code(code,
                "measurement store {}: cannot {}: {}; the file and its folder have to be there and "
                "writable; use another store with --store PATH or $BITTERN_STORE",
                file, doing, why);
    case SQLITE_IOERR:
      fail_code(
          code,
          "measurement store {}: cannot {}: {} (code {}); what was stored before is safe. Check "
          "the disk (full, unmounted, quota), or put the store elsewhere (--store PATH)",
          file, doing, why, code);
    default:
      fail_code(code, "measurement store {}: cannot {}: {} (SQLite code {})", file, doing, why,
                code);
  }
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail_with(code, "run '" + sql.substr(0, 60) + "'");
}

std::int64_t Database::integer(const std::string& sql) {
  Statement statement(*this, sql);
  if (!statement.step()) fail_with(SQLITE_CORRUPT, "read '" + sql + "'");
  return statement.integer(0);
}

std::string Database::text(const std::string& sql) {
  Statement statement(*this, sql);
  if (!statement.step()) fail_with(SQLITE_CORRUPT, "read '" + sql + "'");
  return statement.text(0);
}

bool Database::read_only() const { return sqlite3_db_readonly(handle_, "main") == 1; }

std::int64_t Database::changes() const { return sqlite3_changes(handle_); }

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  const int code = sqlite3_prepare_v2(database_.handle_, sql.data(), static_cast<int>(sql.size()),
                                      &handle_, nullptr);
  if (code == SQLITE_OK) return;
  // A missing table or column in a file with our version number: it was tampered with.
  database_.fail_with(code == SQLITE_ERROR ? SQLITE_CORRUPT : code, "read");
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement& Statement::bind(int index, std::string_view value) {
  const int code = sqlite3_bind_text(handle_, index + 1, value.data(),
                                     static_cast<int>(value.size()), SQLITE_TRANSIENT);
  if (code != SQLITE_OK) database_.fail_with(code, "bind a value");
  return *this;
}

Statement& Statement::bind(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(handle_, index + 1, value);
  if (code != SQLITE_OK) database_.fail_with(code, "bind a value");
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3_reset(handle_);
  database_.fail_with(code, sqlite3_stmt_readonly(handle_) ? "read" : "write");
}

void Statement::reset() {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

std::string Statement::text(int column) const {
  const auto* bytes = sqlite3_column_text(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  return bytes == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(bytes), size);
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

Transaction::Transaction(Database& database, Kind kind) : database_(database) {
  database_.execute(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_.handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace bittern
