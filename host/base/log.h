#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/base/terminal.h"

namespace bittern {

/// Sends log messages (spdlog's default logger: spdlog::info(...) and so on) to stderr in our form.
/// `level` is one of log_levels(); throws Error (exit status 2) for anything else.
void start_logging(const std::string& level, ColourMode colour = ColourMode::kAuto);

/// trace, debug, info, warning, error, off.
const std::vector<std::string>& log_levels();

/// Whether messages of a level (one of log_levels()) reach stderr.
bool logged_on_stderr(const std::string& level);

/// While it lives, log messages go to a file, too: those that reach stderr, and all from `info` on.
/// Lines have time and level; they are appended to what is there.
class LogFile {
 public:
  /// Throws Error when the file cannot be opened.
  explicit LogFile(const std::filesystem::path& file);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
};

}  // namespace bittern
