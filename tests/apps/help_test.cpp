#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/apps/cli.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Runs a line in a shell.
ToolResult shell(const std::string& line) { return run_tool({"/bin/bash", "-c", line}, 60.0); }

std::string program() { return std::string(BITTERN_BINARY_DIR) + "/bin/bittern"; }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Help, IsWhatTheCommandItselfSays) {
  for (const std::string command : {"measure", "store gc", "run", "train", "help", ""}) {
    const CliResult help = run_bittern("help " + command);
    EXPECT_EQ(help.status, 0) << help.err;
    EXPECT_EQ(help.out, run_bittern(command + " --help").out) << command;
    EXPECT_THAT(help.out, HasSubstr("Example:\n  bittern")) << command;
  }
}

TEST(Help, SaysWhatItDoesNotKnow) {
  CliResult result = run_bittern("help mesure");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("unknown command 'mesure', did you mean 'measure'?"));
  result = run_bittern("help store gcc");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("unknown command 'gcc', did you mean 'gc'?"));
  result = run_bittern("help measure lenet");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("bittern measure has no commands, so no 'lenet'"));
}

TEST(Help, NamesTheRangesAndWordsOfOptions) {
  // CLI11 writes defaults as "=sgd" or, from 2.4 on, as " [sgd]".
  EXPECT_THAT(run_bittern("help train").out,
              AllOf(ContainsRegex("--lr 0[.][.]100(=| [[])0[.]1"),
                    ContainsRegex("--optimiser sgd[|]adam(=| [[])sgd")));
}

TEST(Manual, HasEveryOptionOfTheCommandAndOfItsCommands) {
  const CliResult page = run_bittern("man store");
  EXPECT_EQ(page.status, 0);
  EXPECT_THAT(page.out,
              AllOf(StartsWith(".TH BITTERN\\-STORE 1 "), HasSubstr(".SH SYNOPSIS"),
                    HasSubstr("\\fB\\-\\-dry\\-run\\fR"), HasSubstr(".SS bittern store show"),
                    HasSubstr("\\fBbittern\\fR(1)")));
  EXPECT_EQ(run_bittern("man store gc").out, page.out) << "a part of its page";
  EXPECT_THAT(run_bittern("man").out,
              AllOf(HasSubstr("\\fB\\-\\-log\\-level\\fR"), HasSubstr("bittern\\-run\\fR(1)")));
  EXPECT_EQ(run_bittern("man stor").status, 2);
}

TEST(Manual, IsWrittenForEveryCommandAndIsCleanRoff) {
  const TemporaryFolder folder("bittern-man");
  const CliResult result = run_bittern("man --out " + (folder.path() / "man1").string());
  ASSERT_EQ(result.status, 0) << result.err;
  std::size_t pages = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "man1")) {
    ++pages;
    for (const std::string& line : lines_of(read_file(entry.path()))) {
      if (line.empty() || (line[0] != '.' && line[0] != '\'')) continue;
      EXPECT_THAT(line.substr(0, 3),
                  ::testing::AnyOf(".TH", ".SH", ".SS", ".TP", ".PP", ".nf", ".fi"))
          << entry.path();
    }
  }
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "man1/bittern-measure.1"));
  EXPECT_GE(pages, 13u);
}

/// What bash offers behind a line.
std::vector<std::string> completed(const std::string& line, const std::string& folder = "/") {
  const std::string words = "words=(" + line + ")";
  const ToolResult result = shell(
      "cd " + folder + "; eval \"$(" + program() + " completion bash)\"; " + words +
      "; COMP_WORDS=(\"${words[@]}\"); COMP_CWORD=$((${#words[@]} - 1)); _bittern 2>/dev/null; "
      "printf '%s\\n' \"${COMPREPLY[@]}\"");
  EXPECT_EQ(result.status, 0) << result.output;
  return lines_of(result.output);
}

