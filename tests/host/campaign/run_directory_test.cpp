#include "host/campaign/run_directory.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "host/campaign/state_file.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string key(int episodes) {
  return fmt::format(R"({{"name":"a","search":{{"episodes":{}}}}})", episodes);
}

constexpr const char* kKey = R"({"name":"a","search":{"episodes":3}})";

class RunDirectoryTest : public ::testing::Test {
 protected:
  /// A run that has got as far as its first episode.
  void begin() {
    RunDirectory first(folder_, kKey, false);
    first.episodes().append({{"episode", 0}});
  }

  TemporaryFolder temporary_;
  const fs::path folder_ = temporary_ / "run";
};

TEST_F(RunDirectoryTest, RefusesToOverwriteARunUnlessAskedToResume) {
  { begin(); }
  EXPECT_THAT(message_of([&] { RunDirectory second(folder_, kKey, false); }),
              HasSubstr("--resume"));
  EXPECT_THAT(message_of([&] { RunDirectory::check(folder_, kKey, false); }),
              HasSubstr("--resume"));
  RunDirectory::check(folder_, kKey, true);
  RunDirectory third(folder_, kKey, true);
}

TEST_F(RunDirectoryTest, NamesTheSettingThatChanged) {
  { begin(); }
  const char* const other = R"({"name":"b","search":{"episodes":3}})";
  for (const auto& action :
       std::vector<std::function<void()>>{[&] { RunDirectory second(folder_, other, true); },
                                          [&] { RunDirectory::check(folder_, other, true); }}) {
    EXPECT_THAT(message_of(action),
                AllOf(HasSubstr("name: \"b\", before \"a\""), HasSubstr("only search.episodes")));
  }
}

TEST_F(RunDirectoryTest, RefusesARunWhoseCostsHadOtherKeys) {
  { begin(); }
  const auto resume_as = [&](const json& settings) {
    write_state(folder_ / "state" / "campaign.json", settings);
    return message_of([&] { RunDirectory::check(folder_, kKey, true); });
  };
  json settings = json::parse(kKey);  // as version 1 wrote them
  EXPECT_THAT(resume_as(settings),
              AllOf(HasSubstr(folder_.string()), HasSubstr("version 1"), HasSubstr("--out")));
  settings["measurement_keys"] = 99;
  EXPECT_THAT(resume_as(settings), HasSubstr("version 99"));
  settings["cost"] = "table";  // costs nothing to measure
  EXPECT_THAT(resume_as(settings), HasSubstr("other settings (cost: absent, before \"table\")"));
}

TEST_F(RunDirectoryTest, TheBudgetMayBeRaisedAndNotFallBelowWhatWasRun) {
  {
    RunDirectory first(folder_, key(9), false);
    for (int i = 0; i < 4; ++i) first.episodes().append({{"episode", i}});
  }
  { RunDirectory raised(folder_, key(20), true); }
  { RunDirectory lowered(folder_, key(4), true); }
  EXPECT_THAT(message_of([&] { RunDirectory::check(folder_, key(3), true); }),
              HasSubstr("search.episodes is 3, but 4 episodes were run there (of 4)"));
}

TEST_F(RunDirectoryTest, AStartWithoutAnEpisodeMakesNoClaim) {
  {
    RunDirectory first(folder_, kKey, false);
    // What was trained serves any settings.
    write_file(folder_ / "state" / "trained" / "x.safetensors", "weights");
    write_file(folder_ / "model.safetensors", "weights");
  }
  EXPECT_TRUE(fs::exists(folder_ / "model.safetensors"));
  const std::string other = R"({"name":"b","search":{"episodes":3}})";
  RunDirectory::check(folder_, other, false);
  {
    RunDirectory second(folder_, other, false);
    second.episodes().append({{"episode", 0}});
  }
  EXPECT_THAT(message_of([&] { RunDirectory::check(folder_, kKey, true); }),
              HasSubstr("name: \"a\", before \"b\""));
}

TEST_F(RunDirectoryTest, AKilledStartMakesNoClaimEither) {
  write_file(folder_ / "state" / "campaign.json", "{\"na");
  write_file(folder_ / "state" / "lock", "");
  RunDirectory next(folder_, kKey, false);
}

TEST_F(RunDirectoryTest, RemovesWhatAFailedStartMadeAndNothingElse) {
  { RunDirectory failed(temporary_ / "deep" / "er", kKey, false); }
  EXPECT_FALSE(fs::exists(temporary_ / "deep"));
  fs::create_directories(temporary_ / "mine");
  write_file(temporary_ / "kept" / "note", "mine");
  { RunDirectory failed(temporary_ / "mine", kKey, false); }
  EXPECT_TRUE(fs::exists(temporary_ / "mine"));
  { RunDirectory failed(temporary_ / "kept" / "run", kKey, false); }
  EXPECT_EQ(read_file(temporary_ / "kept" / "note"), "mine");
  EXPECT_FALSE(fs::exists(temporary_ / "kept" / "run"));
  { begin(); }
  EXPECT_TRUE(fs::exists(folder_ / "state" / "campaign.json"));
}

