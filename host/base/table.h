#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

namespace bittern {

/// How a command prints its answer.
enum class OutputFormat { kTable, kCsv, kJson };

/// "table", "csv" or "json"; throws Error (exit status 2) for anything else.
OutputFormat parse_output_format(const std::string& text);

/// Table of named, typed columns that can be printed for people (aligned text), spreadsheets (CSV,
/// RFC 4180) and programs (JSON). Numbers are rounded in text only; CSV and JSON carry them in
/// full.
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

  /// Adds a row; as many cells as columns, each of its column's type or empty (an integer in a real
  /// column is fine). Throws std::logic_error otherwise.
  void row(std::vector<Cell> cells);
  /// Sets the closing row (a sum): below a rule in text, last row in CSV, "total" in JSON.
  void total(std::vector<Cell> cells);

  std::size_t rows() const { return rows_.size(); }

  /// The table as text that ends in a newline (JSON: indented by two).
  std::string render(OutputFormat format) const;
  /// {"columns": [{"name", "unit"}], "rows": [{name: value}], "total": {...}}; without "total" when
  /// there is none. For embedding in a larger document.
  nlohmann::json json() const;

 private:
  enum class Type { kText, kInteger, kReal };
  struct Column {
    std::string name;
    std::string unit;
    Type type;
    int digits;
  };
  Table& add(Column column);
  void check(const std::vector<Cell>& cells) const;
  std::string shown(const Column& column, const Cell& cell) const;
  std::string text() const;
  std::string csv() const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
  std::vector<Cell> total_;
};

/// `value` with an SI prefix and unit, three significant digits: 0.0123, "s" -> "12.3 ms".
std::string si(double value, const std::string& unit);

}  // namespace bittern
