#include "host/campaign/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include "agent/campaign/fake_quant_source.h"
#include "agent/campaign/settings.h"
#include "agent/evaluator/fake_quant_evaluator.h"
#include "agent/rl/methods.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/hash.h"
#include "host/base/stop.h"
#include "host/base/temporary_folder.h"
#include "host/cores/cores.h"
#include "host/cost/cost_models.h"
#include "host/cost/lut.h"
#include "host/energy/energy.h"
#include "host/network/io/safetensors.h"
#include "host/variant/variant.h"
#include "tests/agent/campaign/small_campaign.h"
#include "tests/host/base/message_of.h"

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
  CampaignResult run_here(const RunOptions& options) const {
    return run_campaign(campaign_, options);
  }
  /// result.json without the part that may differ between two runs.
  nlohmann::json result(const std::string& name) const {
    auto json = nlohmann::json::parse(read_file(folder_ / name / "result.json"));
    json.erase("timing");
    return json;
  }
  std::string error_of(const std::string& name, bool resume = false) const {
    return message_of([&] { run_here(options(name, resume)); });
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
  const CampaignResult result = run_here(options("a"));
  for (const char* name : {"result.json", "policy.json", "episodes.jsonl", "lut.csv", "report.html",
                           "model.safetensors", "best.safetensors", "summary.txt"}) {
    EXPECT_TRUE(fs::exists(folder_ / "a" / name)) << name;
  }
  ASSERT_EQ(result.constraints.size(), 1u);
  EXPECT_TRUE(result.constraints[0].met());
  EXPECT_EQ(result.episodes, 8);
  EXPECT_EQ(result.uniform.size(), 8u) << "2 to 8 bits and w6/a4";
  EXPECT_TRUE(result.best.test_accuracy.has_value());
  for (const auto& layer : result.best.layers) EXPECT_EQ(layer.origin, "model");
  const auto lut = load_lut(folder_ / "a" / "lut.csv");
  EXPECT_EQ(lut.size(), 4u * 49u);
}

TEST_F(RunnerTest, AccuraciesOfTheSearchCanBeThoseOfIntegers) {
  FakeQuantSettings settings = small_evaluator();
  settings.integers = true;
  settings.equalise = true;
  campaign_.evaluator = configure_fake_quant(settings);
  EXPECT_EQ(campaign_.evaluator.name, "integer");
  run_here(options("integers"));
  const nlohmann::json result = this->result("integers");
  EXPECT_THAT(result["provenance"]["accuracy"].get<std::string>(), HasSubstr("integers"));
  // Evaluated anew, outside of the campaign.
  const Network network = load_network("lenet");
  FakeQuantEvaluator evaluator(
      network, read_safetensors(folder_ / "integers" / "model.safetensors", ExitStatus::kFailed),
      load_data(data_options(campaign_, network, "")), evaluator_options(settings, campaign_));
  std::istringstream lines(episodes("integers"));
  int checked = 0;
  for (std::string line; std::getline(lines, line); ++checked) {
    const auto episode = nlohmann::json::parse(line);
    Policy policy;
    for (const auto& pair : episode["policy"]) policy.push_back({pair[0], pair[1]});
    EXPECT_NEAR(episode["accuracy"].get<double>(), evaluator.evaluate(policy).top1, 1e-3);
  }
  EXPECT_EQ(checked, 8);
}

TEST(ShippedCampaigns, NameNetworksAndVariantsThatExistAndAreCalledLikeTheirFiles) {
  int campaigns = 0;
  const CampaignKinds kinds = {all_methods(), all_evaluators()};
  // Checkpoints are no part of the tree: files of their names, which nobody reads here.
  const TemporaryFolder models;
  setenv("BITTERN_MODELS", models.path().c_str(), 1);
  for (const auto& entry :
       fs::directory_iterator(fs::path(BITTERN_SOURCE_DIR) / "configs/campaigns")) {
    SCOPED_TRACE(entry.path().string());
    const std::string checkpoint = load_cells(entry.path().string()).front().model.checkpoint;
    if (!checkpoint.empty()) write_file(models / checkpoint, "");
    const Campaign campaign = load_cells(entry.path().string(), {}, &kinds).front();
    EXPECT_EQ(campaign.name, entry.path().stem().string());
    EXPECT_NO_THROW(load_network(campaign.network));
    EXPECT_NO_THROW(load_energy_table(load_variant(campaign.variant).energy));
    ++campaigns;
  }
  EXPECT_GT(campaigns, 2);
  unsetenv("BITTERN_MODELS");
}

