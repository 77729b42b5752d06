#include "host/base/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "host/base/error.h"
#include "host/base/json.h"
#include "host/base/text.h"
#include "host/base/yaml.h"

namespace bittern {
namespace {

/// Columns that text takes on a terminal: one per code point (all that we print is narrow).
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string quoted_for_csv(const std::string& raw) {
  const std::string text = printable_lines(raw);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace

OutputFormat parse_output_format(const std::string& text) {
  if (text == "table") return OutputFormat::kTable;
  if (text == "csv") return OutputFormat::kCsv;
  if (text == "json") return OutputFormat::kJson;
  fail_usage("unknown output format '{}'{}", text, suggestion(text, {"table", "csv", "json"}));
}

Table& Table::add(Column column) {
  if (!rows_.empty()) throw std::logic_error("Table: column '" + column.name + "' after a row");
  columns_.push_back(std::move(column));
  return *this;
}
Table& Table::text_column(const std::string& name) { return add({name, "", Type::kText, 0}); }
Table& Table::integer_column(const std::string& name, const std::string& unit) {
  return add({name, unit, Type::kInteger, 0});
}
Table& Table::real_column(const std::string& name, const std::string& unit, int digits) {
  return add({name, unit, Type::kReal, digits});
}

void Table::check(const std::vector<Cell>& cells) const {
  if (cells.size() != columns_.size()) {
    throw std::logic_error(
        fmt::format("Table: {} cells for {} columns", cells.size(), columns_.size()));
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Type type = columns_[i].type;
    const bool good = std::holds_alternative<std::monostate>(cells[i]) ||
                      (std::holds_alternative<std::string>(cells[i]) && type == Type::kText) ||
                      (std::holds_alternative<std::int64_t>(cells[i]) && type != Type::kText) ||
                      (std::holds_alternative<double>(cells[i]) && type == Type::kReal);
    if (!good) throw std::logic_error("Table: wrong type in column '" + columns_[i].name + "'");
  }
}

void Table::row(std::vector<Cell> cells) {
  check(cells);
  rows_.push_back(std::move(cells));
}
void Table::total(std::vector<Cell> cells) {
  check(cells);
  total_ = std::move(cells);
}

std::string Table::shown(const Column& column, const Cell& cell) const {
  if (std::holds_alternative<std::string>(cell)) return printable(std::get<std::string>(cell));
  if (std::holds_alternative<std::int64_t>(cell) && column.type == Type::kInteger) {
    return fmt::format("{}", std::get<std::int64_t>(cell));
  }
  if (std::holds_alternative<std::monostate>(cell)) return "-";
  const double value = std::holds_alternative<double>(cell)
                           ? std::get<double>(cell)
                           : static_cast<double>(std::get<std::int64_t>(cell));
  return fmt::format("{:.{}f}", value, column.digits);
}

std::string Table::render(OutputFormat format) const {
  switch (format) {
    case OutputFormat::kCsv:
      return csv();
    case OutputFormat::kJson:
      return printed_json(json()) + "\n";
    case OutputFormat::kTable:
      break;
  }
  return text();
}

std::string Table::text() const {
  std::vector<std::vector<std::string>> lines;
  std::vector<std::string> heading;
  for (const Column& column : columns_) {
    heading.push_back(column.unit.empty() ? column.name : column.name + " [" + column.unit + "]");
  }
  lines.push_back(heading);
  const auto add_line = [&](const std::vector<Cell>& cells) {
    std::vector<std::string> line;
    for (std::size_t i = 0; i < cells.size(); ++i) line.push_back(shown(columns_[i], cells[i]));
    lines.push_back(std::move(line));
  };
  for (const auto& cells : rows_) add_line(cells);
  if (!total_.empty()) add_line(total_);

  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(line[i]));
    }
  }
  std::string rule;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    rule += (i > 0 ? "  " : "") + std::string(widths[i], '-');
  }
  rule += "\n";

  std::string out;
  for (std::size_t n = 0; n < lines.size(); ++n) {
    if (n == 1 || (!total_.empty() && n + 1 == lines.size() && n > 1)) out += rule;
    std::string one;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string pad(widths[i] - width_of(lines[n][i]), ' ');
      if (i > 0) one += "  ";
      one += columns_[i].type == Type::kText ? lines[n][i] + pad : pad + lines[n][i];
    }
    one.erase(one.find_last_not_of(' ') + 1);
    out += one + "\n";
  }
  if (lines.size() == 1) out += rule;
  return out;
}

std::string Table::csv() const {
  std::string out;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    const std::string name =
        column.unit.empty() ? column.name : column.name + " [" + column.unit + "]";
    out += (i > 0 ? "," : "") + quoted_for_csv(name);
  }
  out += "\n";
  const auto add_line = [&out](const std::vector<Cell>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) out += ",";
      if (const auto* text = std::get_if<std::string>(&cells[i])) out += quoted_for_csv(*text);
      if (const auto* integer = std::get_if<std::int64_t>(&cells[i])) {
        out += fmt::format("{}", *integer);
      }
      // The shortest text that reads back as the same number.
      if (const auto* real = std::get_if<double>(&cells[i])) out += fmt::format("{}", *real);
    }
    out += "\n";
  };
  for (const auto& cells : rows_) add_line(cells);
  if (!total_.empty()) add_line(total_);
  return out;
}

nlohmann::json Table::json() const {
  nlohmann::json out;
  out["columns"] = nlohmann::json::array();
  for (const Column& column : columns_) {
    out["columns"].push_back({{"name", column.name}, {"unit", column.unit}});
  }
  const auto object = [this](const std::vector<Cell>& cells) {
    nlohmann::json row = nlohmann::json::object();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      nlohmann::json& slot = row[columns_[i].name];
      if (const auto* text = std::get_if<std::string>(&cells[i])) slot = *text;
      if (const auto* integer = std::get_if<std::int64_t>(&cells[i])) slot = *integer;
      if (const auto* real = std::get_if<double>(&cells[i])) slot = *real;
    }
    return row;
  };
  out["rows"] = nlohmann::json::array();
  for (const auto& cells : rows_) out["rows"].push_back(object(cells));
  if (!total_.empty()) out["total"] = object(total_);
  return out;
}

std::string si(double value, const std::string& unit) {
  if (!std::isfinite(value)) return fmt::format("{} {}", value, unit);
  static constexpr const char* kPrefixes[] = {"f", "p", "n", "u", "m", "", "k", "M", "G", "T", "P"};
  constexpr int kUnity = 5;
  constexpr int kLast = 10;
  int index = kUnity;
  double scaled = std::abs(value);
  if (scaled > 0) {
    // 999.5 would be printed as 1000: it belongs to the next prefix.
    while (scaled >= 999.5 && index < kLast) {
      scaled /= 1000;
      ++index;
    }
    while (scaled < 0.9995 && index > 0) {
      scaled *= 1000;
      --index;
    }
  }
  const int digits = scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : scaled > 0 ? 2 : 0;
  const std::string tail = std::string(kPrefixes[index]) + unit;
  return fmt::format("{}{:.{}f}{}{}", value < 0 ? "-" : "", scaled, digits, tail.empty() ? "" : " ",
                     tail);
}

}  // namespace bittern
