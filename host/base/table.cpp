#include "host/base/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "host/base/error.h"
#include "host/base/json.h"
#include "host/base/text.h"
#include "host/base/yaml.h"

namespace bittern {
namespace {

constexpr const char* kGap = "  ";
constexpr std::size_t kGapWidth = 2;
/// Words are not shortened below this.
constexpr std::size_t kLeastText = 20;

std::string quoted_for_csv(const std::string& raw) {
  std::string text = printable_lines(raw);
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

Table& Table::detail() {
  columns_.back().detail = true;
  return *this;
}
Table& Table::spare() {
  columns_.back().spare = true;
  return *this;
}
Table& Table::mark(const std::string& value, Style style) {
  columns_.back().marks.emplace_back(value, style);
  return *this;
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
  totals_ = {std::move(cells)};
  one_total_ = true;
}
void Table::subtotal(std::vector<Cell> cells) {
  check(cells);
  totals_.push_back(std::move(cells));
  one_total_ = false;
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

std::string Table::render(OutputFormat format, const TableView& view) const {
  switch (format) {
    case OutputFormat::kCsv:
      return csv(view.csv_totals);
    case OutputFormat::kJson:
      return printed_json(json()) + "\n";
    case OutputFormat::kTable:
      break;
  }
  return text(view);
}

std::vector<std::size_t> Table::chosen(const TableView& view) const {
  std::vector<std::size_t> out;
  const bool all = view.columns == std::vector<std::string>{"all"};
  if (view.columns.empty() || all) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (all || !columns_[i].detail) out.push_back(i);
    }
    return out;
  }
  std::vector<std::string> names;
  for (const Column& column : columns_) names.push_back(column.name);
  for (const std::string& name : view.columns) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      const std::string likely = nearest(name, names);
      fail_usage("--columns: there is no column '{}'{}; there are {} (or all)", name,
                 likely.empty() ? "" : ", did you mean '" + likely + "'?", fmt::join(names, ", "));
    }
    const auto index = static_cast<std::size_t>(found - names.begin());
    if (std::find(out.begin(), out.end(), index) != out.end()) {
      fail_usage("--columns: '{}' is named twice", name);
    }
    out.push_back(index);
  }
  return out;
}

/// Widths of the chosen columns such that a line fits; drops chosen columns where it must and may.
std::vector<std::size_t> Table::fitted(std::vector<std::size_t>& chosen,
                                       const std::vector<Line>& lines,
                                       const TableView& view) const {
  while (true) {
    std::vector<std::size_t> widths;
    std::size_t sum = kGapWidth * (chosen.size() - 1);
    for (const std::size_t column : chosen) {
      std::size_t width = 0;
      for (const Line& line : lines) width = std::max(width, text_width(line[column]));
      widths.push_back(width);
      sum += width;
    }
    if (view.width == 0 || !view.columns.empty()) return widths;
    // The widest word first, one column of the terminal at a time.
    while (sum > view.width) {
      std::size_t* widest = nullptr;
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        const Column& column = columns_[chosen[i]];
        const std::size_t least = std::max(kLeastText, text_width(column.heading()));
        if (column.type != Type::kText || widths[i] <= least) continue;
        if (widest == nullptr || widths[i] > *widest) widest = &widths[i];
      }
      if (widest == nullptr) break;
      --*widest;
      --sum;
    }
    if (sum <= view.width || chosen.size() == 1) return widths;
    auto out = std::find_if(chosen.rbegin(), chosen.rend(),
                            [this](std::size_t column) { return columns_[column].spare; });
    if (out == chosen.rend()) out = chosen.rbegin();
    chosen.erase(std::next(out).base());
  }
}

std::string Table::text(const TableView& view) const {
  std::vector<Line> lines(1);
  for (const Column& column : columns_) lines[0].push_back(column.heading());
  const auto add_line = [&](const std::vector<Cell>& cells) {
    Line line;
    for (std::size_t i = 0; i < cells.size(); ++i) line.push_back(shown(columns_[i], cells[i]));
    lines.push_back(std::move(line));
  };
  for (const auto& cells : rows_) add_line(cells);
  for (const auto& cells : totals_) add_line(cells);

  std::vector<std::size_t> columns = chosen(view);
  const std::vector<std::size_t> widths = fitted(columns, lines, view);
  std::string rule;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    rule += (i > 0 ? kGap : "") + std::string(widths[i], '-');
  }
  rule += "\n";

  const auto style_of = [&](std::size_t line, const Column& column) {
    if (line == 0) return Style::kHeading;
    for (const auto& [value, style] : column.marks) {
      if (lines[line][static_cast<std::size_t>(&column - columns_.data())] == value) return style;
    }
    return Style::kPlain;
  };
  std::string out;
  for (std::size_t n = 0; n < lines.size(); ++n) {
    if (n == 1 || (!totals_.empty() && n == 1 + rows_.size())) out += rule;
    std::string one;
    std::size_t spaces = 0;  // held back: none at the end of a line
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Column& column = columns_[columns[i]];
      const std::string word = shortened(lines[n][columns[i]], widths[i]);
      const std::size_t pad = widths[i] - text_width(word);
      if (i > 0) spaces += kGapWidth;
      if (column.type != Type::kText) spaces += pad;
      if (!word.empty()) {
        one += std::string(spaces, ' ') + styled(word, style_of(n, column), view.colour);
        spaces = 0;
      }
      if (column.type == Type::kText) spaces += pad;
    }
    out += one + "\n";
  }
  if (lines.size() == 1) out += rule;
  const std::size_t hidden = columns_.size() - columns.size();
  if (view.columns.empty() && hidden > 0 && !view.more.empty()) {
    out += styled(fmt::format("({} more {}: {})", hidden, hidden == 1 ? "column" : "columns",
                              view.more),
                  Style::kFaint, view.colour) +
           "\n";
  }
  return out;
}

std::string Table::csv(bool with_totals) const {
  std::string out;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    out += (i > 0 ? "," : "") + quoted_for_csv(columns_[i].heading());
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
  if (with_totals) {
    for (const auto& cells : totals_) add_line(cells);
  }
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
  for (const auto& cells : totals_) {
    if (one_total_) {
      out["total"] = object(cells);
    } else {
      out["totals"].push_back(object(cells));
    }
  }
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
