#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "host/base/error.h"

namespace bittern {

/// How JSON is read: how much it may hold, and what an error says.
struct JsonOptions {
  /// Exit status of a command that ends with the error: kUsage for what a user wrote, kFailed for
  /// what Bittern keeps itself.
  ExitStatus status = ExitStatus::kUsage;
  /// Levels of objects and arrays. What is nested deeper than a few is an accident or an attack:
  /// destroying, comparing or printing it would overrun the stack.
  int max_depth = 64;
  std::size_t max_bytes = std::size_t{16} << 20;
  /// Number of the first line, for a piece of a larger file.
  int first_line = 1;
  /// How to mend it: ends every message behind "; ".
  std::string mend = {};

  /// For what Bittern wrote itself.
  static JsonOptions own_file(std::string how_to_mend) {
    JsonOptions options;
    options.status = ExitStatus::kFailed;
    options.mend = std::move(how_to_mend);
    return options;
  }
};

/// The one reader of JSON. Strict: throws Error "where:line:column: what is wrong" when `text` is
/// no JSON (RFC 8259, nothing behind the value), begins with a byte order mark, has an object with
/// the same key twice, or is beyond the limits.
nlohmann::json parse_json(std::string_view text, const std::string& where,
                          const JsonOptions& options = {});

/// The same for a whole file.
nlohmann::json load_json(const std::filesystem::path& path, const JsonOptions& options = {});

/// JSON for printing, indented by two, without a newline behind it. Never fails and never steers a
/// terminal: bytes that are not UTF-8 become U+FFFD, control characters are escaped,
/// numbers that are not finite become text (json_number()).
std::string printed_json(const nlohmann::json& value);

}  // namespace bittern
