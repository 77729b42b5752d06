#include <fmt/format.h>
#include <torch/version.h>

#include "agent/campaign/fake_quant_source.h"
#include "agent/rl/methods.h"
#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "host/base/version.h"

// bittern-agent: the commands of bittern that need LibTorch. Users type `bittern run`; see
// main.cpp.
int main(int argc, char** argv) {
  using namespace bittern;
  const std::string version_text =
      fmt::format("bittern-agent {} ({}, {}), LibTorch {}", version(), source_revision(),
                  build_description(), TORCH_VERSION);
  return run_command_line(argc, argv, version_text, [argc, argv](CLI::App& app) {
    add_train(app);
    add_evaluate(app);
    add_infer(app);
    add_export(app);
    add_run(app, {argv, argv + argc}, {all_methods(), all_evaluators()});
  });
}
