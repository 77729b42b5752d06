#include "host/watch/watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/option_kinds.h"
#include "host/base/stop.h"

namespace bittern {
namespace {

struct Options {
  std::vector<std::string> folders;
  int port = 8420;
};

void watch(const Options& options) {
  // The runs go first, wherever a processor is short.
  errno = 0;
  static_cast<void>(::nice(10));
  const std::vector<std::filesystem::path> folders(options.folders.begin(), options.folders.end());
  watch_runs(
      folders, static_cast<std::uint16_t>(options.port),
      [](std::uint16_t port) {
        std::cout << fmt::format("http://127.0.0.1:{}/ follows the runs; Ctrl-C ends it\n", port)
                  << std::flush;
      },
      [] { return stop_requested(); });
}

}  // namespace

void add_watch(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "watch", "A page on this machine that follows running campaigns, with their charts");
  text_of(command->add_option("folders", options->folders,
                              "Directories of bittern run, of one cell or of many; they may be "
                              "empty still"),
          kFolder)
      ->required();
  whole_number(
      command->add_option("--port", options->port, "Port on 127.0.0.1; 0: any that is free"), 0,
      65535)
      ->capture_default_str();
  command->footer("It only reads, and nobody but this machine can reach it.\n" +
                  example("bittern watch out/quickstart\n"
                          "bittern watch out/a out/b --port 0"));
  command->callback([options] { watch(*options); });
}

}  // namespace bittern
