#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bittern {

/// Options of `bittern run`. Declared without LibTorch, so that `bittern` knows them, too: it
/// checks them, helps and completes, and becomes bittern-agent for the work.
struct RunArguments {
  std::string campaign;
  std::string out;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> settings;   ///< KEY=VALUE instead of what the file says
  std::vector<std::string> endpoints;  ///< devices that run elsewhere
  std::vector<std::string> only;       ///< patterns of the cells to be worked through; empty: all
  bool check = false;                  ///< only say what would be done
  bool resume = false;
  std::size_t workers = 0;
  std::string store;
  std::string data;
  std::string device = "auto";
  std::string format = "table";
  std::string command_line;  ///< as it was typed, for the log
};

/// A word as a shell takes it.
std::string quoted_word(const std::string& word);

/// Adds the command; `action` does the work. `words` is the whole command line.
void add_run_command(CLI::App& app, const std::vector<std::string>& words,
                     std::function<void(const RunArguments&, const CLI::App&)> action);

}  // namespace bittern
