#pragma once

#include <string>
#include <vector>

namespace bittern {

/// Sends log messages (spdlog's default logger: spdlog::info(...) and so on) to stderr in our form.
/// `level` is one of log_levels(); throws Error (exit status 2) for anything else.
void start_logging(const std::string& level);

/// trace, debug, info, warning, error, off.
const std::vector<std::string>& log_levels();

}  // namespace bittern