TEST_F(RunnerTest, SearchesAmongTheWidthsThatTheCoreRuns) {
  campaign_.variant = "bitfusion_tiny";
  campaign_.constraints = {{"latency", true, 0.4}};
  const CampaignResult result = run_here(options("a"));
  EXPECT_TRUE(result.constraints[0].met());
  for (const auto& layer : result.best.layers) {
    EXPECT_THAT(layer.bits.weight, ::testing::AnyOf(2, 4, 8)) << layer.name;
    EXPECT_THAT(layer.bits.activation, ::testing::AnyOf(2, 4, 8)) << layer.name;
  }
  EXPECT_EQ(result.uniform.size(), 3u) << "2, 4 and 8 bits";
  EXPECT_THAT(read_file(folder_ / "a" / "summary.txt"),
              HasSubstr("no row for uniform 3, uniform 5, uniform 6, uniform 7, w6/a4"));
  // The table that it wrote serves the same campaign again.
  campaign_.cost = "table";
  campaign_.table = (folder_ / "a" / "lut.csv").string();
  EXPECT_EQ(run_here(options("b")).best.policy(), result.best.policy());
}

TEST_F(RunnerTest, WidthsThatTheCoreDoesNotRunAreAnErrorBeforeAnythingIsDone) {
  campaign_.variant = "bitfusion_tiny";
  campaign_.search.min_bits = 5;
  campaign_.search.max_bits = 7;
  try {
    run_here(options("a"));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("bitfusion_tiny (core bitfusion) rounds them all up to 8"));
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
  }
  EXPECT_FALSE(fs::exists(folder_ / "a"));
}

TEST_F(RunnerTest, EqualSeedsGiveEqualResultsAndOthersDoNot) {
  run_here(options("a"));
  run_here(options("b"));
  EXPECT_EQ(result("a"), result("b"));
  EXPECT_EQ(episodes("a"), episodes("b"));
  campaign_.seed = 5;
  run_here(options("c"));
  EXPECT_NE(episodes("a"), episodes("c"));
}

TEST_F(RunnerTest, ResumingAFinishedRunChangesNothing) {
  run_here(options("a"));
  const auto before = result("a");
  const auto lines = episodes("a");
  run_here(options("a", true));
  EXPECT_EQ(result("a"), before);
  EXPECT_EQ(episodes("a"), lines);
}

TEST_F(RunnerTest, AStoppedRunResumesToTheSameResult) {
  run_here(options("whole"));
  // Stops as soon as the first episodes are there, wherever the run is by then.
  std::thread stopper([this] {
    while (!fs::exists(folder_ / "parts" / "episodes.jsonl"))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    request_stop();
  });
  bool stopped = false;
  try {
    const CampaignResult partial = run_here(options("parts"));
    stopped = partial.stopped;
    EXPECT_FALSE(partial.best.test_accuracy.has_value())
        << "the test set was touched by a run that was stopped";
  } catch (const Stopped&) {
    stopped = true;
  }
  stopper.join();
  EXPECT_TRUE(stopped);
  request_stop(false);
  run_here(options("parts", true));
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
  run_here(options("a"));
}

TEST_F(RunnerTest, AFineTuneThatDivergesIsAnErrorBeforeTheFirstEpisode) {
  campaign_.data.train_images = 600;
  campaign_.model.epochs = 3;
  FakeQuantSettings settings = small_evaluator();
  settings.finetune_images = 256;
  settings.finetune_rate = 50;
  campaign_.evaluator = configure_fake_quant(settings);
  EXPECT_THAT(error_of("a"), HasSubstr("evaluator.finetune_rate"));
  EXPECT_FALSE(fs::exists(folder_ / "a" / "episodes.jsonl"));
  EXPECT_FALSE(fs::exists(folder_ / "a" / "result.json"));
  campaign_.evaluator = configure_fake_quant(small_evaluator());
  run_here(options("a"));
}

