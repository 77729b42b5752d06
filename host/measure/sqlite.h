#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace bittern {

/// Open SQLite database. Every failure is an Error that names the file and says how to mend it:
/// busy, full disk, damaged, read-only. For one thread at a time.
class Database {
 public:
  /// Opens a file, or makes it when `create`. `busy_timeout_ms`: how long to wait for locks of
  /// other processes.
  Database(const std::filesystem::path& path, bool create, int busy_timeout_ms);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs statements that return nothing of interest.
  void execute(const std::string& sql);
  /// First column of the first row, as an integer or as text; throws when there is no row.
  std::int64_t integer(const std::string& sql);
  std::string text(const std::string& sql);
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

/// BEGIN IMMEDIATE ... COMMIT; rolled back when it is destroyed before commit().
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace bittern
