#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "host/campaign/accuracy_source.h"
#include "host/search/method.h"

namespace bittern {

// Each command lives in a file of its own, apps/bittern/<name>.cpp, and adds itself to the command
// line with one of these. A command does its work in the callback of its CLI subcommand. It ends by
// returning (exit status 0), by throwing Error (printed as "bittern: error: ..."; exit status of
// the Error), or by throwing CLI::RuntimeError(status) when it has printed everything itself.
// Answers go to stdout, everything else to stderr. Every command has a footer with an example.

void add_doctor(CLI::App& app);
void add_networks(CLI::App& app);
void add_import(CLI::App& app);
void add_campaigns(CLI::App& app);
void add_variants(CLI::App& app);
void add_measure(CLI::App& app);
void add_compare(CLI::App& app);
void add_analyze(CLI::App& app);
void add_watch(CLI::App& app);
void add_validate(CLI::App& app);
void add_store(CLI::App& app);

// About the commands themselves.
void add_help(CLI::App& app);
void add_man(CLI::App& app);
void add_completion(CLI::App& app);

// Commands that need LibTorch: only with the CMake option BITTERN_AGENT. Their options are declared
// in run_options.h, train_options.h, evaluate_options.h, export_options.h and infer_options.h,
// which `bittern` shares.
void add_train(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_infer(CLI::App& app);
void add_export(CLI::App& app);

/// In a build without LibTorch `bittern` runs the campaigns that need none itself.
void add_run(CLI::App& app, const std::vector<std::string>& words, CampaignKinds kinds);

}  // namespace bittern
