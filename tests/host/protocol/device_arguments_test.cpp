#include "host/protocol/device_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "host/base/error.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

DeviceArguments parse(std::vector<std::string> words) {
  words.insert(words.begin(), "device");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return DeviceArguments::parse(static_cast<int>(argv.size()), argv.data());
}

TEST(DeviceArguments, KnowsEveryOption) {
  const DeviceArguments a = parse({"--listen", "tcp:4000", "--once", "--idle-timeout", "7",
                                   "--variant", "file.yaml", "--log-level", "debug"});
  ASSERT_TRUE(a.listen);
  EXPECT_EQ(a.listen->port, 4000);
  EXPECT_TRUE(a.once);
  EXPECT_EQ(a.idle_timeout.count(), 7);
  EXPECT_EQ(a.variant, "file.yaml");
  EXPECT_EQ(a.log_level, "debug");
  EXPECT_EQ(parse({"--fd", "3"}).fd, 3);
  EXPECT_TRUE(parse({"--identity"}).identity);
  EXPECT_TRUE(parse({"-h"}).help);
}

TEST(DeviceArguments, HelpListsWhatIsParsedAndNothingElse) {
  std::istringstream lines(DeviceArguments().help_text());
  std::vector<std::string> options;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 100u);
    if (line.compare(0, 4, "  --") == 0) options.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  EXPECT_THAT(options,
              ::testing::UnorderedElementsAre("--fd", "--listen", "--once", "--idle-timeout",
                                              "--variant", "--log-level", "--identity", "--help"));
  for (const std::string& option : options) {
    try {
      parse({option});  // alone: most lack a value or a mode, but none is unknown
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("unknown"))) << option;
    }
  }
}

TEST(DeviceArguments, RefusesWhatMakesNoSense) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"--fd"},
      {"--fd", "x"},
      {"--fd", "-1"},
      {"--fd", "3", "--identity"},
      {"--fly"},
      {"--listen", "nonsense"},
      {"--listen", "tcp:1", "--idle-timeout", "-1"},
      {"--listen", "tcp:1", "--idle-timeout", "1e9"},
      {"--identity", "--log-level", "loud"}};
  for (const auto& words : wrong) {
    try {
      parse(words);
      ADD_FAILURE() << ::testing::PrintToString(words);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage) << ::testing::PrintToString(words);
    }
  }
}

}  // namespace
}  // namespace bittern
