#include "apps/bittern/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "host/base/file.h"
#include "host/base/temporary_folder.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

TEST(RunTool, KeepsOutputOfBothStreamsAndTheStatus) {
  const ToolResult result = run_tool({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_TRUE(result.found);
  EXPECT_FALSE(result.good());
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.output, HasSubstr("out"));
  EXPECT_THAT(result.output, HasSubstr("err"));
}

TEST(RunTool, ArgumentsAreNotSplitOrExpanded) {
  EXPECT_EQ(run_tool({"printf", "%s|", "a b", "$HOME", "*"}).output, "a b|$HOME|*|");
}

TEST(RunTool, MissingProgramIsNotFound) {
  EXPECT_FALSE(run_tool({"bittern-no-such-program"}).found);
}

TEST(RunTool, KillsTheWholeGroupAtTheTimeLimit) {
  const auto start = std::chrono::steady_clock::now();
  const ToolResult result = run_tool({"sh", "-c", "sleep 60 & sleep 60"}, 0.3);
  EXPECT_TRUE(result.timed_out);
  EXPECT_FALSE(result.good());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(RunTool, SignalsShowInTheStatus) {
  EXPECT_EQ(run_tool({"sh", "-c", "kill -9 $$"}).status, 128 + 9);
}

TEST(TemporaryFolderTest, GoesAwayWithItsContent) {
  std::filesystem::path path;
  {
    const TemporaryFolder folder("bittern-test");
    path = folder.path();
    write_file(path / "deep" / "file", "x");
    EXPECT_TRUE(std::filesystem::exists(path / "deep" / "file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace bittern
