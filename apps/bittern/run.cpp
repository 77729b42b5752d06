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
#include "apps/bittern/own_command.h"
#include "host/base/error.h"
#include "host/base/json.h"
#include "host/base/stop.h"
#include "host/base/table.h"
#include "host/base/text.h"
#include "host/campaign/campaign.h"
#include "host/report/campaign_report.h"

namespace bittern {
namespace {

struct Arguments {
  std::string campaign;
  std::string device = "auto";
  std::string format = "table";
  std::optional<std::uint64_t> seed;
  std::vector<std::string> settings;
  std::vector<std::string> endpoints;
  bool check = false;
  RunOptions run;
};

void run(const Arguments& arguments) {
  const OutputFormat format = parse_output_format(arguments.format);
  if (format == OutputFormat::kCsv)
    fail_usage("--format csv: a campaign has no single table; lut.csv is in its directory");
  Campaign campaign = load_campaign(arguments.campaign, arguments.settings);
  RunOptions options = arguments.run;
  for (const std::string& endpoint : arguments.endpoints) {
    options.endpoints.push_back(Endpoint::parse(endpoint));
  }
  options.command_line = own_command_line();
  std::string folder = campaign.name;
  std::string again = "bittern run " + shell_text({arguments.campaign});
  for (const std::string& setting : arguments.settings) again += " --set " + shell_text({setting});
  if (arguments.seed) {
    campaign.seed = *arguments.seed;
    // Its own directory, so that runs with several seeds do not meet in one.
    folder += "-seed-" + std::to_string(campaign.seed);
    again += " --seed " + std::to_string(campaign.seed);
  }
  if (options.out.empty()) options.out = std::filesystem::path("out") / folder;
  again += " --out " + shell_text({options.out.string()}) + " --resume";
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

void add_run(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("run", "Run a campaign: measure, train, search, report");
  command->add_option("campaign", arguments->campaign, "Name in configs/campaigns, or a .yaml file")
      ->required();
  command->add_option("--out", arguments->run.out,
                      "Result directory; default out/<name of the campaign>, with --seed "
                      "out/<name>-seed-<N>");
  command
      ->add_option("--seed", arguments->seed,
                   "Seed instead of the campaign's: of everything random but the data")
      ->check(CLI::Range(std::uint64_t{0}, static_cast<std::uint64_t>(INT64_MAX)));
  command
      ->add_option("--set", arguments->settings,
                   "KEY=VALUE instead of what the file says, such as search.episodes=20 or "
                   "constraints[0].ratio=0.3 (may be repeated)")
      ->allow_extra_args(false);
  command->add_flag(
      "--check", arguments->check,
      "Only check everything that can be known beforehand, and say what would be done");
  command->add_flag("--resume", arguments->run.resume,
                    "Continue what is in the result directory (or start)");
  command
      ->add_option("--workers", arguments->run.workers,
                   "Simulations and threads of LibTorch at once; 0: one for each processor")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  command->add_option("--store", arguments->run.store,
                      "Measurement store; default as of bittern measure");
  command
      ->add_option("--endpoint", arguments->endpoints,
                   "Device that runs elsewhere: unix:/path or host:port (may be repeated); "
                   "otherwise simulations are started here")
      ->allow_extra_args(false);
  command->add_option("--data", arguments->run.data_folder,
                      "Folder of the data set; default: $BITTERN_DATA, ./data, ../shared/data");
  command
      ->add_option("--device", arguments->device, "auto, cpu or cuda: where tensors are computed")
      ->capture_default_str();
  command->add_option("--format", arguments->format, "table or json")->capture_default_str();
  command->footer(example(
      "bittern run quickstart\n"
      "bittern run quickstart --check\n"
      "bittern run quickstart --set search.episodes=20 --out results/short\n"
      "bittern run configs/campaigns/lenet_mnist_haq_bismo_edge.yaml --out results/a --resume"));
  command->callback([arguments, command] {
    arguments->run.device = tensor_device_of(arguments->device);
    arguments->run.progress = progress_mode(*command);
    run(*arguments);
  });
}

}  // namespace bittern
