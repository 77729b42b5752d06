#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/apps/cli.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Wrong usage that is said before anything begins: exit status 2, the option, what was expected.
void expect_wrong(const std::string& arguments, const std::string& text) {
  const CliResult result = run_bittern(arguments);
  EXPECT_EQ(result.status, 2) << arguments << "\n" << result.err;
  EXPECT_THAT(result.err, AllOf(StartsWith("bittern: error: "), HasSubstr(text),
                                Not(HasSubstr("defect")), Not(HasSubstr("internal"))))
      << arguments;
  EXPECT_EQ(result.out, "") << arguments;
}

TEST(Options, NumbersHaveRanges) {
  const std::string train = "train --out /dev/null ";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"--lr=nan", "--lr: expected a number above 0, at most 100, not 'nan'"},
      {"--lr=-1", "--lr: expected a number above 0, at most 100, not '-1'"},
      {"--lr=0", "--lr: expected"},
      {"--lr=inf", "--lr: expected"},
      {"--lr=1e400", "--lr: expected"},
      {"--lr=0.1x", "--lr: expected"},
      {"--seed=-1", "--seed: expected a whole number from 0 to 9223372036854775807, not '-1'"},
      {"--seed=18446744073709551615", "--seed: expected"},
      {"--seed=0x10", "--seed: expected"},
      {"--epochs=0", "--epochs: expected a whole number from 1 to 100000, not '0'"},
      {"--epochs=1.5", "--epochs: expected"},
      {"--batch=0", "--batch: expected"},
      {"--threads=100000", "--threads: expected a whole number from 0 to 256, not '100000'"},
      {"--threads=-1", "--threads: expected"},
      {"--train-images=-5", "--train-images: expected"},
      {"--validation-images=99999999999999999999", "--validation-images: expected"},
  };
  for (const auto& [option, text] : cases) expect_wrong(train + option, text);
  expect_wrong("run quickstart --workers=-1", "--workers: expected a whole number from 0 to 256");
  expect_wrong("run quickstart --seed -1", "--seed: expected");
  const std::string measure = "measure --network lenet --variant bismo_tiny --model ";
  expect_wrong(measure + "--wbits 99 --abits 4", "--wbits: expected a whole number from 1 to 16");
  expect_wrong(measure + "--wbits 4 --abits 0", "--abits: expected");
  expect_wrong(measure + "--batch 0 --wbits 4 --abits 4", "--batch: expected");
  expect_wrong("validate --variant bismo_tiny --max-cycle-error=nan",
               "--max-cycle-error: expected a number from 0 to 100, not 'nan'");
  expect_wrong("validate --variant bismo_tiny --random 1e3", "--random: expected");
}

TEST(Options, LongNonsenseIsShortened) {
  const CliResult result = run_bittern("train --out x --epochs " + std::string(5000, '9'));
  EXPECT_EQ(result.status, 2);
  EXPECT_LT(result.err.size(), 300u);
}

TEST(Options, WordsAreSuggested) {
  expect_wrong("networks --format cvs", "--format: there is no 'cvs', did you mean 'csv'?");
  expect_wrong("train --out x --optimiser adma", "did you mean 'adam'?");
  expect_wrong("train --out x --dataset minst", "did you mean 'mnist'?");
  expect_wrong("train --out x --device tensor",
               "--device: there is no 'tensor', expected one of auto, ");
  expect_wrong("run quickstart --device gpu", "--device: there is no 'gpu'");
  expect_wrong("networks --color alway", "did you mean 'always'?");
  expect_wrong("networks --log-level loud", "--log-level: there is no 'loud'");
  expect_wrong("run quickstart --format csv", "--format: there is no 'csv', expected one of table");
}

TEST(Options, EmptyTextIsNoValue) {
  expect_wrong("networks ''", "network: expected something that is not empty");
  expect_wrong("run ''", "campaign: expected something that is not empty");
  expect_wrong("run quickstart --out ''", "--out: expected something that is not empty");
  expect_wrong("train --out ''", "--out: expected something that is not empty");
  expect_wrong("measure --network '' --variant bismo_tiny", "--network: expected something");
  expect_wrong("train --out x --epochs ''", "--epochs: expected a whole number");
  expect_wrong("networks --columns ''", "--columns: expected something that is not empty");
}

TEST(Options, OneValueIsGivenOnce) {
  expect_wrong("networks --format csv --format json", "--format was given 2 times");
  expect_wrong("train --out a --out b", "--out was given 2 times");
  expect_wrong("networks --format", "--format needs a value: table|csv|json");
  expect_wrong("networks -q -v", "--quiet");
}

TEST(Options, OfTheAgentAreCheckedWithoutIt) {
  expect_wrong("run quickstart --resum", "unknown option '--resum', did you mean '--resume'?");
  expect_wrong("run", "campaign is required");
  expect_wrong("evaluate --checkpoint x --finetune 1", "give --policy, or --wbits and --abits");
  expect_wrong("train --resume", "give --out");
  expect_wrong("evaluate --checkpoint x --wbits 4", "--policy FILE, or --wbits and --abits");
  expect_wrong("evaluate --checkpoint x --policy p --wbits 4 --abits 4", "--policy FILE, or");
}

