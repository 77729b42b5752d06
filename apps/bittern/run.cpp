#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/campaign/preflight.h"
#include "agent/campaign/runner.h"
#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/run_options.h"
#include "host/base/error.h"
#include "host/base/json.h"
#include "host/base/stop.h"
#include "host/base/table.h"
#include "host/base/text.h"
#include "host/campaign/campaign.h"
#include "host/report/campaign_report.h"

namespace bittern {
namespace {

void run(const RunArguments& arguments, const CLI::App& command) {
  const OutputFormat format = parse_output_format(arguments.format);
  Campaign campaign = load_campaign(arguments.campaign, arguments.settings);
  RunOptions options;
  options.out = arguments.out;
  options.resume = arguments.resume;
  options.workers = arguments.workers;
  options.store = arguments.store;
  options.data_folder = arguments.data;
  options.device = tensor_device_of(arguments.device);
  options.phases = make_phases(command);
  options.command_line = arguments.command_line;
  for (const std::string& endpoint : arguments.endpoints) {
    options.endpoints.push_back(Endpoint::parse(endpoint));
  }
  std::string folder = campaign.name;
  std::string again = "bittern run " + quoted_word(arguments.campaign);
  for (const std::string& setting : arguments.settings) again += " --set " + quoted_word(setting);
  if (arguments.seed) {
    campaign.seed = *arguments.seed;
    // Its own directory, so that runs with several seeds do not meet in one.
    folder += "-seed-" + std::to_string(campaign.seed);
    again += " --seed " + std::to_string(campaign.seed);
  }
  if (options.out == "-") {
    fail_usage(
        "--out: results are a directory, which standard output cannot be; the summary is "
        "printed there, as data with --format json");
  }
  if (options.out.empty()) options.out = std::filesystem::path("out") / folder;
  again += " --out " + quoted_word(options.out.string()) + " --resume";
  if (arguments.check) {
    const Preflight found = preflight(campaign, options, /*may_make_store=*/false);
    std::cout << preflight_text(campaign, options, found);
    return;
  }
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
  if (result.stopped)
    fail("stopped on request; what is there is the best so far. Continue with: {}", again);
}

}  // namespace

void add_run(CLI::App& app, const std::vector<std::string>& words) {
  add_run_command(app, words, run);
}

}  // namespace bittern
