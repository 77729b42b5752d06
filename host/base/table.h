#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "host/base/terminal.h"

namespace bittern {

/// How a command prints its answer.
enum class OutputFormat { kTable, kCsv, kJson };

/// "table", "csv" or "json"; throws Error (exit status 2) for anything else.
OutputFormat parse_output_format(const std::string& text);

/// What of a table is shown, and on what. The defaults are right for files and tests.
struct TableView {
  /// Text: names of the columns, in this order; {"all"}: every column; empty: the short view, all
  /// but the details.
  std::vector<std::string> columns;
  /// Text: columns of the terminal; 0: no limit. Where the short view is wider, long words are
  /// shortened in the middle, then spare columns are left out, then the last ones. Columns that are
  /// named are shown in full.
  std::size_t width = 0;
  /// Text: headings and marked cells in colour.
  bool colour = false;
  /// Text: said below the table when columns were left out: how to see them.
  std::string more;
  /// CSV: whether the sums are its last rows.
  bool csv_totals = false;
};

/// Table of named, typed columns that can be printed for people (aligned text), spreadsheets (CSV,
/// RFC 4180) and programs (JSON). Only text leaves anything out: numbers are rounded there, details
/// and what does not fit are not shown. CSV and JSON carry every column in full.
class Table {
 public:
  /// Cell of a row; std::monostate is "no value": "-" in text, empty in CSV, null in JSON.
  using Cell = std::variant<std::monostate, std::string, std::int64_t, double>;

  /// Adds a column. `name` is its key in CSV and JSON and its heading in text. All columns come
  /// before the first row.
  Table& text_column(const std::string& name);
  Table& integer_column(const std::string& name, const std::string& unit = "");
  /// `digits` are decimals in text.
  Table& real_column(const std::string& name, const std::string& unit = "", int digits = 3);
  /// Makes the column added last a detail: not part of the short view.
  Table& detail();
  /// Makes the column added last one that a narrow terminal does without.
  Table& spare();
  /// Cells of the (text) column added last that are `value` are shown in this style.
  Table& mark(const std::string& value, Style style);

  /// Adds a row; as many cells as columns, each of its column's type or empty (an integer in a real
  /// column is fine). Throws std::logic_error otherwise.
  void row(std::vector<Cell> cells);
  /// Sets the closing row (a sum): below a rule in text, "total" in JSON, in CSV only where asked.
  void total(std::vector<Cell> cells);
  /// Adds a closing row to a table that has several sums: "totals", a list, in JSON.
  void subtotal(std::vector<Cell> cells);

  std::size_t rows() const { return rows_.size(); }

  /// The table as text that ends in a newline (JSON: indented by two). Throws Error (exit status 2)
  /// for a column that there is not, or that is named twice.
  std::string render(OutputFormat format, const TableView& view = {}) const;
  /// {"columns": [{"name", "unit"}], "rows": [{name: value}], "total": {...}, "totals": [{...}]};
  /// without "total" and "totals" when there are none. For embedding in a larger document.
  nlohmann::json json() const;

 private:
  enum class Type { kText, kInteger, kReal };
  struct Column {
    std::string name;
    std::string unit;
    Type type;
    int digits;
    bool detail = false;
    bool spare = false;
    std::vector<std::pair<std::string, Style>> marks = {};
    std::string heading() const { return unit.empty() ? name : name + " [" + unit + "]"; }
  };
  using Line = std::vector<std::string>;
  Table& add(Column column);
  void check(const std::vector<Cell>& cells) const;
  std::string shown(const Column& column, const Cell& cell) const;
  std::vector<std::size_t> chosen(const TableView& view) const;
  std::vector<std::size_t> fitted(std::vector<std::size_t>& chosen, const std::vector<Line>& lines,
                                  const TableView& view) const;
  std::string text(const TableView& view) const;
  std::string csv(bool with_totals) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
  std::vector<std::vector<Cell>> totals_;
  bool one_total_ = false;  ///< totals_ was set by total()
};

/// `value` with an SI prefix and unit, three significant digits: 0.0123, "s" -> "12.3 ms".
std::string si(double value, const std::string& unit);

}  // namespace bittern
