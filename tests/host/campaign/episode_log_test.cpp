#include "host/campaign/episode_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"

namespace bittern {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class EpisodeLogTest : public ::testing::Test {
 protected:
  /// A log of `count` lines and what a checkpoint would keep of them.
  json written(int count) {
    EpisodeLog log(file_);
    for (int i = 0; i < count; ++i) log.append({{"episode", i}, {"reward", 0.1 * i}});
    return log.state();
  }
  std::string refused(int episodes, const json& state) {
    try {
      EpisodeLog(file_).restore(episodes, state);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("episodes.jsonl"), HasSubstr("search.checkpoint")));
      return error.what();
    }
    ADD_FAILURE() << "no error for\n" << read_file(file_);
    return "";
  }

  TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "episodes.jsonl";
};

TEST_F(EpisodeLogTest, GoesOnWhereACheckpointStands) {
  const json state = written(3);
  EpisodeLog log(file_);
  log.restore(3, state);
  log.append({{"episode", 3}});
  ASSERT_EQ(log.lines().size(), 4u);
  EXPECT_EQ(log.lines()[1].at("reward"), 0.1);
  // The same lines written at once have the same digest.
  EXPECT_NE(log.state(), state);
  EpisodeLog again(file_);
  again.restore(4, log.state());
}

TEST_F(EpisodeLogTest, DropsLinesThatTheCheckpointDoesNotKnow) {
  const json state = written(3);
  const std::string three = read_file(file_);
  write_file(file_, three + R"({"episode":3,"reward":0.3})" + "\n" + R"({"episode": 4, "rew)");
  EpisodeLog log(file_);
  log.restore(3, state);
  EXPECT_EQ(read_file(file_), three);
}

TEST_F(EpisodeLogTest, ASearchFromItsBeginningEmptiesTheFile) {
  written(3);
  EpisodeLog log(file_);
  EXPECT_TRUE(log.lines().empty());
  log.append({{"episode", 0}});
  EXPECT_EQ(log.lines().size(), 1u);
}

TEST_F(EpisodeLogTest, NoticesLinesThatAreMissingMovedChangedOrDamaged) {
  const json state = written(3);
  const std::string whole = read_file(file_);
  const std::size_t second = whole.find('\n') + 1;
  const std::size_t third = whole.find('\n', second) + 1;
  const auto lines = [&](const std::string& text) {
    write_file(file_, text);
    return refused(3, state);
  };
  EXPECT_THAT(lines(whole.substr(0, third)), HasSubstr("1 of 3 lines are missing"));
  EXPECT_THAT(lines(whole.substr(0, whole.size() - 1)), HasSubstr("1 of 3 lines are missing"));
  EXPECT_THAT(lines(""), HasSubstr("3 of 3 lines are missing"));
  EXPECT_THAT(lines(whole.substr(second)), HasSubstr("line 1 is of episode 1, expected 0"));
  EXPECT_THAT(lines(whole.substr(0, second) + whole.substr(third)),
              HasSubstr("line 2 is of episode 2"));
  EXPECT_THAT(lines(whole.substr(0, second) + "nonsense\n" + whole.substr(third)),
              HasSubstr("line 2 is damaged"));
  EXPECT_THAT(lines(std::string(200000, '[') + "\n" + whole), HasSubstr("line 1 is damaged"));
  std::string changed = whole;
  changed[changed.find("0.1")] = '7';
  EXPECT_THAT(lines(changed), HasSubstr("were changed"));
  std::filesystem::remove(file_);
  EXPECT_THAT(refused(3, state), HasSubstr("3 of 3 lines are missing"));
}

TEST_F(EpisodeLogTest, NoticesACheckpointOfOtherLines) {
  written(2);
  EXPECT_THAT(refused(2, {{"lines", 1}, {"digest", ""}}), HasSubstr("something else"));
  EXPECT_THAT(refused(2, "x"), HasSubstr("something else"));
}

TEST_F(EpisodeLogTest, ComparesTheNumbersAloneForCheckpointsOfEarlierVersions) {
  written(3);
  EpisodeLog log(file_);
  log.restore(3, nullptr);
  EXPECT_EQ(log.lines().size(), 3u);
  EXPECT_THAT(refused(4, nullptr), HasSubstr("1 of 4 lines are missing"));
}

TEST_F(EpisodeLogTest, NoticesAFileThatIsChangedWhileItRuns) {
  EpisodeLog log(file_);
  log.append({{"episode", 0}});
  write_file(file_, R"({"episode":7})"
                    "\n");
  EXPECT_THROW(log.lines(), Error);
}

TEST_F(EpisodeLogTest, RefusesNumbersThatAreNotFinite) {
  EpisodeLog log(file_);
  EXPECT_THROW(log.append({{"episode", 0}, {"reward", std::nan("")}}), Error);
}

}  // namespace
}  // namespace bittern
