#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bittern {

/// Splits CSV text (RFC 4180) into records, and knows the line where each begins. Spreadsheets may
/// have written it: a byte order mark of UTF-8, line ends "\r\n", blank lines and spaces around a
/// field that is not quoted mean nothing. All else is strict: throws Error "file:line: what is
/// wrong" (exit status 2).
class CsvReader {
 public:
  /// What lines that begin with '#' are.
  enum class Hash { kField, kComment };

  /// `text` and `file`, the name for messages, outlive the reader.
  CsvReader(std::string_view text, const std::string& file, Hash hash = Hash::kField);

  /// The fields of the next record, at most `most`; more are an error. False at the end.
  bool next(std::vector<std::string>& fields, std::size_t most);
  /// Of the file, from 1: where the last record began.
  std::size_t line() const { return line_; }

 private:
  void skip_blank_lines();
  void skip_blanks();
  std::string field();
  std::string quoted_field();
  std::string checked(std::string field) const;
  void end_of_line();

  std::string_view text_;
  const std::string& file_;
  Hash hash_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t next_line_ = 1;
};

/// A field as it stands in a CSV file: in quotes where it has to be.
std::string csv_field(const std::string& field);

}  // namespace bittern
