#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/run_options.h"
#include "host/base/error.h"
#include "host/base/json.h"
#include "host/base/stop.h"
#include "host/base/table.h"
#include "host/base/terminal.h"
#include "host/base/text.h"
#include "host/campaign/campaign.h"
#include "host/campaign/cells.h"
#include "host/campaign/preflight.h"
#include "host/campaign/runner.h"
#include "host/report/campaign_report.h"

namespace bittern {
namespace {

RunOptions options_of(const RunArguments& arguments, const CLI::App& command) {
  RunOptions options;
  options.out = arguments.out;
  options.resume = arguments.resume;
  options.workers = arguments.workers;
  options.store = arguments.store;
  options.data_folder = arguments.data;
  options.device = arguments.device;
  options.phases = make_phases(command);
  options.command_line = arguments.command_line;
  for (const std::string& endpoint : arguments.endpoints) {
    options.endpoints.push_back(Endpoint::parse(endpoint));
  }
  if (options.out == "-") {
    fail_usage(
        "--out: results are a directory, which standard output cannot be; the summary is "
        "printed there, as data with --format json");
  }
  return options;
}

/// The command that goes on with what was stopped.
std::string command_again(const RunArguments& arguments, const std::filesystem::path& out) {
  std::string again = "bittern run " + quoted_word(arguments.campaign);
  for (const std::string& setting : arguments.settings) again += " --set " + quoted_word(setting);
  for (const std::string& cell : arguments.only) again += " --only " + quoted_word(cell);
  if (arguments.seed) again += " --seed " + std::to_string(*arguments.seed);
  return again + " --out " + quoted_word(out.string()) + " --resume";
}

/// Where the time went: what is neither evaluation nor simulation is the tool's own.
std::string time_text(const CampaignResult& result) {
  const nlohmann::json& timing = result.timing;
  const auto seconds = [&timing](const char* key) { return timing.value(key, 0.0); };
  std::string text = fmt::format("time: costs {:.1f} s, training {:.1f} s, search {:.1f} s",
                                 seconds("costs_s"), seconds("training_s"), seconds("search_s"));
  if (const auto search = timing.find("search"); search != timing.end()) {
    const auto share = [&](const char* key) {
      return 100.0 * search->value(key, 0.0) / std::max(1e-9, seconds("search_s"));
    };
    text += fmt::format(
        " (evaluation {:.1f} %, method {:.1f} %, constraint wall {:.1f} %, the rest {:.1f} %)",
        share("evaluate_s"), share("method_s"), share("wall_s"), share("rest_s"));
  }
  return text + fmt::format(", final fine-tunes {:.1f} s", seconds("final_s"));
}

void run_one(const Campaign& campaign, const RunOptions& options, OutputFormat format,
             const std::string& again) {
  CampaignResult result;
  try {
    result = run_campaign(campaign, options);
  } catch (const Stopped&) {
    fail("stopped on request; continue with: {}", again);
  }
  if (format == OutputFormat::kJson) {
    std::cout << printed_json(to_json(result)) << "\n";
  } else {
    std::cout << printable_lines(campaign_summary_text(result)) << "results in "
              << options.out.string() << "/ (report.html, result.json, "
              << "policy.json, lut.csv, episodes.jsonl)\n";
  }
  if (options.phases) std::cerr << time_text(result) << "\n";
  if (result.stopped)
    fail("stopped on request; what is there is the best so far. Continue with: {}", again);
}

void run_several(const std::vector<Campaign>& cells, const std::vector<Campaign>& picked,
                 const RunOptions& options, const CLI::App& command, OutputFormat format,
                 const std::string& again) {
  try {
    const CellsResult found = run_cells(cells, options, &picked);
    TableView view;
    view.width = terminal_columns(STDOUT_FILENO);
    view.colour = colours_on(STDOUT_FILENO, colour_mode(command));
    std::cout << cells_table(found.cells).render(format, view);
    if (format == OutputFormat::kTable) {
      std::cout << "\n";
      for (const std::string& verdict : found.verdicts)
        std::cout << printable_lines(verdict + "\n");
      std::cout << found.cells.size() << " cells in " << options.out.string()
                << "/, each in a folder of its own; report.html there compares them, this table "
                << "with all columns is in cells.txt, cells.csv, cells.json\n";
    }
  } catch (const Stopped&) {
    fail("stopped on request; continue with: {}", again);
  }
}

void run(const RunArguments& arguments, const CLI::App& command, const CampaignKinds& kinds) {
  const OutputFormat format = parse_output_format(arguments.format);
  RunOptions options = options_of(arguments, command);
  std::vector<std::string> settings = arguments.settings;
  if (arguments.seed) settings.push_back("seed=" + std::to_string(*arguments.seed));
  const std::vector<Campaign> all = load_cells(arguments.campaign, settings, &kinds);
  const bool several = all.size() > 1;
  if (!several && !arguments.only.empty()) {
    fail_usage("--only: {} has but one cell", arguments.campaign);
  }
  const std::vector<Campaign> cells = picked_cells(all, arguments.only, "--only");
  if (options.out.empty()) {
    std::string folder = cells.front().name;
    // Its own directory, so that runs with several seeds do not meet in one.
    if (arguments.seed) folder += "-seed-" + std::to_string(*arguments.seed);
    options.out = std::filesystem::path("out") / folder;
  }
  const std::string again = command_again(arguments, options.out);
  if (!arguments.check) {
    if (several) {
      run_several(all, cells, options, command, format, again);
    } else {
      run_one(cells.front(), options, format, again);
    }
    return;
  }
  for (const Campaign& cell : cells) {
    RunOptions own = options;
    if (several) own.out = options.out / cell.cell;
    const Preflight found = preflight(cell, own, /*may_make_store=*/false);
    if (several) std::cout << (&cell == &cells.front() ? "" : "\n") << "cell " << cell.cell << "\n";
    std::cout << preflight_text(cell, own, found);
  }
}

}  // namespace

void add_run(CLI::App& app, const std::vector<std::string>& words, CampaignKinds kinds) {
  add_run_command(
      app, words,
      [kinds = std::move(kinds)](const RunArguments& arguments, const CLI::App& command) {
        run(arguments, command, kinds);
      });
}

}  // namespace bittern
