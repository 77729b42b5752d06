#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace bittern {

/// Options of `bittern run`. Declared without LibTorch, so that `bittern` knows them, too: it checks
/// them, helps and completes, and becomes bittern-agent for the work.
struct RunArguments {
  std::string campaign;
  std::string out;
  std::optional<std::uint64_t> seed;
  bool resume = false;
  std::size_t workers = 0;
  std::string store;
  std::string data;
  std::string device = "auto";
  std::string format = "table";
};

/// Adds the command; `action` does the work.
void add_run_command(CLI::App& app,
                     std::function<void(const RunArguments&, const CLI::App&)> action);

}  // namespace bittern
