#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bittern {

/// What a tool said and how it ended.
struct ToolResult {
  bool found = false;      ///< false: there is no such program
  bool timed_out = false;  ///< it was killed
  int status = -1;         ///< exit status, or 128 + signal
  std::string output;      ///< stdout and stderr together, at most 1 MiB
  bool good() const { return found && !timed_out && status == 0; }
};

/// Runs a program (looked up in PATH, no shell) in `folder` and waits, at most `timeout_s`; then it
/// and its children are killed.
ToolResult run_tool(const std::vector<std::string>& arguments, double timeout_s = 10.0,
                    const std::filesystem::path& folder = ".");

}  // namespace bittern
