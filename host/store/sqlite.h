#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "host/base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace bittern {

/// A failure of SQLite, with its code.
class DatabaseError : public Error {
 public:
  DatabaseError(int code, const std::string& message) : Error(message), code_(code) {}
  /// Another process holds a lock: the same may succeed in a moment.
  bool busy() const;
  /// The file, or its folder, may not be written.
  bool read_only() const;

 private:
  int code_;
};

/// Open SQLite database. Every failure is a DatabaseError that names the file and says how to mend
/// it: busy, full disk, damaged, read-only. For one thread at a time.
class Database {
 public:
  enum class Access {
    kWrite,      ///< the file is made when it is not there
    kRead,       ///< reads what others write, for which files beside it may be needed
    kImmutable,  ///< reads the file alone: nobody may write it meanwhile
  };
  /// Opens a file. `busy_timeout_ms`: how long to wait for locks of other processes.
  Database(const std::filesystem::path& path, Access access, int busy_timeout_ms);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs statements that return nothing of interest.
  void execute(const std::string& sql);
  /// First column of the first row, as an integer or as text; throws when there is no row.
  std::int64_t integer(const std::string& sql);
  std::string text(const std::string& sql);
  /// Whether nothing can be written, whatever was asked for.
  bool read_only() const;
  /// Rows changed by the last statement.
  std::int64_t changes() const;
  const std::filesystem::path& path() const { return path_; }

 private:
  friend class Statement;
  friend class Transaction;
  [[noreturn]] void fail_with(int code, const std::string& doing) const;

  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
};

/// Prepared statement. Columns and parameters count from 0.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int index, std::string_view value);
  Statement& bind(int index, std::int64_t value);
  /// The next row; false after the last.
  bool step();
  /// Ready for the next use, parameters cleared.
  void reset();
  std::string text(int column) const;
  std::int64_t integer(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
};

/// BEGIN ... COMMIT; rolled back when it is destroyed before commit().
class Transaction {
 public:
  /// kWrite takes the lock for writing at once (IMMEDIATE); kRead only sees one state of the file.
  enum class Kind { kRead, kWrite };
  explicit Transaction(Database& database, Kind kind = Kind::kWrite);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace bittern
