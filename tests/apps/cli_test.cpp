#include "tests/apps/cli.h"

#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

namespace bittern {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// Names of the commands in the help text.
std::vector<std::string> commands() {
  std::istringstream help(run_bittern("--help").out);
  std::vector<std::string> names;
  bool listed = false;
  for (std::string line; std::getline(help, line);) {
    if (line == "Subcommands:") {
      listed = true;
    } else if (listed && line.substr(0, 2) == "  " && line.size() > 2 && line[2] != ' ') {
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    } else if (listed && line.empty()) {
      break;
    }
  }
  return names;
}

bool has_agent() {
  return std::filesystem::exists(std::string(BITTERN_BINARY_DIR) + "/bin/bittern-agent");
}

TEST(Cli, HelpOfEveryCommandHasAnExampleThatStartsWithBittern) {
  const auto names = commands();
  EXPECT_THAT(names, ::testing::IsSupersetOf({"doctor", "networks", "variants", "train", "run"}));
  for (const std::string& name : names) {
    if ((name == "train" || name == "run") && !has_agent()) continue;
    const CliResult help = run_bittern(name + " --help");
    EXPECT_EQ(help.status, 0) << name;
    EXPECT_THAT(help.out, HasSubstr("Usage: bittern " + name)) << name;
    EXPECT_THAT(help.out, HasSubstr("Example:\n  bittern " + name)) << name;
    EXPECT_THAT(help.err, IsEmpty()) << name;
  }
}

TEST(Cli, VersionNamesTheProgramAndItsBuild) {
  const CliResult result = run_bittern("--version");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, StartsWith("bittern 0."));
}

TEST(Cli, MisspeltCommandsAndOptionsAreUsageErrorsWithASuggestion) {
  CliResult result = run_bittern("netwroks");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_EQ(result.err,
            "bittern: error: unknown command 'netwroks', did you mean 'networks'?\n"
            "See 'bittern --help'.\n");
  result = run_bittern("networks --fromat=json");
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.err,
            "bittern: error: unknown option '--fromat', did you mean '--format'?\n"
            "See 'bittern networks --help'.\n");
  result = run_bittern("measure --netwrok lenet");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("unknown option '--netwrok', did you mean '--network'?"));
  result = run_bittern("networks lenet another");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("unexpected argument 'another'"));
  result = run_bittern("");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("a command is missing"));
}

TEST(Cli, WrongValuesAreUsageErrors) {
  CliResult result = run_bittern("networks --format xml");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, StartsWith("bittern: error: unknown output format 'xml'"));
  result = run_bittern("networks lennet");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("did you mean 'lenet'?"));
  result = run_bittern("--log-level loud networks");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("unknown log level 'loud'"));
  result = run_bittern("variants nowhere.yaml");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("nowhere.yaml: no such file"));
}

TEST(Cli, GlobalOptionsAreTakenAfterTheCommandToo) {
  EXPECT_EQ(run_bittern("networks --log-level debug --no-progress").status, 0);
}

TEST(Cli, FullDiskIsAFailure) {
  const std::string line = std::string(BITTERN_BINARY_DIR) + "/bin/bittern networks >/dev/full";
  const ToolResult result = run_tool({"/bin/sh", "-c", line});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output, HasSubstr("cannot write to standard output"));
}

TEST(Cli, NumbersOutOfRangeAreUsageErrors) {
  CliResult result = run_bittern("validate --variant bismo_tiny --seed -1");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("--seed"));
  result = run_bittern("validate --variant bismo_tiny --workers -1");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("--workers"));
  if (!has_agent()) return;
  for (const std::string option : {"--workers -1", "--seed -1"}) {
    result = run_bittern("run quickstart " + option);
    EXPECT_EQ(result.status, 2) << option;
    EXPECT_THAT(result.err, HasSubstr(option.substr(0, option.find(' ')))) << option;
  }
}

TEST(Cli, MissingAgentSaysHowToGetOne) {
  if (has_agent()) GTEST_SKIP() << "this build has the agent";
  const CliResult result = run_bittern("run campaign.yaml");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("-DBITTERN_AGENT=ON"));
}

TEST(Cli, NetworksShowsLayersWithTheirMultiplyAccumulates) {
  const CliResult table = run_bittern("networks lenet");
  EXPECT_EQ(table.status, 0);
  EXPECT_THAT(table.out, HasSubstr("1600000"));
  EXPECT_THAT(table.out, EndsWith("2293000\n"));
  const auto json = nlohmann::json::parse(run_bittern("networks lenet --format json").out);
  ASSERT_EQ(json["rows"].size(), 4u);
  EXPECT_EQ(json["rows"][0]["macs"], 288000);
  EXPECT_EQ(json["total"]["macs"], 2293000);
  EXPECT_THAT(run_bittern("networks --format csv").out, HasSubstr("lenet,4,430500,2293000,"));
}

