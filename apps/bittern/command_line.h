#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "host/base/progress.h"

namespace bittern {

/// Parses the command line, runs the command, prints its error if any, and returns the exit status:
/// 0 done; 1 failed or found a difference; 2 used wrongly (command line or configuration file).
/// `add_commands` adds the subcommands. Installs the stop signals and the logger.
int run_command_line(int argc, const char* const* argv, const std::string& version_text,
                     const std::function<void(CLI::App&)>& add_commands);

/// What the user said about progress meters (--progress); for ProgressOptions::mode. `app` is the
/// application or any subcommand of it.
ProgressMode progress_mode(const CLI::App& app);

/// Text "Example:\n  line\n  line" for a subcommand's footer.
std::string example(const std::string& lines);

}  // namespace bittern
