#include "host/measure/lut.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <map>
#include <tuple>

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

constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxField = 4096;

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string out = "\"";
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

/// Splits CSV text into records; knows the line where each begins.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  bool next(std::vector<std::string>& fields) {
    if (at_ == text_.size()) return false;
    line_ = next_line_;
    fields.clear();
    while (true) {
      fields.push_back(field());
      if (fields.size() > columns().size()) {
        fail_usage("{}:{}: more than {} columns", file_, line_, columns().size());
      }
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      end_of_line();
      return true;
    }
  }

  std::size_t line() const { return line_; }

 private:
  std::string field() {
    if (at_ < text_.size() && text_[at_] == '"') return quoted_field();
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') {
      if (text_[at_] == '"') fail_usage("{}:{}: quote within a field", file_, line_);
      ++at_;
    }
    return checked(std::string(text_.substr(start, at_ - start)));
  }

  std::string quoted_field() {
    std::string out;
    ++at_;
    while (true) {
      if (at_ == text_.size()) fail_usage("{}:{}: quote that does not end", file_, line_);
      const char c = text_[at_++];
      if (c == '"') {
        if (at_ == text_.size() || text_[at_] != '"') return checked(std::move(out));
        ++at_;
      }
      if (c == '\n') ++next_line_;
      out += c;
    }
  }

  std::string checked(std::string field) const {
    if (field.size() > kMaxField) {
      fail_usage("{}:{}: field of {} bytes, expected at most {}", file_, line_, field.size(),
                 kMaxField);
    }
    if (field.find('\0') != std::string::npos) {
      fail_usage("{}:{}: zero byte; this is no text file", file_, line_);
    }
    return field;
  }

  void end_of_line() {
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] != '\n') {
      fail_usage("{}:{}: text behind a quoted field", file_, line_);
    }
    if (at_ < text_.size()) ++at_;
    ++next_line_;
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t next_line_ = 1;
};

/// Typed access to the fields of one record.
class Record {
 public:
  Record(const std::vector<std::string>& fields, std::string where)
      : fields_(fields), where_(std::move(where)) {}

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
  const std::vector<std::string>& fields_;
  std::string where_;
};

LutRow row_of(const Record& record) {
  constexpr std::uint64_t kMax = std::uint64_t{1} << 62;
  LutRow row;
  row.variant = record.text(0);
  row.layer = record.text(1);
  row.shape = record.text(2);
  row.bits.weight = static_cast<int>(record.integer(3, 1, 16));
  row.bits.activation = static_cast<int>(record.integer(4, 1, 16));
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
  std::string out = fmt::format("{}\n", fmt::join(columns(), ","));
  for (const LutRow& r : rows) {
    out += fmt::format("{},{},{},{},{},{:d},{},{},{},{},{},{},{},{},{},{}\n", quoted(r.variant),
                       quoted(r.layer), quoted(r.shape), r.bits.weight, r.bits.activation,
                       r.activation_signed, r.batch, r.cycles, r.latency_s, r.energy_j,
                       r.energy_high_j, r.bytes_read, r.bytes_written, origin_name(r.origin),
                       quoted(r.schedule), quoted(r.key));
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
  std::vector<std::string> fields;
  if (!reader.next(fields) || fields != columns()) {
    fail_usage("{}:1: expected the columns {}", file, fmt::join(columns(), ","));
  }
  std::vector<LutRow> rows;
  std::map<std::tuple<std::string, std::string, int, int, bool, int>, std::size_t> seen;
  while (reader.next(fields)) {
    const std::string where = fmt::format("{}:{}", file, reader.line());
    if (fields.size() != columns().size()) {
      fail_usage("{}: {} columns, expected {}", where, fields.size(), columns().size());
    }
    LutRow row = row_of(Record(fields, where));
    const auto point = std::make_tuple(row.variant, row.shape, row.bits.weight, row.bits.activation,
                                       row.activation_signed, row.batch);
    const auto [known, fresh] = seen.emplace(point, rows.size());
    if (!fresh) {
      const LutRow& other = rows[known->second];
      if (other.cycles != row.cycles || other.latency_s != row.latency_s ||
          other.energy_j != row.energy_j || other.energy_high_j != row.energy_high_j) {
        fail_usage(
            "{}: layer {} at {}/{} bits has {} cycles here and {} above (layer {}); one shape has "
            "one cost",
            where, row.layer, row.bits.weight, row.bits.activation, row.cycles, other.cycles,
            other.layer);
      }
    }
    rows.push_back(std::move(row));
  }
  if (rows.empty()) fail_usage("{}: no rows; expected at least one measurement", file);
  return rows;
}

}  // namespace bittern
