#include "apps/bittern/run_options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "apps/bittern/process.h"

namespace bittern {
namespace {

TEST(QuotedWord, AShellReadsTheWordsBack) {
  const std::vector<std::string> words = {"run",   "a b",   "",   "it's", "$HOME", "x;y",
                                          "--set", "k=[1]", "\"", "\\n",  "*",     "a\nb"};
  std::string expected;
  std::string line;
  for (const std::string& word : words) {
    expected += "<" + word + ">";
    line += " " + quoted_word(word);
  }
  EXPECT_EQ(run_tool({"/bin/sh", "-c", "printf '<%s>'" + line}).output, expected);
  EXPECT_EQ(quoted_word("results/a-1.yaml"), "results/a-1.yaml");
}

}  // namespace
}  // namespace bittern
