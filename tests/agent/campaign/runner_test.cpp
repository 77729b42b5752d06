#include "agent/campaign/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/hash.h"
#include "host/base/stop.h"
#include "host/base/temporary_folder.h"
#include "host/device/variant.h"
#include "host/energy/energy.h"
#include "host/measure/lut.h"
#include "tests/agent/campaign/small_campaign.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// The closed form prices these campaigns: what is tested here is the runner. Campaigns on RTL are
/// run, killed and resumed through the command line in tests/apps.
class RunnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("BITTERN_HOME", BITTERN_SOURCE_DIR, 1);
    request_stop(false);
  }
  void TearDown() override { request_stop(false); }

  RunOptions options(const std::string& name, bool resume = false) const {
    RunOptions out;
    out.out = folder_ / name;
    out.resume = resume;
    return out;
  }
  /// result.json without the part that may differ between two runs.
  nlohmann::json result(const std::string& name) const {
    auto json = nlohmann::json::parse(read_file(folder_ / name / "result.json"));
    json.erase("timing");
    return json;
  }
  std::string error_of(const std::string& name, bool resume = false) const {
    try {
      run_campaign(campaign_, options(name, resume));
    } catch (const Error& error) {
      return error.what();
    }
    ADD_FAILURE() << "no error";
    return "";
  }
  std::string episodes(const std::string& name) const {
    std::string out;
    std::istringstream in(read_file(folder_ / name / "episodes.jsonl"));
    for (std::string line; std::getline(in, line);) {
      auto json = nlohmann::json::parse(line);
      json.erase("time");
      out += json.dump() + "\n";
    }
    return out;
  }

  Campaign campaign_ = small_campaign();
  TemporaryFolder temporary_;
  const fs::path folder_ = temporary_ / "run";
};

TEST_F(RunnerTest, WritesEveryDocumentedFileAndMeetsTheConstraint) {
  const CampaignResult result = run_campaign(campaign_, options("a"));
  for (const char* name : {"result.json", "policy.json", "episodes.jsonl", "lut.csv", "report.html",
                           "model.safetensors", "best.safetensors", "summary.txt"}) {
    EXPECT_TRUE(fs::exists(folder_ / "a" / name)) << name;
  }
  ASSERT_EQ(result.constraints.size(), 1u);
  EXPECT_TRUE(result.constraints[0].met());
  EXPECT_EQ(result.episodes, 8);
  EXPECT_EQ(result.uniform.size(), 7u);
  EXPECT_TRUE(result.best.test_accuracy.has_value());
  for (const auto& layer : result.best.layers) EXPECT_EQ(layer.origin, "model");
  const auto lut = load_lut(folder_ / "a" / "lut.csv");
  EXPECT_EQ(lut.size(), 4u * 49u);
}

TEST(ShippedCampaigns, NameNetworksAndVariantsThatExistAndAreCalledLikeTheirFiles) {
  int campaigns = 0;
  for (const auto& entry :
       fs::directory_iterator(fs::path(BITTERN_SOURCE_DIR) / "configs/campaigns")) {
    SCOPED_TRACE(entry.path().string());
    const Campaign campaign = load_campaign(entry.path().string());
    EXPECT_EQ(campaign.name, entry.path().stem().string());
    EXPECT_NO_THROW(load_network(campaign.network));
    EXPECT_NO_THROW(load_energy_table(load_variant(campaign.variant).energy));
    ++campaigns;
  }
  EXPECT_GT(campaigns, 2);
}

TEST_F(RunnerTest, SearchesAmongTheWidthsThatTheCoreRuns) {
  campaign_.variant = "bitfusion_tiny";
  campaign_.constraints = {{"latency", true, 0.4}};
  const CampaignResult result = run_campaign(campaign_, options("a"));
  EXPECT_TRUE(result.constraints[0].met());
  for (const auto& layer : result.best.layers) {
    EXPECT_THAT(layer.bits.weight, ::testing::AnyOf(2, 4, 8)) << layer.name;
    EXPECT_THAT(layer.bits.activation, ::testing::AnyOf(2, 4, 8)) << layer.name;
  }
  // Uniform policies are compared at all widths: 3 bits cost what 4 cost.
  EXPECT_EQ(result.uniform[1].cycles(), result.uniform[2].cycles());
  EXPECT_GT(result.uniform[3].cycles(), result.uniform[2].cycles());
}

