#include "agent/campaign/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class RunDirectoryTest : public ::testing::Test {
 protected:
  static std::string error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    ADD_FAILURE() << "no error";
    return "";
  }

  TemporaryFolder temporary_;
  const fs::path folder_ = temporary_ / "run";
};

constexpr const char* kKey = R"({"name":"a","search":{"episodes":3}})";

TEST_F(RunDirectoryTest, RefusesToOverwriteARunUnlessAskedToResume) {
  { RunDirectory first(folder_, kKey, false); }
  EXPECT_THAT(error_of([&] { RunDirectory second(folder_, kKey, false); }), HasSubstr("--resume"));
  RunDirectory third(folder_, kKey, true);
}

TEST_F(RunDirectoryTest, NamesTheSettingThatChanged) {
  { RunDirectory first(folder_, kKey, false); }
  EXPECT_THAT(error_of([&] {
                RunDirectory second(folder_, R"({"name":"a","search":{"episodes":4}})", true);
              }),
              HasSubstr("search.episodes: 4, before 3"));
}

TEST_F(RunDirectoryTest, LetsOneProcessInAtATime) {
  RunDirectory first(folder_, kKey, false);
  EXPECT_THAT(error_of([&] { RunDirectory second(folder_, kKey, true); }),
              HasSubstr("another process"));
}

TEST_F(RunDirectoryTest, LetsTheNextInAfterARefusal) {
  { RunDirectory first(folder_, kKey, false); }
  EXPECT_THROW(RunDirectory(folder_, kKey, false), Error);
  RunDirectory second(folder_, kKey, true);
}

TEST_F(RunDirectoryTest, DropsALineThatAKillCutOffAndEpisodesThatComeAgain) {
  RunDirectory directory(folder_, kKey, false);
  for (int i = 0; i < 4; ++i) directory.add_episode({{"episode", i}, {"reward", 0.5 * i}});
  std::ofstream(folder_ / "episodes.jsonl", std::ios::app) << R"({"episode": 4, "rew)";
  EXPECT_EQ(directory.episodes().size(), 4u);
  directory.keep_episodes_before(2);
  const auto lines = directory.episodes();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].at("reward"), 0.5);
  directory.add_episode({{"episode", 2}});
  EXPECT_EQ(directory.episodes().size(), 3u);
}

TEST_F(RunDirectoryTest, AHostileLineEndsTheList) {
  RunDirectory directory(folder_, kKey, false);
  directory.add_episode({{"episode", 0}});
  std::ofstream(folder_ / "episodes.jsonl", std::ios::app)
      << R"({"episode": 1, "x": )" << std::string(100000, '[') << "\n{\"episode\": 2}\n";
  EXPECT_EQ(directory.episodes().size(), 1u);
}

TEST_F(RunDirectoryTest, RemembersFinishedPolicies) {
  RunDirectory directory(folder_, kKey, false);
  PolicyOutcome outcome;
  outcome.layers = {{"a", {3, 4}, 0, 0, 0, "rtl"}, {"b", {5, 6}, 0, 0, 0, "rtl"}};
  EXPECT_FALSE(directory.finished(outcome.policy()));
  outcome.validation_accuracy = 98.25;
  outcome.test_accuracy = 97.5;
  directory.keep_finished(outcome);
  const auto known = directory.finished(outcome.policy());
  ASSERT_TRUE(known);
  EXPECT_EQ(known->validation_accuracy, 98.25);
  EXPECT_EQ(known->test_accuracy, 97.5);
  EXPECT_FALSE(directory.finished({{3, 4}, {5, 7}}));
}

TEST_F(RunDirectoryTest, SaysWhichStateFileIsDamaged) {
  { RunDirectory first(folder_, kKey, false); }
  write_file(folder_ / "state" / "campaign.json", "{\"na");
  EXPECT_THAT(error_of([&] { RunDirectory second(folder_, kKey, true); }),
              AllOf(HasSubstr("campaign.json:1:"), HasSubstr("damaged")));
}

TEST_F(RunDirectoryTest, SaysWhichFolderCannotBeMade) {
  write_file(folder_, "a file where the folder should be");
  EXPECT_THAT(error_of([&] { RunDirectory directory(folder_ / "x", kKey, false); }),
              HasSubstr(folder_.string()));
}

TEST(FirstDifference, FindsChangedAddedAndRemovedKeys) {
  EXPECT_EQ(first_difference(json::parse(R"({"a":{"b":1}})"), json::parse(R"({"a":{"b":1}})")), "");
  EXPECT_EQ(first_difference(json::parse(R"({"a":{"b":1}})"), json::parse(R"({"a":{"b":2}})")),
            "a.b: 1, before 2");
  EXPECT_EQ(first_difference(json::parse(R"({"a":1})"), json::parse("{}")), "a: 1, before absent");
  EXPECT_EQ(first_difference(json::parse("{}"), json::parse(R"({"a":1})")), "a: absent, before 1");
}

}  // namespace
}  // namespace bittern