TEST(Completion, OffersCommandsOptionsWordsAndNames) {
  const std::string bittern = program();
  EXPECT_THAT(completed(bittern + " mea"), ElementsAre("measure"));
  EXPECT_THAT(completed(bittern + " store ''"), ElementsAre("ls", "show", "export", "gc"));
  EXPECT_THAT(completed(bittern + " store gc --d"), ElementsAre("--damaged", "--dry-run"));
  EXPECT_THAT(completed(bittern + " measure --log"), ElementsAre("--log-level"));
  EXPECT_THAT(completed(bittern + " train --optimiser ''"), ElementsAre("sgd", "adam"));
  EXPECT_THAT(completed(bittern + " --color=a"), ElementsAre("")) << "one word, if it is one";
  EXPECT_THAT(completed(bittern + " measure --color = a"), ElementsAre("auto", "always"));
  EXPECT_THAT(completed(bittern + " measure --network le"), ElementsAre("lenet", "lenet5"));
  EXPECT_THAT(completed(bittern + " variants bismo_t"), ElementsAre("bismo_tiny"));
  EXPECT_THAT(completed(bittern + " run quick"), ElementsAre("quickstart", "quickstart_methods"));
  EXPECT_THAT(completed(bittern + " help stor"), ElementsAre("store"));
  EXPECT_THAT(completed(bittern + " measure --wbits ''"), ElementsAre(""));
}

TEST(Completion, OffersFilesAndFolders) {
  const TemporaryFolder folder("bittern-complete");
  write_file(folder.path() / "mine.yaml", "");
  write_file(folder.path() / "other.txt", "");
  std::filesystem::create_directory(folder.path() / "out");
  const std::string at = folder.path().string();
  EXPECT_THAT(completed(program() + " run mi", at), ElementsAre("mine.yaml"));
  EXPECT_THAT(completed(program() + " measure --policy ''", at),
              AllOf(Contains("mine.yaml"), Contains("other.txt")));
  EXPECT_THAT(completed(program() + " run --out ''", at), ElementsAre("out"));
}

TEST(Completion, ScriptsOfTheOtherShellsHaveTheSame) {
  for (const std::string shell_name : {"zsh", "fish"}) {
    const CliResult script = run_bittern("completion " + shell_name);
    EXPECT_EQ(script.status, 0);
    EXPECT_THAT(script.out,
                AllOf(HasSubstr("dry-run"), HasSubstr("sgd adam"), HasSubstr("completion --names")))
        << shell_name;
  }
  const CliResult unknown = run_bittern("completion powershell");
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("there is no 'powershell', expected one of bash, zsh, fish"));
  EXPECT_EQ(run_bittern("completion").status, 2);
}

TEST(Completion, NamesAreThoseThatComeWithBittern) {
  EXPECT_THAT(lines_of(run_bittern("completion --names campaigns").out), Contains("quickstart"));
  EXPECT_EQ(run_bittern("completion --names energy").status, 2);
}

TEST(Campaigns, AreListedWithWhatTheySearch) {
  const CliResult table = run_bittern("campaigns");
  EXPECT_EQ(table.status, 0);
  EXPECT_THAT(table.out,
              AllOf(HasSubstr("quickstart"), HasSubstr("latency <= 0.25 of 8/8"), HasSubstr("haq"),
                    HasSubstr("synthetic digits"), Not(HasSubstr("evaluations"))));
  EXPECT_THAT(run_bittern("campaigns --format csv").out,
              HasSubstr("\nquickstart,lenet,bismo_edge,haq | releq | sensitivity | random,"
                        "latency <= 0.25 of 8/8,rtl,synthetic,30,"));
}

TEST(Versions, EveryProgramSaysItsOwn) {
  EXPECT_THAT(run_bittern("--version").out, StartsWith("bittern 0."));
  const std::filesystem::path folder = std::filesystem::path(BITTERN_BINARY_DIR) / "bin";
  for (const char* name : {"bittern-agent", "bittern-device-bismo_tiny"}) {
    if (!std::filesystem::exists(folder / name)) continue;
    const ToolResult result = run_tool({(folder / name).string(), "--version"}, 60.0);
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.output, StartsWith(std::string(name) + " 0."));
  }
}

}  // namespace
}  // namespace bittern