TEST_F(RunnerTest, WidthsThatTheCoreDoesNotRunAreAnErrorBeforeAnythingIsDone) {
  campaign_.variant = "bitfusion_tiny";
  campaign_.search.min_bits = 5;
  campaign_.search.max_bits = 7;
  try {
    run_campaign(campaign_, options("a"));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("bitfusion_tiny (core bitfusion) rounds them all up to 8"));
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
  }
  EXPECT_FALSE(fs::exists(folder_ / "a"));
}

TEST_F(RunnerTest, EqualSeedsGiveEqualResultsAndOthersDoNot) {
  run_campaign(campaign_, options("a"));
  run_campaign(campaign_, options("b"));
  EXPECT_EQ(result("a"), result("b"));
  EXPECT_EQ(episodes("a"), episodes("b"));
  campaign_.seed = 5;
  run_campaign(campaign_, options("c"));
  EXPECT_NE(episodes("a"), episodes("c"));
}

TEST_F(RunnerTest, ResumingAFinishedRunChangesNothing) {
  run_campaign(campaign_, options("a"));
  const auto before = result("a");
  const auto lines = episodes("a");
  run_campaign(campaign_, options("a", true));
  EXPECT_EQ(result("a"), before);
  EXPECT_EQ(episodes("a"), lines);
}

TEST_F(RunnerTest, AStoppedRunResumesToTheSameResult) {
  run_campaign(campaign_, options("whole"));
  // Stops as soon as the first episodes are there, wherever the run is by then.
  std::thread stopper([this] {
    while (!fs::exists(folder_ / "parts" / "episodes.jsonl"))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    request_stop();
  });
  bool stopped = false;
  try {
    const CampaignResult partial = run_campaign(campaign_, options("parts"));
    stopped = partial.stopped;
    EXPECT_FALSE(partial.best.test_accuracy.has_value())
        << "the test set was touched by a run that was stopped";
  } catch (const Stopped&) {
    stopped = true;
  }
  stopper.join();
  EXPECT_TRUE(stopped);
  request_stop(false);
  run_campaign(campaign_, options("parts", true));
  EXPECT_EQ(result("parts"), result("whole"));
  EXPECT_EQ(episodes("parts"), episodes("whole"));
}

TEST_F(RunnerTest, AFailedStartLeavesNothingAndTheCorrectedCampaignIsTaken) {
  campaign_.constraints[0].limit = 0.01;
  EXPECT_THAT(error_of("a"), HasSubstr("cannot be met"));
  EXPECT_FALSE(fs::exists(folder_));
  campaign_.constraints[0].limit = 0.5;
  campaign_.model.learning_rate = 100;
  EXPECT_THAT(error_of("a"), HasSubstr("model.learning_rate"));
  campaign_.model.learning_rate = 0.05;
  run_campaign(campaign_, options("a"));
}

TEST_F(RunnerTest, AFineTuneThatDivergesIsAnErrorBeforeTheFirstEpisode) {
  campaign_.data.train_images = 600;
  campaign_.model.epochs = 3;
  campaign_.evaluator.finetune_images = 256;
  campaign_.evaluator.finetune_rate = 50;
  EXPECT_THAT(error_of("a"), HasSubstr("evaluator.finetune_rate"));
  EXPECT_FALSE(fs::exists(folder_ / "a" / "episodes.jsonl"));
  EXPECT_FALSE(fs::exists(folder_ / "a" / "result.json"));
  campaign_.evaluator.finetune_images = 0;
  run_campaign(campaign_, options("a"));
}

TEST_F(RunnerTest, WhatMakesResultsDoubtfulIsInThem) {
  campaign_.search.warmup = 8;
  const CampaignResult found = run_campaign(campaign_, options("a"));
  EXPECT_THAT(found.warnings, testing::Contains(HasSubstr("search.warmup (8)")));
}

