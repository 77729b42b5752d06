#include "host/result/episodes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string line(int episode, double accuracy = 90) {
  return "{\"episode\":" + std::to_string(episode) +
         ",\"policy\":[[4,8]],\"accuracy\":" + std::to_string(accuracy) +
         ",\"reward\":0.1,\"cost\":{\"latency_s\":1e-3,\"energy_j\":2e-6,\"weight_bytes\":10}}\n";
}

class Follower : public ::testing::Test {
 protected:
  void append(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }
  TemporaryFolder folder_;
  const fs::path path_ = folder_ / "episodes.jsonl";
};

TEST_F(Follower, ReadsWhatCameSince) {
  EpisodeFollower follower(path_);
  EXPECT_FALSE(follower.update()) << "no file yet";
  append(line(0) + line(1));
  EXPECT_TRUE(follower.update());
  EXPECT_FALSE(follower.update());
  append(line(2, 91));
  EXPECT_TRUE(follower.update());
  ASSERT_EQ(follower.episodes().size(), 3u);
  EXPECT_EQ(follower.episodes()[2].number, 2);
  EXPECT_DOUBLE_EQ(follower.episodes()[2].accuracy, 91);
  EXPECT_EQ(follower.episodes()[2].policy, (Policy{{4, 8}}));
  EXPECT_EQ(follower.generation(), 0);
}

TEST_F(Follower, LeavesAHalfLineUntilItIsWhole) {
  EpisodeFollower follower(path_);
  const std::string whole = line(0);
  append(whole.substr(0, 20));
  EXPECT_FALSE(follower.update());
  append(whole.substr(20));
  EXPECT_TRUE(follower.update());
  EXPECT_EQ(follower.episodes().size(), 1u);
}

TEST_F(Follower, BeginsAnewWhenTheFileWasReplacedOrBecameShorter) {
  EpisodeFollower follower(path_);
  append(line(0) + line(1));
  follower.update();
  write_file(path_, line(0, 50) + line(1, 51) + line(2, 52));
  EXPECT_TRUE(follower.update());
  ASSERT_EQ(follower.episodes().size(), 3u);
  EXPECT_DOUBLE_EQ(follower.episodes()[0].accuracy, 50);
  EXPECT_EQ(follower.generation(), 1);
  fs::resize_file(path_, line(0, 50).size());
  EXPECT_TRUE(follower.update());
  EXPECT_EQ(follower.episodes().size(), 1u);
}

TEST_F(Follower, SurvivesAFileThatVanishes) {
  EpisodeFollower follower(path_);
  append(line(0));
  follower.update();
  fs::remove(path_);
  EXPECT_TRUE(follower.update());
  EXPECT_TRUE(follower.episodes().empty());
  EXPECT_FALSE(follower.update());
}

TEST_F(Follower, NamesTheLineThatIsDamagedAndTakesNothingOfIt) {
  EpisodeFollower follower(path_);
  append(line(0));
  follower.update();
  append(line(1) + "{\"episode\":2}\n");
  EXPECT_THAT(message_of([&] { follower.update(); }), HasSubstr("episodes.jsonl:3: 'policy'"));
  EXPECT_EQ(follower.episodes().size(), 1u);
  EXPECT_EQ(follower.lines().size(), 1u);
}

TEST_F(Follower, RefusesWhatIsNoEpisode) {
  const auto problem = [&](const std::string& text) {
    write_file(path_, text + "\n");
    return message_of([&] { EpisodeFollower(path_).update(); });
  };
  EXPECT_THAT(problem("nonsense"), HasSubstr("episodes.jsonl:1"));
  EXPECT_THAT(problem("[1]"), HasSubstr("no JSON object"));
  EXPECT_THAT(problem("{\"episode\":-1}"), HasSubstr("expected a whole number"));
  EXPECT_THAT(problem("{\"episode\":0,\"policy\":[[1]]}"), HasSubstr("list of pairs"));
  EXPECT_THAT(problem("{\"episode\":0,\"policy\":[[1,99999999999]]}"), HasSubstr("list of pairs"));
  EXPECT_THAT(problem("{\"episode\":0,\"policy\":[],\"accuracy\":\"x\"}"), HasSubstr("'accuracy'"));
  EXPECT_THAT(problem("{\"episode\":0,\"policy\":[],\"accuracy\":1,\"reward\":1}"),
              HasSubstr("'cost'"));
}

TEST_F(Follower, RefusesALineWithoutEnd) {
  append(std::string(EpisodeFollower::kLongestLine + 1, 'x'));
  EXPECT_THAT(message_of([&] { EpisodeFollower(path_).update(); }), HasSubstr("longer than"));
}

TEST_F(Follower, RefusesWhatIsNoFile) {
  EXPECT_THAT(message_of([&] { EpisodeFollower(folder_.path()).update(); }),
              HasSubstr("no regular file"));
}

}  // namespace
}  // namespace bittern
