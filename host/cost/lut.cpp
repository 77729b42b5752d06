#include "host/cost/lut.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

#include "host/base/csv.h"
#include "host/base/error.h"
#include "host/base/file.h"

namespace bittern {
namespace {

const std::vector<std::string>& columns() {
  static const std::vector<std::string> names = {
      "variant",       "layer",  "shape",     "weight_bits", "activation_bits", "signed",
      "batch",         "cycles", "latency_s", "energy_j",    "energy_high_j",   "bytes_read",
      "bytes_written", "origin", "schedule",  "key"};
  return names;
}

/// A column that tables of the first version need not have.
constexpr const char* kVersionColumn = "version";
constexpr const char* kVersion = "1";

constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
constexpr std::size_t kMostColumns = 256;  ///< of a heading, so that what is too much can be named

/// The heading of a table.
struct Heading {
  std::vector<std::size_t> places;     ///< where each column of columns() is
  std::optional<std::size_t> version;  ///< likewise
  std::size_t size = 0;                ///< columns of the file
};

Heading read_heading(CsvReader& reader, const std::string& file) {
  std::vector<std::string> names;
  if (!reader.next(names, kMostColumns)) {
    fail_usage("{}:1: empty; expected the columns {}", file, fmt::join(columns(), ","));
  }
  const std::string where = fmt::format("{}:{}", file, reader.line());
  if (names.size() == 1 && names[0].find_first_of(";\t") != std::string::npos) {
    fail_usage("{}: the columns are separated by '{}'; expected ','", where,
               names[0].find(';') != std::string::npos ? ";" : "\\t");
  }
  Heading heading;
  heading.size = names.size();
  for (const std::string& wanted : columns()) {
    const auto found = std::find(names.begin(), names.end(), wanted);
    if (found == names.end()) {
      fail_usage("{}: there is no column {}; expected the columns {}", where, wanted,
                 fmt::join(columns(), ","));
    }
    if (std::find(found + 1, names.end(), wanted) != names.end()) {
      fail_usage("{}: there are two columns {}", where, wanted);
    }
    heading.places.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    if (name == kVersionColumn && !heading.version) {
      heading.version = i;
      continue;
    }
    if (std::find(columns().begin(), columns().end(), name) == columns().end()) {
      fail_usage("{}: column '{}' is not known; expected the columns {}", where, name,
                 fmt::join(columns(), ","));
    }
  }
  return heading;
}

/// Typed access to the fields of one record, by their places in columns().
class Record {
 public:
  Record(const std::vector<std::string>& fields, const std::vector<std::size_t>& places,
         std::string where)
      : where_(std::move(where)) {
    for (const std::size_t place : places) fields_.push_back(fields[place]);
  }

  const std::string& text(std::size_t column, bool allow_empty = false) const {
    if (fields_[column].empty() && !allow_empty) bad(column, "empty, expected text");
    return fields_[column];
  }

  std::uint64_t integer(std::size_t column, std::uint64_t low, std::uint64_t high) const {
    const std::string& field = fields_[column];
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (code != std::errc() || end != field.data() + field.size() || value < low || value > high) {
      bad(column, fmt::format("'{}', expected an integer from {} to {}", field, low, high));
    }
    return value;
  }

  double real(std::size_t column) const {
    const std::string& field = fields_[column];
    double value = 0;
    const auto [end, code] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (code != std::errc() || end != field.data() + field.size() || !std::isfinite(value) ||
        value < 0) {
      bad(column, fmt::format("'{}', expected a finite number of at least 0", field));
    }
    return value;
  }

  [[noreturn]] void bad(std::size_t column, const std::string& what) const {
    fail_usage("{}: {}: {}", where_, columns()[column], what);
  }