TEST(Cli, VariantsListsAndShows) {
  EXPECT_THAT(run_bittern("variants").out, HasSubstr("bismo_edge"));
  const auto json = nlohmann::json::parse(run_bittern("variants bismo_tiny --format json").out);
  std::map<std::string, std::string> settings;
  for (const auto& row : json["rows"]) settings[row["setting"]] = row["value"];
  EXPECT_EQ(settings["rtl.Dk"], "64");
  EXPECT_EQ(settings["memory.size_mib"], "64");
  EXPECT_EQ(settings["axi_checks"], "true");
}

TEST(Cli, OwnFilesAreRead) {
  const TemporaryFolder folder("bittern-cli");
  write_file(folder.path() / "mine.yaml",
             "name: mine\ninput: [1, 4, 4]\nlayers:\n  - linear: {name: a, out: 2}\n");
  EXPECT_THAT(run_bittern("networks " + (folder.path() / "mine.yaml").string()).out,
              HasSubstr("a      linear  16x1x1"));
}

TEST(Measure, JsonHasAllCountersOfEveryLayerAndTheirSums) {
  const CliResult result = run_bittern(
      "measure --model --network lenet --variant stripes_releq --wbits 5 --abits 8 --format json");
  ASSERT_EQ(result.status, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  const auto& counters = json.at("counters");
  const auto& rows = json.at("layers").at("rows");
  ASSERT_EQ(counters.at("layers").size(), rows.size());
  std::int64_t steps = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t run = counters.at("layers")[i].at("exec_run");
    EXPECT_NEAR(rows[i].at("run_pct").get<double>(),
                100.0 * static_cast<double>(run) / rows[i].at("cycles").get<double>(), 1e-9);
    steps += run;
  }
  EXPECT_EQ(counters.at("total").at("exec_run"), steps);
}

TEST(Measure, AnotherBatchTakesThePlaceOfTheVariants) {
  const std::string command =
      "measure --network lenet --layers fc1 --variant bitfusion_paper --wbits 4 --abits 4 "
      "--format json --model published";
  const auto cycles = [&](const std::string& batch) -> std::int64_t {
    const auto json = nlohmann::json::parse(run_bittern(command + batch).out);
    if (!batch.empty()) {
      EXPECT_EQ(" --batch " + json.at("batch").dump(), batch);
    }
    return json.at("layers").at("total").at("cycles");
  };
  EXPECT_EQ(cycles(" --batch 16"), cycles(""));
  EXPECT_LT(cycles(" --batch 1"), cycles(""));
  const CliResult none = run_bittern(command + " --batch 0");
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.err, HasSubstr("--batch"));
}

TEST(Doctor, QuickChecksToolsAndSaysHowToMend) {
  const CliResult result = run_bittern("doctor --quick --json --data /nonexistent");
  const auto json = nlohmann::json::parse(result.out);
  std::map<std::string, nlohmann::json> checks;
  for (const auto& check : json["checks"]) checks[check["check"]] = check;
  for (const char* name : {"verilator", "g++", "systemc", "cmake", "configs"}) {
    EXPECT_EQ(checks[name]["verdict"], "ok") << name << ": " << checks[name].dump();
  }
  EXPECT_EQ(checks.count("verilator results"), 0u);
  bool failed = false;
  for (const auto& [name, check] : checks) {
    if (check["verdict"] != "ok") {
      EXPECT_NE(check["mend"], "") << name;
    }
    failed |= check["verdict"] == "FAIL";
  }
  EXPECT_EQ(result.status, failed ? 1 : 0);
}

TEST(Doctor, MissingToolsAreFailuresThatNameThePackage) {
  // An empty PATH, so that no tool is found.
  const std::string line =
      "PATH=/nonexistent " + std::string(BITTERN_BINARY_DIR) + "/bin/bittern doctor";
  const ToolResult result = run_tool({"/bin/sh", "-c", line});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output, HasSubstr("FAIL  verilator            not found; needed to build "
                                       "devices\n"));
  EXPECT_THAT(result.output, HasSubstr("apt-get install verilator"));
  EXPECT_THAT(result.output, HasSubstr("warn  iverilog"));
}

TEST(Doctor, VerilatorIsRightOnEveryPatternWithTheFlagsOfTheDevices) {
  const CliResult result = run_bittern("doctor", 280.0);
  EXPECT_THAT(result.out, HasSubstr("ok    verilator results    10 patterns right")) << result.out;
}

}  // namespace
}  // namespace bittern
