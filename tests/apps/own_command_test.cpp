#include "apps/bittern/own_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "apps/bittern/process.h"

namespace bittern {
namespace {

TEST(ShellText, AShellReadsTheWordsBack) {
  const std::vector<std::string> words = {"run",   "a b",   "",   "it's", "$HOME", "x;y",
                                          "--set", "k=[1]", "\"", "\\n",  "*",     "a\nb"};
  std::string expected;
  for (const std::string& word : words) expected += "<" + word + ">";
  const auto printed = run_tool({"/bin/sh", "-c", "printf '<%s>' " + shell_text(words)});
  EXPECT_EQ(printed.output, expected);
  EXPECT_EQ(shell_text({"bittern", "run", "a/b.yaml", "--seed", "7"}),
            "bittern run a/b.yaml --seed 7");
}

TEST(OwnCommandLine, IsThatOfTheProcess) {
  EXPECT_THAT(own_command_line(), ::testing::StartsWith("apps_test"));
}

}  // namespace
}  // namespace bittern