 private:
  std::vector<std::string> fields_;
  std::string where_;
};

/// The costs of two rows for one point; "" when they are equal, else the first that differs, with
/// both values.
std::string different_cost(const LutRow& here, const LutRow& above) {
  const auto text = [](const char* name, const auto& a, const auto& b) {
    return fmt::format("{} {} here and {} above", name, a, b);
  };
  if (here.cycles != above.cycles) return text("cycles", here.cycles, above.cycles);
  if (here.latency_s != above.latency_s) return text("latency_s", here.latency_s, above.latency_s);
  if (here.energy_j != above.energy_j) return text("energy_j", here.energy_j, above.energy_j);
  if (here.energy_high_j != above.energy_high_j) {
    return text("energy_high_j", here.energy_high_j, above.energy_high_j);
  }
  return "";
}

LutRow row_of(const Record& record) {
  constexpr std::uint64_t kMax = std::uint64_t{1} << 62;
  LutRow row;
  row.variant = record.text(0);
  row.layer = record.text(1);
  row.shape = record.text(2);
  row.bits.weight = static_cast<int>(record.integer(3, 1, kMostBits));
  row.bits.activation = static_cast<int>(record.integer(4, 1, kMostBits));
  row.activation_signed = record.integer(5, 0, 1) == 1;
  row.batch = static_cast<int>(record.integer(6, 1, 1 << 20));
  row.cycles = record.integer(7, 1, kMax);
  row.latency_s = record.real(8);
  row.energy_j = record.real(9);
  row.energy_high_j = record.real(10);
  row.bytes_read = record.integer(11, 0, kMax);
  row.bytes_written = record.integer(12, 0, kMax);
  try {
    row.origin = parse_origin(record.text(13));
  } catch (const Error& error) {
    record.bad(13, error.what());
  }
  row.schedule = record.text(14, true);
  row.key = record.text(15, true);
  if (row.energy_high_j < row.energy_j) {
    record.bad(10, fmt::format("{} is less than energy_j {}", row.energy_high_j, row.energy_j));
  }
  return row;
}

}  // namespace

bool LutRow::operator==(const LutRow& other) const {
  const auto all = [](const LutRow& r) {
    return std::tie(r.variant, r.layer, r.shape, r.bits.weight, r.bits.activation,
                    r.activation_signed, r.batch, r.cycles, r.latency_s, r.energy_j,
                    r.energy_high_j, r.bytes_read, r.bytes_written, r.origin, r.schedule, r.key);
  };
  return all(*this) == all(other);
}

std::string lut_csv(const std::vector<LutRow>& rows) {
  std::string out = fmt::format("{},{}\n", fmt::join(columns(), ","), kVersionColumn);
  for (const LutRow& r : rows) {
    out += fmt::format("{},{},{},{},{},{:d},{},{},{},{},{},{},{},{},{},{},{}\n",
                       csv_field(r.variant), csv_field(r.layer), csv_field(r.shape), r.bits.weight,
                       r.bits.activation, r.activation_signed, r.batch, r.cycles, r.latency_s,
                       r.energy_j, r.energy_high_j, r.bytes_read, r.bytes_written,
                       origin_name(r.origin), csv_field(r.schedule), csv_field(r.key), kVersion);
  }
  return out;
}

void save_lut(const std::filesystem::path& path, const std::vector<LutRow>& rows) {
  write_file(path, lut_csv(rows));
}

std::vector<LutRow> load_lut(const std::filesystem::path& path) {
  return parse_lut(read_file(path, kMaxBytes), path.string());
}

std::vector<LutRow> parse_lut(std::string_view text, const std::string& file) {
  CsvReader reader(text, file);
  const Heading heading = read_heading(reader, file);
  std::vector<std::string> fields;
  std::vector<LutRow> rows;
  std::map<std::tuple<std::string, std::string, int, int, bool, int>, std::size_t> seen;
  while (reader.next(fields, heading.size)) {
    const std::string where = fmt::format("{}:{}", file, reader.line());
    if (fields.size() != heading.size) {
      fail_usage("{}: {} columns, expected {}", where, fields.size(), heading.size);
    }
    if (heading.version && fields[*heading.version] != kVersion) {
      fail_usage("{}: {}: '{}', this program reads tables of version {}", where, kVersionColumn,
                 fields[*heading.version], kVersion);
    }
    LutRow row = row_of(Record(fields, heading.places, where));
    row.line = reader.line();
    const auto point = std::make_tuple(row.variant, row.shape, row.bits.weight, row.bits.activation,
                                       row.activation_signed, row.batch);
    const auto [known, fresh] = seen.emplace(point, rows.size());
    if (!fresh) {
      const LutRow& other = rows[known->second];
      const std::string difference = different_cost(row, other);
      if (!difference.empty()) {
        fail_usage("{}: layer {} at {}/{} bits has {} (line {}, layer {}); one shape has one cost",
                   where, row.layer, row.bits.weight, row.bits.activation, difference, other.line,
                   other.layer);
      }
    }
    rows.push_back(std::move(row));
  }
  if (rows.empty()) fail_usage("{}: no rows; expected at least one measurement", file);
  return rows;
}

}  // namespace bittern
