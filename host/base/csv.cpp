#include "host/base/csv.h"

#include <utility>

#include "host/base/error.h"

namespace bittern {
namespace {

constexpr std::size_t kMaxField = 4096;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// Text between spaces and tabs.
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

CsvReader::CsvReader(std::string_view text, const std::string& file, Hash hash)
    : text_(text), file_(file), hash_(hash) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  if (text_.substr(0, kMark.size()) == kMark) at_ = kMark.size();
  for (const std::string_view mark : {"\xff\xfe", "\xfe\xff"}) {
    if (text_.substr(0, 2) == mark) {
      fail_usage("{}:1: begins with the byte order mark of UTF-16; save it as UTF-8", file_);
    }
  }
}

bool CsvReader::next(std::vector<std::string>& fields, std::size_t most) {
  skip_blank_lines();
  if (at_ == text_.size()) return false;
  line_ = next_line_;
  fields.clear();
  while (true) {
    fields.push_back(field());
    if (fields.size() > most) {
      fail_usage("{}:{}: more than {} columns, from '{}' on", file_, line_, most, fields.back());
    }
    if (at_ < text_.size() && text_[at_] == ',') {
      ++at_;
      continue;
    }
    end_of_line();
    return true;
  }
}

void CsvReader::skip_blank_lines() {
  bool comment = false;
  for (std::size_t end = at_; end < text_.size(); ++end) {
    const char c = text_[end];
    if (c == '\n') {
      at_ = end + 1;
      ++next_line_;
      comment = false;
    } else if (c == '#' && hash_ == Hash::kComment) {
      comment = true;
    } else if (!comment && !is_blank(c) && c != '\r') {
      return;
    }
  }
  at_ = text_.size();
}

void CsvReader::skip_blanks() {
  while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
}

std::string CsvReader::field() {
  skip_blanks();
  if (at_ < text_.size() && text_[at_] == '"') return quoted_field();
  const std::size_t start = at_;
  while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') {
    if (text_[at_] == '"') fail_usage("{}:{}: quote within a field", file_, line_);
    ++at_;
  }
  return checked(std::string(trimmed(text_.substr(start, at_ - start))));
}

std::string CsvReader::quoted_field() {
  std::string out;
  ++at_;
  while (true) {
    if (at_ == text_.size()) fail_usage("{}:{}: quote that does not end", file_, line_);
    const char c = text_[at_++];
    if (c == '"') {
      if (at_ == text_.size() || text_[at_] != '"') {
        skip_blanks();
        return checked(std::move(out));
      }
      ++at_;
    }
    if (c == '\n') ++next_line_;
    out += c;
  }
}

std::string CsvReader::checked(std::string field) const {
  if (field.size() > kMaxField) {
    fail_usage("{}:{}: field of {} bytes, expected at most {}", file_, line_, field.size(),
               kMaxField);
  }
  if (field.find('\0') != std::string::npos) {
    fail_usage("{}:{}: zero byte; this is no text file", file_, line_);
  }
  return field;
}

void CsvReader::end_of_line() {
  if (at_ < text_.size() && text_[at_] == '\r') {
    ++at_;
    if (at_ < text_.size() && text_[at_] != '\n') {
      fail_usage("{}:{}: a carriage return alone; lines end with \\n or \\r\\n", file_, line_);
    }
  }
  if (at_ < text_.size() && text_[at_] != '\n') {
    fail_usage("{}:{}: text behind a quoted field", file_, line_);
  }
  if (at_ < text_.size()) ++at_;
  ++next_line_;
}

std::string csv_field(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos && trimmed(field) == field) return field;
  std::string out = "\"";
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace bittern
