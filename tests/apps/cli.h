#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "apps/bittern/process.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"

namespace bittern {

/// Exit status and the two streams of one call of `bittern`.
struct CliResult {
  int status = -1;
  std::string out;
  std::string err;
};

/// Runs build/bin/bittern with a line of arguments (as a shell would split them).
inline CliResult run_bittern(const std::string& arguments, double timeout_s = 120.0) {
  const TemporaryFolder folder("bittern-cli");
  const std::string line = std::string(BITTERN_BINARY_DIR) + "/bin/bittern " + arguments + " >" +
                           (folder.path() / "out").string() + " 2>" +
                           (folder.path() / "err").string();
  const ToolResult result = run_tool({"/bin/sh", "-c", line}, timeout_s);
  EXPECT_FALSE(result.timed_out) << line;
  return {result.status, read_file(folder.path() / "out"), read_file(folder.path() / "err")};
}

}  // namespace bittern