TEST(LogLevel, OptionGoesBeforeTheShortOnesAndTheseBeforeTheVariable) {
  const auto said = [](const std::string& variable, const std::string& options) {
    const std::string line = "BITTERN_LOG_LEVEL=" + variable + " " +
                             std::string(BITTERN_BINARY_DIR) +
                             "/bin/bittern measure --network lenet --variant bismo_tiny --model "
                             "--wbits 4 --abits 4 " +
                             options + " 2>&1 >/dev/null";
    const std::string text = run_tool({"/bin/sh", "-c", line}).output;
    return std::make_pair(text.find("info: ") != std::string::npos,
                          text.find("debug: ") != std::string::npos);
  };
  EXPECT_EQ(said("", ""), std::make_pair(false, false));
  EXPECT_EQ(said("", "-v"), std::make_pair(true, false));
  EXPECT_EQ(said("", "-vv"), std::make_pair(true, true));
  EXPECT_EQ(said("debug", ""), std::make_pair(true, true));
  EXPECT_EQ(said("debug", "-q"), std::make_pair(false, false));
  EXPECT_EQ(said("error", "-v"), std::make_pair(true, false));
  EXPECT_EQ(said("error", "-v --log-level debug"), std::make_pair(true, true));
  const ToolResult wrong = run_tool(
      {"/bin/sh", "-c",
       "BITTERN_LOG_LEVEL=loud " + std::string(BITTERN_BINARY_DIR) + "/bin/bittern networks"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.output, HasSubstr("$BITTERN_LOG_LEVEL: there is no level 'loud'"));
}

TEST(Colours, AreWhereTheyAreAskedFor) {
  EXPECT_THAT(run_bittern("networks --color always").out, StartsWith("\x1b[1mnetwork\x1b[0m"));
  EXPECT_THAT(run_bittern("networks").out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(run_bittern("networks lennet --color always").err,
              StartsWith("bittern: \x1b[1;31merror:\x1b[0m "));
  EXPECT_THAT(run_bittern("networks --format csv --color always").out, Not(HasSubstr("\x1b")));
}

TEST(Columns, AreChosenForTablesOnly) {
  const std::string measure =
      "measure --network lenet --variant bismo_tiny --model --wbits 4 --abits 4 ";
  EXPECT_THAT(run_bittern(measure + "--columns layer,run_pct").out,
              HasSubstr("layer  run_pct\n-----  -------\nconv1 "));
  EXPECT_THAT(run_bittern(measure + "--columns all").out, HasSubstr("schedule"));
  EXPECT_THAT(run_bittern(measure).out,
              AllOf(Not(HasSubstr("schedule")), HasSubstr("more columns: --columns all)")));
  expect_wrong(measure + "--columns layer,run", "there is no column 'run'");
  expect_wrong(measure + "--columns layer --format csv",
               "--columns: --format csv always has all columns");
  expect_wrong(measure + "--total", "--total: for --format csv");
  // Said before the simulation: there is no such device folder.
  const ToolResult early =
      run_tool({"/bin/sh", "-c",
                "BITTERN_DEVICES_DIR=/nonexistent " + std::string(BITTERN_BINARY_DIR) +
                    "/bin/bittern measure --network lenet --variant bismo_tiny --wbits 4 --abits 4 "
                    "--columns cycels"});
  EXPECT_EQ(early.status, 2);
  EXPECT_THAT(early.output, HasSubstr("did you mean 'cycles'?"));
}

TEST(Columns, FitTheTerminalThatColumnsNames) {
  const std::string line =
      "COLUMNS=60 " + std::string(BITTERN_BINARY_DIR) +
      "/bin/bittern measure --network resnet20 --variant bismo_tiny --model --wbits 4 --abits 4";
  const ToolResult result = run_tool({"/bin/sh", "-c", line});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.output, HasSubstr("layer"));
  const std::string heading = result.output.substr(result.output.find("layer"));
  EXPECT_LE(heading.find('\n'), 60u);
}

TEST(Totals, AreInCsvOnlyWhenAskedForAndApartInJson) {
  const std::string measure =
      "measure --network lenet --variant bismo_tiny --model --wbits 4 --abits 4 --format csv";
  EXPECT_THAT(run_bittern(measure).out, Not(HasSubstr("\ntotal,")));
  EXPECT_THAT(run_bittern(measure + " --total").out, HasSubstr("\ntotal,"));
  EXPECT_THAT(run_bittern("networks lenet --format csv").out, Not(HasSubstr("\ntotal,")));
  const std::string compare =
      "compare --model --network lenet --variants bismo_tiny --wbits 4 --abits 4 --format csv";
  EXPECT_THAT(run_bittern(compare).out, Not(HasSubstr(",total,")));
  EXPECT_THAT(run_bittern(compare + " --total").out, HasSubstr("\nw4a4,total,bismo_tiny,"));
}

TEST(Output, AClosedPipeAndAClosedStreamAreFailures) {
  const std::string bittern = std::string(BITTERN_BINARY_DIR) + "/bin/bittern ";
  for (const std::string command : {"networks", "help measure", "--version", "man"}) {
    const ToolResult pipe =
        run_tool({"/bin/bash", "-c",
                  "{ sleep 0.2; " + bittern + command + "; echo \"status $?\" >&2; } | true"});
    EXPECT_THAT(pipe.output, HasSubstr("status 1")) << command;
    const ToolResult closed = run_tool({"/bin/bash", "-c", bittern + command + " >&-"});
    EXPECT_EQ(closed.status, 1) << command;
    EXPECT_THAT(closed.output, HasSubstr("cannot write to standard output")) << command;
    const ToolResult full = run_tool({"/bin/bash", "-c", bittern + command + " >/dev/full"});
    EXPECT_EQ(full.status, 1) << command;
  }
}

}  // namespace
}  // namespace bittern
