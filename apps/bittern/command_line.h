#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "host/base/phase.h"
#include "host/base/terminal.h"

namespace bittern {

/// Parses the command line, runs the command, prints its error if any, and returns the exit status:
/// 0 done; 1 failed or found a difference; 2 used wrongly (command line or configuration file).
/// `add_commands` adds the subcommands. Installs the stop signals and the logger.
int run_command_line(int argc, const char* const* argv, const std::string& version_text,
                     const std::function<void(CLI::App&)>& add_commands);

/// Phases and meters as the user wants them (--progress, -q, -v). `app` is the application or any
/// subcommand of it.
std::shared_ptr<Phases> make_phases(const CLI::App& app);

/// What the user said about colours (--color).
ColourMode colour_mode(const CLI::App& app);

/// Name of a command with those above it: "bittern store ls".
std::string full_name(const CLI::App& app);

/// Application that a subcommand belongs to.
const CLI::App& root_of(const CLI::App& app);

/// What `bittern COMMAND --help` prints.
std::string help_text(const CLI::App& command);

/// The subcommands of a command, in the order of its help.
std::vector<const CLI::App*> commands_of(const CLI::App& command);

/// The subcommand of `app` that the words name ({"store", "gc"}); `app` for none. Throws Error
/// (exit status 2) for a word that is no command, with the nearest.
const CLI::App& command_named(const CLI::App& app, const std::vector<std::string>& words);

/// Text "Example:\n  line\n  line" for a subcommand's footer.
std::string example(const std::string& lines);

}  // namespace bittern
