#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/version.h"

namespace bittern {
namespace {

/// Commands that need LibTorch live in a program of their own, bittern-agent, because loading
/// LibTorch takes longer than most other commands altogether. This one becomes it.
[[noreturn]] void become_agent(char** argv) {
  const std::filesystem::path agent = executable_folder() / "bittern-agent";
  ::execv(agent.c_str(), argv);
  if (errno == ENOENT) {
    fail(
        "this build has no agent ({} is missing), which trains and searches with LibTorch; "
        "install LibTorch (scripts/setup.sh) and configure with -DBITTERN_AGENT=ON",
        agent.string());
  }
  fail("{}: cannot start: {}", agent.string(), std::strerror(errno));
}

void add_agent_command(CLI::App& app, char** argv, const char* name, const char* description) {
  CLI::App* command = app.add_subcommand(name, description);
  command->set_help_flag("");
  command->prefix_command();
  command->fallthrough(false);
  command->callback([argv] { become_agent(argv); });
}

}  // namespace
}  // namespace bittern

int main(int argc, char** argv) {
  using namespace bittern;
  const std::string version_text =
      fmt::format("bittern {} ({}, {})", version(), source_revision(), build_description());
  return run_command_line(argc, argv, version_text, [argv](CLI::App& app) {
    add_doctor(app);
    add_networks(app);
    add_variants(app);
    add_measure(app);
    add_compare(app);
    add_validate(app);
    add_store(app);
    add_agent_command(app, argv, "train", "Train a network of the zoo (LibTorch)");
    add_agent_command(app, argv, "run",
                      "Run a campaign file: search, fine-tune, report (LibTorch)");
  });
}