TEST_F(RunnerTest, ARaisedBudgetEndsLikeARunThatHadItFromTheStart) {
  run_campaign(campaign_, options("raised"));
  campaign_.search.episodes = 12;
  run_campaign(campaign_, options("raised", true));
  run_campaign(campaign_, options("whole"));
  EXPECT_EQ(result("raised"), result("whole"));
  EXPECT_EQ(episodes("raised"), episodes("whole"));
  campaign_.search.episodes = 11;
  EXPECT_THAT(error_of("raised", true), HasSubstr("12 episodes were run there"));
}

TEST_F(RunnerTest, EpisodesThatAreMissingAreNoticedAndCanBeSearchedAgain) {
  run_campaign(campaign_, options("a"));
  const auto before = result("a");
  const std::string lines = read_file(folder_ / "a" / "episodes.jsonl");
  write_file(folder_ / "a" / "episodes.jsonl", lines.substr(lines.find('\n') + 1));
  EXPECT_THAT(error_of("a", true), HasSubstr("episodes.jsonl: line 1 is of episode 1"));
  // What the message says mends it.
  fs::remove(folder_ / "a" / "state" / "search.checkpoint");
  run_campaign(campaign_, options("a", true));
  EXPECT_EQ(result("a"), before);
}

TEST_F(RunnerTest, FlippedBitsInWhatIsKeptAreNoticed) {
  run_campaign(campaign_, options("a"));
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "a" / "state")) {
    if (!entry.is_regular_file() || entry.file_size() == 0) continue;
    SCOPED_TRACE(entry.path().filename().string());
    const std::string whole = read_file(entry.path());
    std::string damaged = whole;
    damaged[damaged.size() * 2 / 3] ^= 1;
    write_file(entry.path(), damaged);
    EXPECT_THAT(error_of("a", true), HasSubstr(entry.path().filename().string()));
    write_file(entry.path(), whole);
    ++files;
  }
  // Settings, checkpoint, accuracies, trained weights, outcomes and weights of eight policies or
  // more.
  EXPECT_GT(files, 4 + 2 * 8 - 1);
  run_campaign(campaign_, options("a", true));
}

TEST_F(RunnerTest, SaysWhenARunGoesOnOnAnotherProcessor) {
  run_campaign(campaign_, options("a"));
  EXPECT_THAT(result("a").at("provenance").at("processor").get<std::string>(),
              HasSubstr("LibTorch"));
  const fs::path cache = folder_ / "a" / "state" / "accuracies.jsonl";
  nlohmann::json line;
  std::string text = read_file(cache);
  line = nlohmann::json::parse(text.substr(0, text.find('\n')));
  line.erase("sha256");
  line["processor"] = "another machine, AVX9, LibTorch 9.9";
  line["sha256"] = sha256_hex(line.dump());
  write_file(cache, line.dump() + text.substr(text.find('\n')));
  const CampaignResult found = run_campaign(campaign_, options("a", true));
  EXPECT_THAT(found.warnings, testing::Contains(HasSubstr("2 different processors")));
  EXPECT_THAT(result("a").at("provenance").at("processor").get<std::string>(),
              HasSubstr("another machine, AVX9, LibTorch 9.9"));
}

TEST_F(RunnerTest, AnInfeasibleConstraintIsAnErrorThatNamesTheLeastReachableValue) {
  campaign_.constraints[0].limit = 0.01;
  try {
    run_campaign(campaign_, options("a"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("least"));
  }
}

TEST_F(RunnerTest, ATableGivesTheCostsThatItWasWrittenFrom) {
  run_campaign(campaign_, options("a"));
  fs::copy_file(folder_ / "a" / "lut.csv", folder_ / "lut.csv");
  campaign_.cost = "table";
  campaign_.table = (folder_ / "lut.csv").string();
  const CampaignResult result = run_campaign(campaign_, options("b"));
  EXPECT_EQ(result.best.layers[0].origin, "table");
  EXPECT_EQ(nlohmann::json::parse(read_file(folder_ / "a" / "policy.json")),
            nlohmann::json::parse(read_file(folder_ / "b" / "policy.json")));
}

}  // namespace
}  // namespace bittern
