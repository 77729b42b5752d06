#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <regex>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/log.h"
#include "host/base/stop.h"
#include "host/base/temporary_folder.h"
#include "host/base/version.h"
#include "host/base/zoo.h"

namespace bittern {
namespace {

TEST(Stop, FirstSignalSetsTheFlagSecondOneEnds) {
  const auto twice = [] {
    catch_stop_signals();
    std::raise(SIGINT);
    if (!stop_requested()) std::_Exit(3);
    std::raise(SIGINT);
    std::_Exit(4);
  };
  EXPECT_EXIT(twice(), ::testing::KilledBySignal(SIGINT), "");
}

TEST(Stop, ThrowsOnlyWhenAskedTo) {
  request_stop(false);
  EXPECT_NO_THROW(throw_if_stopped());
  request_stop();
  EXPECT_THROW(throw_if_stopped(), Stopped);
  request_stop(false);
}

TEST(Log, UnknownLevelIsAnErrorWithASuggestion) {
  try {
    start_logging("debgu");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "unknown log level 'debgu', did you mean 'debug'?");
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
  }
}

TEST(Log, EveryNamedLevelIsSet) {
  for (const std::string& level : log_levels()) {
    start_logging(level);
    EXPECT_EQ(spdlog::default_logger()->level(), spdlog::level::from_str(level)) << level;
  }
  start_logging("warning");
  EXPECT_TRUE(spdlog::should_log(spdlog::level::warn));
  EXPECT_FALSE(spdlog::should_log(spdlog::level::info));
}

TEST(Log, MessagesCannotSteerTheTerminal) {
  ::testing::internal::CaptureStderr();
  start_logging("warning");
  spdlog::warn("device says {}", "\x1b[2J\xff gone");
  spdlog::default_logger()->flush();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "bittern: warning: device says \\x1b[2J\xef\xbf\xbd gone\n");
}

TEST(LogFile, HasMessagesFromInfoOnWhateverStderrShows) {
  const TemporaryFolder folder("bittern-log");
  const auto file = folder.path() / "run.log";
  start_logging("off");
  {
    const LogFile log(file);
    spdlog::debug("a detail");
    spdlog::info("begun");
    spdlog::warn("careful");
  }
  spdlog::warn("after its end");
  const std::string text = read_file(file);
  EXPECT_TRUE(std::regex_match(
      text, std::regex(R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} info: begun\n)"
                       R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} warning: careful\n)")))
      << text;
  EXPECT_FALSE(logged_on_stderr("error"));
  start_logging("warning");
}

TEST(LogFile, HasDetailsWhereStderrHasThemAndIsAppendedTo) {
  const TemporaryFolder folder("bittern-log");
  const auto file = folder.path() / "run.log";
  write_file(file, "before\n");
  ::testing::internal::CaptureStderr();
  start_logging("debug");
  EXPECT_TRUE(logged_on_stderr("debug"));
  EXPECT_FALSE(logged_on_stderr("trace"));
  {
    const LogFile log(file);
    spdlog::debug("a detail");
    spdlog::trace("too much");
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "bittern: debug: a detail\n");
  const std::string text = read_file(file);
  EXPECT_EQ(text.substr(0, 7), "before\n");
  EXPECT_NE(text.find("debug: a detail\n"), std::string::npos);
  EXPECT_EQ(text.find("too much"), std::string::npos);
  start_logging("warning");
}

TEST(LogFile, ThatCannotBeWrittenIsAnError) { EXPECT_THROW(LogFile("/dev/null/run.log"), Error); }

TEST(Version, IsThere) {
  EXPECT_FALSE(version().empty());
  EXPECT_FALSE(source_revision().empty());
  EXPECT_NE(build_description().find(", "), std::string::npos);
}

TEST(Zoo, ListsFilesAndSuggestsNames) {
  const auto names = zoo_names("networks");
  EXPECT_NE(std::find(names.begin(), names.end(), "lenet"), names.end());
  EXPECT_TRUE(std::filesystem::exists(zoo_file("networks", "lenet")));
  try {
    zoo_file("networks", "lennet");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'lenet'?"), std::string::npos);
  }
  EXPECT_THROW(zoo_file("networks", "nowhere.yaml"), Error);
  EXPECT_THROW(zoo_file("networks", "../variants/bismo_edge"), Error);
}

}  // namespace
}  // namespace bittern