TEST_F(RunnerTest, WhatMakesResultsDoubtfulIsInThem) {
  campaign_.method = small_haq(8);
  const CampaignResult found = run_here(options("a"));
  EXPECT_THAT(found.warnings, testing::Contains(HasSubstr("search.warmup (8)")));
}

TEST_F(RunnerTest, ARaisedBudgetEndsLikeARunThatHadItFromTheStart) {
  run_here(options("raised"));
  campaign_.search.episodes = 12;
  run_here(options("raised", true));
  run_here(options("whole"));
  EXPECT_EQ(result("raised"), result("whole"));
  EXPECT_EQ(episodes("raised"), episodes("whole"));
  campaign_.search.episodes = 11;
  EXPECT_THAT(error_of("raised", true), HasSubstr("12 episodes were run there"));
}

TEST_F(RunnerTest, EpisodesThatAreMissingAreNoticedAndCanBeSearchedAgain) {
  run_here(options("a"));
  const auto before = result("a");
  const std::string lines = read_file(folder_ / "a" / "episodes.jsonl");
  write_file(folder_ / "a" / "episodes.jsonl", lines.substr(lines.find('\n') + 1));
  EXPECT_THAT(error_of("a", true), HasSubstr("episodes.jsonl: line 1 is of episode 1"));
  // What the message says mends it.
  fs::remove(folder_ / "a" / "state" / "search.checkpoint");
  run_here(options("a", true));
  EXPECT_EQ(result("a"), before);
}

TEST_F(RunnerTest, FlippedBitsInWhatIsKeptAreNoticed) {
  run_here(options("a"));
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
  run_here(options("a", true));
}

TEST_F(RunnerTest, ImagesThatTheSearchDoesNotSeeDecide) {
  campaign_.data.choice_images = 40;
  const CampaignResult first = run_here(options("a"));
  EXPECT_EQ(first.validation_images, 60u);
  ASSERT_TRUE(first.best.choice_accuracy.has_value());
  const auto before = result("a");
  run_here(options("a", true));
  EXPECT_EQ(result("a"), before);
}

TEST_F(RunnerTest, ActivationsInFloatingPointAreNamedAndQuantisedAtTheEnd) {
  campaign_.search.mode = "w";
  campaign_.search.fixed = std::nullopt;
  const CampaignResult found = run_here(options("a"));
  EXPECT_EQ(found.float_operand, "activations");
  for (const LayerOutcome& layer : found.best.layers) EXPECT_EQ(layer.bits.activation, 8);
  EXPECT_TRUE(found.best.quantised_test_accuracy.has_value());
  EXPECT_THAT(read_file(folder_ / "a" / "summary.txt"),
              AllOf(HasSubstr("float"), HasSubstr("activations stay in floating point and cost "
                                                  "what 8 bits cost; with 8 bits")));
  const auto before = result("a");
  run_here(options("a", true));
  EXPECT_EQ(result("a"), before);
}

TEST_F(RunnerTest, SaysWhenARunGoesOnOnAnotherProcessor) {
  run_here(options("a"));
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
  const CampaignResult found = run_here(options("a", true));
  EXPECT_THAT(found.warnings, testing::Contains(HasSubstr("2 different processors")));
  EXPECT_THAT(result("a").at("provenance").at("processor").get<std::string>(),
              HasSubstr("another machine, AVX9, LibTorch 9.9"));
}

