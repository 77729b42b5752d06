#include "host/result/result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "host/base/error.h"
#include "host/base/file.h"

namespace bittern {
namespace {

using nlohmann::json;

json earlier() {
  return json::parse(read_file(std::string(BITTERN_SOURCE_DIR) +
                               "/tests/host/result/data/result_before_intervals.json"));
}

TEST(CampaignResult, ReadsWhatAnEarlierVersionWrote) {
  const CampaignResult result = campaign_result_from_json(earlier());
  EXPECT_EQ(result.campaign, "before");
  EXPECT_EQ(result.best.test_accuracy, 97.45);
  EXPECT_EQ(result.uniform.size(), 3u);
  EXPECT_EQ(result.best_uniform()->label, "uniform 2");
  EXPECT_EQ(result.reference.bits, "8/8");
  EXPECT_EQ(result.reference.latency_s, 1.925e-4);
  EXPECT_EQ(result.test_images, 0u);
  EXPECT_TRUE(result.best.test_answers.empty());
  EXPECT_TRUE(result.warnings.empty());
  EXPECT_FALSE(result.best.layers[0].ran);
  // What it said is said again, and nothing is made up that it did not know.
  const json before = earlier();
  const json again = to_json(result);
  for (const auto& [key, value] : before.items()) {
    if (key == "best" || key == "uniform" || key == "baseline" || key == "constraints") continue;
    EXPECT_EQ(again.at(key), value) << key;
  }
  EXPECT_EQ(again.at("constraints")[0].at("ratio_of_8_8"),
            before.at("constraints")[0].at("ratio_of_8_8"));
  EXPECT_TRUE(again.at("best").at("test_standard_error_points").is_null());
  EXPECT_TRUE(again.at("uniform")[0].at("found_minus_this").at("test").is_null());
}

/// The earlier result with answers to eight test images.
CampaignResult with_answers() {
  CampaignResult result = campaign_result_from_json(earlier());
  result.validation_images = 4;
  result.test_images = 8;
  result.best.test_answers = Answers({true, true, true, true, true, true, true, false});
  result.best.test_accuracy = 87.5;
  result.uniform[0].test_answers = Answers({true, true, true, true, true, false, false, true});
  result.uniform[0].test_accuracy = 75;
  result.baseline_test_answers = Answers({true, true, true, true, true, true, true, true});
  result.warnings = {"something is odd"};
  result.uniform_note = "no row for uniform 3";
  result.policies_tried = 5;
  result.finalists = 2;
  return result;
}

TEST(CampaignResult, HasStandardErrorsAndPairedDifferences) {
  const json out = to_json(with_answers());
  EXPECT_NEAR(out.at("best").at("test_standard_error_points"), 11.69, 0.01);
  const json& difference = out.at("uniform")[0].at("found_minus_this").at("test");
  EXPECT_NEAR(difference.at("points"), 12.5, 1e-9);
  EXPECT_LT(difference.at("interval_95_low"), 0);
  EXPECT_GT(difference.at("interval_95_high"), 0);
  EXPECT_EQ(difference.at("images"), 8);
  EXPECT_EQ(difference.at("only_found_correct"), 2);
  EXPECT_EQ(difference.at("only_this_correct"), 1);
  EXPECT_TRUE(out.at("uniform")[0].at("found_minus_this").at("validation").is_null());
  EXPECT_NEAR(out.at("baseline").at("found_minus_this").at("test").at("points"), -12.5, 1e-9);
  EXPECT_EQ(out.at("warnings"), json({"something is odd"}));
}

TEST(CampaignResult, KeepsAnswersAndRoundedBitsThroughJson) {
  CampaignResult result = with_answers();
  result.uniform[1].layers[0].ran = BitPair{4, 8};
  result.reference = {"6/6", 1e-4};
  const CampaignResult again = campaign_result_from_json(to_json(result));
  EXPECT_EQ(to_json(again), to_json(result));
  EXPECT_EQ(again.uniform[0].test_answers, result.uniform[0].test_answers);
  EXPECT_EQ(again.uniform[1].layers[0].ran, (BitPair{4, 8}));
  EXPECT_EQ(again.uniform[1].policy(), result.uniform[1].policy());
  EXPECT_EQ(to_json(result).at("uniform")[1].at("layers")[0].at("weight_bits_run"), 4);
}

TEST(CampaignResult, KeepsWhatAnalysesNeedThroughJson) {
  CampaignResult result = campaign_result_from_json(earlier());
  EXPECT_TRUE(result.reinforcement) << "haq, of a version that did not say so";
  EXPECT_TRUE(result.best.layers[0].shape.empty());
  EXPECT_EQ(result.best.layers[0].intensity(), 0.0);
  EXPECT_EQ(result.bandwidth.all_bytes_per_s, 0.0);
  result.search = "other";
  result.reinforcement = false;
  result.exhaustive = true;
  result.campaign_file = "name: x\n";
  result.bandwidth = {1e9, 4e9};
  result.best.search_accuracy = 97.5;
  LayerOutcome& layer = result.best.layers[0];
  layer.shape = "conv";
  layer.operations = 200.0;
  layer.bytes = 50.0;
  layer.peak_ops_per_s = 3e9;
  const CampaignResult again = campaign_result_from_json(to_json(result));
  EXPECT_FALSE(again.reinforcement);
  EXPECT_TRUE(again.exhaustive);
  EXPECT_EQ(again.campaign_file, "name: x\n");
  EXPECT_EQ(again.bandwidth.port_bytes_per_s, 1e9);
  EXPECT_EQ(again.bandwidth.all_bytes_per_s, 4e9);
  EXPECT_EQ(again.best.search_accuracy, 97.5);
  EXPECT_EQ(again.best.layers[0].shape, "conv");
  EXPECT_EQ(again.best.layers[0].intensity(), 4.0);
  EXPECT_EQ(again.best.layers[0].peak_ops_per_s, 3e9);
  EXPECT_TRUE(again.best.layers[1].shape.empty());
}

TEST(CampaignResult, ARatioToOtherBitsIsNotCalledOneOf8To8) {
  CampaignResult result = with_answers();
  result.reference = {"6/6", 1e-4};
  const json constraint = to_json(result).at("constraints")[0];
  EXPECT_TRUE(constraint.at("ratio_of_8_8").is_null());
  EXPECT_NEAR(constraint.at("ratio"), 0.2369, 1e-3);
}

TEST(CampaignResult, RefusesDamagedAnswers) {
  json damaged = to_json(with_answers());
  damaged["best"]["test_answers"] = "8:f";
  EXPECT_THROW(campaign_result_from_json(damaged), Error);
}

}  // namespace
}  // namespace bittern
