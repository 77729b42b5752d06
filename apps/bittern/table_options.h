#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "host/base/table.h"

namespace bittern {

/// Options of commands that answer with a table.
class TableOptions {
 public:
  explicit TableOptions(std::string format = "table") : format_(std::move(format)) {}

  /// Adds --format and --columns, and --total where there are sums.
  void add_to(CLI::App& command, bool sums = false);

  /// The format. Throws Error (exit status 2) for options that do not go together: to be called
  /// before the work begins.
  OutputFormat format() const;
  /// Whether --columns was given.
  bool columns_chosen() const { return !columns_.empty(); }
  /// Throws Error (exit status 2) when --columns names one that `table`, which may have no rows
  /// yet, does not have.
  void check_columns(const Table& table) const;
  /// What is shown, for standard output.
  TableView view(const CLI::App& command) const;
  /// The table in the format and view that were asked for.
  std::string render(const Table& table, const CLI::App& command) const;

 private:
  std::string format_;
  std::vector<std::string> columns_;
  bool total_ = false;
};

}  // namespace bittern