TEST_F(RunnerTest, AnInfeasibleConstraintIsAnErrorThatNamesTheLeastReachableValue) {
  campaign_.constraints[0].limit = 0.01;
  try {
    run_here(options("a"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("least"));
  }
}

TEST_F(RunnerTest, ComparesPoliciesImageByImage) {
  const CampaignResult result = run_here(options("a"));
  EXPECT_EQ(result.validation_images, 100u);
  EXPECT_EQ(result.test_images, 100u);
  EXPECT_GT(result.policies_tried, 1);
  EXPECT_LE(result.policies_tried, result.episodes);
  EXPECT_EQ(result.finalists, 3);
  const auto correct = [](const Answers& answers) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < answers.images(); ++i) count += answers.correct(i) ? 1 : 0;
    return static_cast<double>(count);
  };
  std::vector<PolicyOutcome> all = result.uniform;
  all.push_back(result.best);
  for (const PolicyOutcome& policy : all) {
    ASSERT_EQ(policy.test_answers.images(), 100u) << policy.label;
    ASSERT_EQ(policy.validation_answers.images(), 100u) << policy.label;
    // 100 images: as many correct ones as percents.
    EXPECT_NEAR(correct(policy.test_answers), policy.test_accuracy.value(), 1e-9) << policy.label;
    EXPECT_NEAR(correct(policy.validation_answers), policy.validation_accuracy, 1e-9);
  }
  EXPECT_NEAR(correct(result.baseline_test_answers), result.baseline_test.value(), 1e-9);
  EXPECT_NEAR(correct(result.baseline_validation_answers), result.baseline_validation, 1e-9);
  const auto json = this->result("a");
  EXPECT_FALSE(json.at("uniform")[0].at("found_minus_this").at("test").is_null());
  EXPECT_THAT(read_file(folder_ / "a" / "summary.txt"), HasSubstr("95 % interval"));
}

TEST_F(RunnerTest, ComparesAPinnedSearchWithPinnedPolicies) {
  campaign_.search.pin_first_last = true;
  campaign_.constraints[0].limit = 0.8;
  const CampaignResult result = run_here(options("a"));
  for (const PolicyOutcome& policy : result.uniform) {
    EXPECT_EQ(policy.layers.front().bits, (BitPair{8, 8})) << policy.label;
    EXPECT_EQ(policy.layers.back().bits, (BitPair{8, 8})) << policy.label;
  }
  EXPECT_EQ(result.uniform[0].label, "uniform 2, ends 8/8");
  EXPECT_EQ(result.uniform[6].label, "uniform 8");
}

TEST_F(RunnerTest, TheReportHasTheCampaignFileAndTheCommand) {
  campaign_.text = "name: <test>\n";
  RunOptions with_command = options("a");
  with_command.command_line = "bittern run test.yaml";
  run_here(with_command);
  const std::string html = read_file(folder_ / "a" / "report.html");
  EXPECT_THAT(html, HasSubstr("name: &lt;test&gt;"));
  EXPECT_THAT(html, HasSubstr("bittern run test.yaml"));
}

/// Campaigns on tables that users bring.
class TableRunnerTest : public RunnerTest {
 protected:
  void SetUp() override {
    RunnerTest::SetUp();
    fs::create_directories(folder_);
    const Variant variant = load_variant("bismo_tiny");
    ModelCostModel model(load_network("lenet"), variant, load_energy_table(variant.energy));
    for (std::size_t layer = 0; layer < 4; ++layer) {
      for (int w = 2; w <= 8; ++w) {
        for (int a = 2; a <= 8; ++a) model.layer_cost(layer, {w, a});
      }
    }
    rows_ = model.lut();
    for (LutRow& row : rows_) row.variant = "my_npu";
    campaign_.cost = "table";
    campaign_.variant = "";
    campaign_.table = (folder_ / "table.csv").string();
  }
  /// Keeps the rows whose bits are all of `widths`.
  void keep(const std::set<int>& widths, bool with_8_8) {
    std::vector<LutRow> kept;
    for (const LutRow& row : rows_) {
      const bool in = widths.count(row.bits.weight) == 1 && widths.count(row.bits.activation) == 1;
      if (in || (with_8_8 && row.bits == BitPair{8, 8})) kept.push_back(row);
    }
    rows_ = kept;
  }
  CampaignResult run(const std::string& name) {
    save_lut(campaign_.table, rows_);
    return run_here(options(name));
  }
  std::string error_of_run() {
    fs::remove_all(folder_ / "failing");
    return message_of(ExitStatus::kUsage, [&] { run("failing"); });
  }
  static std::vector<std::string> labels(const CampaignResult& result) {
    std::vector<std::string> out;
    for (const PolicyOutcome& row : result.uniform) out.push_back(row.label);
    return out;
  }

  std::vector<LutRow> rows_;
};

