#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/evaluate_options.h"
#include "apps/bittern/export_options.h"
#include "apps/bittern/infer_options.h"
#include "apps/bittern/run_options.h"
#include "apps/bittern/train_options.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/version.h"
#include "host/campaign/accuracy_source.h"
#include "host/search/methods.h"

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

}  // namespace
}  // namespace bittern

int main(int argc, char** argv) {
  using namespace bittern;
  const std::string version_text =
      fmt::format("bittern {} ({}, {})", version(), source_revision(), build_description());
  return run_command_line(argc, argv, version_text, [argc, argv](CLI::App& app) {
    add_doctor(app);
    add_networks(app);
    add_import(app);
    add_campaigns(app);
    add_variants(app);
    add_measure(app);
    add_compare(app);
    add_analyze(app);
    add_watch(app);
    add_validate(app);
    add_store(app);
    // Parsed here, too: help and slips need no LibTorch.
    add_evaluate_command(app,
                         [argv](const EvaluateArguments&, const CLI::App&) { become_agent(argv); });
    add_infer_command(app, [argv](const InferArguments&, const CLI::App&) { become_agent(argv); });
    add_export_command(app,
                       [argv](const ExportArguments&, const CLI::App&) { become_agent(argv); });
    add_train_command(app, [argv](const TrainArguments&, const CLI::App&) { become_agent(argv); });
#ifdef BITTERN_WITHOUT_AGENT
    add_run(app, {argv, argv + argc}, {host_methods(), host_evaluators()});
#else
    add_run_command(app, {argv, argv + argc},
                    [argv](const RunArguments&, const CLI::App&) { become_agent(argv); });
#endif
    add_help(app);
    add_man(app);
    add_completion(app);
  });
}
