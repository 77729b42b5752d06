#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace bittern {

/// What a process that ends with an error returns: 1 when it failed or found a difference, 2 when
/// it was used wrongly.
enum class ExitStatus : int { kFailed = 1, kUsage = 2 };

/// Every error that Bittern reports to people. The message says what happened, where (file, line,
/// key, layer), what was expected, and how to mend it.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ExitStatus status = ExitStatus::kFailed)
      : std::runtime_error(message), status_(status) {}

  /// Exit status of a command that ends with this error.
  ExitStatus status() const { return status_; }

 private:
  ExitStatus status_;
};

/// Throws Error with a formatted message (exit status 1).
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

/// Throws Error for wrong usage: bad command line or configuration (exit status 2).
template <typename... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...), ExitStatus::kUsage);
}

}  // namespace bittern
