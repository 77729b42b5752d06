#include "apps/bittern/run_options.h"

#include <memory>

#include "apps/bittern/command_line.h"
#include "apps/bittern/option_kinds.h"

namespace bittern {
namespace {

/// Words as a shell would take them again.
std::string quoted_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + quoted_word(word);
  return line;
}

}  // namespace

std::string quoted_word(const std::string& word) {
  const char* const plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

void add_run_command(CLI::App& app, const std::vector<std::string>& words,
                     std::function<void(const RunArguments&, const CLI::App&)> action) {
  auto arguments = std::make_shared<RunArguments>();
  arguments->command_line = quoted_line(words);
  CLI::App* command = app.add_subcommand("run", "Run a campaign: measure, train, search, report");
  text_of(command->add_option("campaign", arguments->campaign,
                              "Name in configs/campaigns, or a .yaml file"),
          kCampaign)
      ->required();
  text_of(command->add_option("--out", arguments->out,
                              "Result directory; default out/<name of the campaign>, with --seed "
                              "out/<name>-seed-<N>"),
          kFolder);
  whole_number(command->add_option("--seed", arguments->seed,
                                   "Seed instead of the campaign's: of everything random but the "
                                   "data"),
               0, INT64_MAX);
  text_of(command->add_option("--set", arguments->settings,
                              "Value instead of what the file says, such as search.episodes=20 or "
                              "constraints[0].ratio=0.3 (may be repeated)"),
          "KEY=VALUE")
      ->allow_extra_args(false);
  text_of(command->add_option("--only", arguments->only,
                              "Of a campaign with several cells, those with such a name (* for any "
                              "text; may be repeated)"),
          "CELL")
      ->allow_extra_args(false);
  command->add_flag(
      "--check", arguments->check,
      "Only check everything that can be known beforehand, and say what would be done");
  command->add_flag("--resume", arguments->resume,
                    "Continue what is in the result directory (or start)");
  whole_number(command->add_option("--workers", arguments->workers,
                                   "Simulations and threads of LibTorch at once; 0: one for each "
                                   "processor"),
               0, 256)
      ->capture_default_str();
  text_of(command->add_option("--store", arguments->store,
                              "Measurement store; default as of bittern measure"),
          kFile);
  text_of(command->add_option("--endpoint", arguments->endpoints,
                              "Device that runs elsewhere: unix:/path or host:port (may be "
                              "repeated); otherwise simulations are started here"),
          "ADDRESS")
      ->allow_extra_args(false);
  text_of(command->add_option("--data", arguments->data,
                              "Folder of the data set; default: $BITTERN_DATA, ./data, "
                              "../shared/data"),
          kFolder);
  one_of(command->add_option("--device", arguments->device, "Where tensors are computed"),
         {"auto", "cpu", "cuda"})
      ->capture_default_str();
  one_of(command->add_option("--format", arguments->format,
                             "How the summary is printed; all files are written anyway"),
         {"table", "json"})
      ->capture_default_str();
  command->footer(
      "Exit status 1 also when it was stopped (Ctrl-C): --resume goes on. Everything that it says "
      "is in run.log in the result directory, too.\n" +
      example("bittern run quickstart\n"
              "bittern run quickstart --check\n"
              "bittern run quickstart_methods --only '*_random_*'\n"
              "bittern run quickstart --set search.episodes=20 --out results/short\n"
              "bittern run configs/campaigns/lenet_mnist_haq_bismo_edge.yaml --out results/a "
              "--resume"));
  command->callback(
      [arguments, command, action = std::move(action)] { action(*arguments, *command); });
}

}  // namespace bittern