TEST_F(TableRunnerTest, NeedsNoVariantOfOurs) {
  const CampaignResult result = run("a");
  EXPECT_EQ(result.variant, "my_npu");
  EXPECT_TRUE(result.constraints[0].met());
  campaign_.variant = "bismo_tiny";
  EXPECT_THAT(error_of_run(), HasSubstr("leave `variant` out"));
}

TEST_F(TableRunnerTest, NeedsOnlyTheWidthsThatAreSearchedAndTheReference) {
  keep({4, 5, 6}, true);
  campaign_.search.min_bits = 4;
  campaign_.search.max_bits = 6;
  const CampaignResult result = run("a");
  EXPECT_THAT(labels(result),
              ::testing::ElementsAre("uniform 4", "uniform 5", "uniform 6", "uniform 8", "w6/a4"));
  EXPECT_THAT(result.uniform_note, HasSubstr("uniform 2, uniform 3, uniform 7: the table lacks"));
  EXPECT_EQ(result.reference.bits, "8/8");
  EXPECT_THAT(result.warnings, ::testing::Not(::testing::Contains(HasSubstr("ratios refer"))));
}

TEST_F(TableRunnerTest, SaysWhichReferenceARatioMeansWhere8To8IsNotThere) {
  keep({4, 5, 6}, false);
  campaign_.constraints[0].limit = 0.8;
  const CampaignResult result = run("a");
  EXPECT_EQ(result.reference.bits, "6/6");
  EXPECT_NEAR(result.constraints[0].reference, result.uniform[2].latency_s, 1e-15);
  EXPECT_THAT(result.warnings, ::testing::Contains(HasSubstr("ratios refer to 6/6")));
  EXPECT_THAT(read_file(folder_ / "a" / "summary.txt"), HasSubstr("limit 0.8000): met"));
  campaign_.constraints[0].limit = 0.01;
  campaign_.name = "other";
  EXPECT_THAT(
      [this] {
        try {
          run("b");
        } catch (const Error& error) {
          return std::string(error.what());
        }
        return std::string("no error");
      }(),
      HasSubstr("ratio 0.0100 of 6/6"));
}

TEST_F(TableRunnerTest, SearchesAmongTheWidthsOfItsRows) {
  keep({2, 4, 8}, false);
  const CampaignResult result = run("a");
  for (const auto& layer : result.best.layers)
    EXPECT_THAT(layer.bits.weight, ::testing::AnyOf(2, 4, 8));
  EXPECT_THAT(labels(result), ::testing::ElementsAre("uniform 2", "uniform 4", "uniform 8"));
}

TEST_F(TableRunnerTest, ARowThatIsMissingIsNamedBeforeAnythingIsDone) {
  keep({4, 5, 6}, true);
  // 8 bits have a row, so 4/8 is searched.
  EXPECT_THAT(error_of_run(),
              ::testing::AllOf(HasSubstr("layer conv1"), HasSubstr("at 4/8 bits"),
                               HasSubstr("it has 4/4 4/5 4/6"), HasSubstr("min_bits, max_bits")));
  campaign_.search.min_bits = 7;
  campaign_.search.max_bits = 7;
  EXPECT_THAT(error_of_run(), HasSubstr("no such weight bits for network lenet; it has 4 5 6 8"));
}

TEST_F(TableRunnerTest, PinnedEndsNeedTheirRows) {
  keep({4, 5, 6}, false);
  campaign_.search.pin_first_last = true;
  EXPECT_THAT(error_of_run(), ::testing::AllOf(HasSubstr("layer conv1"), HasSubstr("8/8"),
                                               HasSubstr("pin_first_last")));
}

TEST_F(RunnerTest, ATableGivesTheCostsThatItWasWrittenFrom) {
  run_here(options("a"));
  fs::copy_file(folder_ / "a" / "lut.csv", folder_ / "lut.csv");
  campaign_.cost = "table";
  campaign_.table = (folder_ / "lut.csv").string();
  const CampaignResult result = run_here(options("b"));
  EXPECT_EQ(result.variant, "bismo_tiny") << "what the rows say";
  EXPECT_EQ(result.best.layers[0].origin, "table");
  EXPECT_EQ(nlohmann::json::parse(read_file(folder_ / "a" / "policy.json")),
            nlohmann::json::parse(read_file(folder_ / "b" / "policy.json")));
}

}  // namespace
}  // namespace bittern