TEST_F(RunDirectoryTest, CheckingMakesNothing) {
  RunDirectory::check(folder_, kKey, false);
  RunDirectory::check(folder_ / "a" / "b", kKey, true);
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(RunDirectoryTest, LetsOneProcessInAtATime) {
  RunDirectory first(folder_, kKey, false);
  EXPECT_THAT(message_of([&] { RunDirectory second(folder_, kKey, true); }),
              HasSubstr("another process"));
}

TEST_F(RunDirectoryTest, LetsTheNextInAfterARefusal) {
  { begin(); }
  EXPECT_THROW(RunDirectory(folder_, kKey, false), Error);
  RunDirectory second(folder_, kKey, true);
}

TEST_F(RunDirectoryTest, RemembersFinishedPolicies) {
  RunDirectory directory(folder_, kKey, false);
  PolicyOutcome outcome;
  outcome.layers = {{"a", {3, 4}, 0, 0, 0, "rtl"}, {"b", {5, 6}, 0, 0, 0, "rtl"}};
  EXPECT_FALSE(directory.finished(outcome.policy()));
  outcome.validation_accuracy = 98.25;
  outcome.test_accuracy = 97.5;
  outcome.validation_answers = Answers({true, false, true});
  outcome.test_answers = Answers({false, true});
  directory.keep_finished(outcome);
  const auto known = directory.finished(outcome.policy());
  ASSERT_TRUE(known);
  EXPECT_EQ(known->validation_accuracy, 98.25);
  EXPECT_EQ(known->test_accuracy, 97.5);
  EXPECT_EQ(known->validation_answers, outcome.validation_answers);
  EXPECT_EQ(known->test_answers, outcome.test_answers);
  EXPECT_FALSE(directory.finished({{3, 4}, {5, 7}}));
}

TEST_F(RunDirectoryTest, RemembersFullPrecisionForAllThatShareIt) {
  const fs::path shared = folder_.string() + "_shared";
  {
    RunDirectory directory(folder_, kKey, false);
    directory.share_finished(shared);
    EXPECT_FALSE(directory.full_precision());
    directory.keep_full_precision({66.6, 0.5, Answers({true, false, true})});
  }
  RunDirectory other(folder_, kKey, true);
  EXPECT_FALSE(other.full_precision());
  other.share_finished(shared);
  const auto known = other.full_precision();
  ASSERT_TRUE(known);
  EXPECT_EQ(known->top1, 66.6);
  EXPECT_EQ(known->answers, Answers({true, false, true}));

  const fs::path file = shared / "finished-full-precision.json";
  std::string text = read_file(file);
  write_file(file, text.replace(text.find("66.6"), 4, "67.6"));
  EXPECT_THAT(message_of([&] { other.full_precision(); }),
              AllOf(HasSubstr("finished-full-precision.json"), HasSubstr("damaged")));
  fs::remove_all(shared);
}

TEST_F(RunDirectoryTest, SaysWhichStateFileIsDamaged) {
  { begin(); }
  std::string text = read_file(folder_ / "state" / "campaign.json");
  for (const std::string& damaged : {std::string("{\"na"), std::string(100000, '['),
                                     text.replace(text.find("\"a\""), 3, "\"c\"")}) {
    write_file(folder_ / "state" / "campaign.json", damaged);
    EXPECT_THAT(message_of([&] { RunDirectory second(folder_, kKey, true); }),
                AllOf(HasSubstr("campaign.json"), HasSubstr("damaged")));
  }
}

TEST_F(RunDirectoryTest, ARunWhoseMeasurementsHadOtherKeysIsRefused) {
  { begin(); }
  // As it was written before keys were taken from programs.
  write_file(folder_ / "state" / "campaign.json", kKey);
  EXPECT_THAT(message_of([&] { RunDirectory second(folder_, kKey, true); }),
              AllOf(HasSubstr("version 1"), HasSubstr("--out")));
}

TEST_F(RunDirectoryTest, NoticesDamagedOutcomes) {
  RunDirectory directory(folder_, kKey, false);
  PolicyOutcome outcome;
  outcome.layers = {{"a", {3, 4}, 0, 0, 0, "rtl"}};
  outcome.validation_accuracy = 98.25;
  outcome.test_accuracy = 97.5;
  directory.keep_finished(outcome);
  const fs::path file = folder_ / "state" / "finished-3.4.json";
  std::string text = read_file(file);
  write_file(file, text.replace(text.find("98.25"), 5, "99.25"));
  EXPECT_THAT(message_of([&] { directory.finished(outcome.policy()); }),
              AllOf(HasSubstr("finished-3.4.json"), HasSubstr("damaged"), HasSubstr("delete it")));
}

TEST_F(RunDirectoryTest, SaysWhichFolderCannotBeMade) {
  write_file(folder_, "a file where the folder should be");
  for (const auto& action : std::vector<std::function<void()>>{
           [&] { RunDirectory directory(folder_ / "x", kKey, false); },
           [&] { RunDirectory::check(folder_ / "x", kKey, false); }}) {
    EXPECT_THAT(message_of(action), HasSubstr(folder_.string()));
  }
}

TEST_F(RunDirectoryTest, SaysWhichFolderCannotBeWritten) {
  // Nobody, not even root, writes into /proc.
  EXPECT_THAT(message_of([&] { RunDirectory::check("/proc/bittern", kKey, false); }),
              HasSubstr("cannot"));
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
