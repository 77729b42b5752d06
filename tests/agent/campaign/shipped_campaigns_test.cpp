#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "agent/campaign/fake_quant_source.h"
#include "agent/rl/methods.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/stop.h"
#include "host/base/temporary_folder.h"
#include "host/campaign/runner.h"
#include "host/network/model_size.h"
#include "host/search/bit_space.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// The shipped campaigns of HAQ's four sections, from their files to the result, made small:
/// synthetic images and the closed form in place of MNIST and the RTL.
class ShippedHaqCampaign : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("BITTERN_HOME", BITTERN_SOURCE_DIR, 1);
    request_stop(false);
  }

  Campaign load(const std::string& name, std::vector<std::string> more = {}) const {
    std::vector<std::string> settings = {"cost=model",
                                         "data.dataset=synthetic",
                                         "data.train_images=400",
                                         "data.test_images=100",
                                         "data.validation_images=100",
                                         "model.epochs=2",
                                         "final.epochs=1",
                                         "final.candidates=2",
                                         "evaluator.finetune_images=0",
                                         "search.episodes=16",
                                         "search.warmup=6",
                                         "search.hidden=[16, 16]"};
    settings.insert(settings.end(), more.begin(), more.end());
    const CampaignKinds kinds = {all_methods(), all_evaluators()};
    return load_campaign(name, settings, &kinds);
  }
  std::string error_of(const std::string& name, const std::vector<std::string>& more) const {
    return message_of([&] { load(name, more); });
  }
  CampaignResult run(const Campaign& campaign, const std::string& name) const {
    RunOptions options;
    options.out = temporary_ / name;
    return run_campaign(campaign, options);
  }
  std::vector<json> episodes(const std::string& name) const {
    std::vector<json> lines;
    std::istringstream in(read_file(temporary_ / name / "episodes.jsonl"));
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
    return lines;
  }

  TemporaryFolder temporary_;
};

TEST_F(ShippedHaqCampaign, KeepsWithinALatency) {
  const CampaignResult result = run(load("lenet_mnist_haq_bismo_edge"), "latency");
  ASSERT_EQ(result.constraints.size(), 1u);
  EXPECT_TRUE(result.constraints[0].met());
  for (const json& line : episodes("latency")) EXPECT_LE(line["ratio"]["latency"], 0.5);
}

TEST_F(ShippedHaqCampaign, KeepsWithinAnEnergy) {
  const CampaignResult result = run(load("lenet_mnist_haq_energy"), "energy");
  ASSERT_EQ(result.constraints.size(), 1u);
  EXPECT_TRUE(result.constraints[0].met());
  for (const json& line : episodes("energy")) EXPECT_LE(line["ratio"]["energy"], 0.5);
}

TEST_F(ShippedHaqCampaign, KeepsWithinAModelSizeThatCountsCodebooks) {
  const Campaign campaign = load("lenet_mnist_haq_model_size");
  const CampaignResult result = run(campaign, "size");
  EXPECT_TRUE(result.constraints.at(0).met());
  const Network network = load_network("lenet");
  EXPECT_DOUBLE_EQ(result.best.size_bytes, codebook_model_bytes(network, result.best.policy()));
  const double reference = codebook_model_bytes(network, uniform_policy(network, {8, 8}));
  for (const json& line : episodes("size")) {
    EXPECT_LE(line["cost"]["weight_bytes"].get<double>(), 0.3 * reference);
  }
  EXPECT_THAT(read_file(temporary_ / "size" / "summary.txt"), HasSubstr("codebooks"));
}

TEST_F(ShippedHaqCampaign, SavesCostAtAGuaranteedAccuracy) {
  const Campaign campaign =
      load("lenet_mnist_haq_accuracy_guaranteed",
           {"search.accuracy_floor=30", "data.train_images=1500", "model.epochs=5"});
  const CampaignResult result = run(campaign, "guaranteed");
  double cheapest = 1e9;
  bool rewritten = false;
  for (const json& line : episodes("guaranteed")) {
    rewritten = rewritten || line["asked"] != line["policy"];
    const double cost =
        line["ratio"]["latency"].get<double>() + line["ratio"]["energy"].get<double>();
    const double missing = std::max(0.0, 30.0 - line["accuracy"].get<double>());
    EXPECT_NEAR(line["reward"], 2.0 - cost - 0.2 * missing, 1e-9);
    if (missing == 0.0) cheapest = std::min(cheapest, line["cost"]["latency_s"].get<double>());
  }
  EXPECT_FALSE(rewritten) << "the wall has no say here";
  ASSERT_LT(cheapest, 1e9) << "no policy has the accuracy: the test shows nothing";
  EXPECT_GE(result.best.validation_accuracy, 30.0);
}

TEST_F(ShippedHaqCampaign, RefusesCodebooksWhereACoreWouldHaveToComputeWithThem) {
  EXPECT_THAT(error_of("lenet_mnist_haq_bismo_edge", {"evaluator.weights=kmeans"}),
              HasSubstr("a limit on latency does not go with weights in codebooks"));
  EXPECT_THAT(error_of("lenet_mnist_haq_energy", {"evaluator.weights=kmeans"}),
              HasSubstr("a limit on energy"));
  EXPECT_THAT(error_of("lenet_mnist_haq_bismo_edge",
                       {"evaluator.weights=kmeans", "constraints[0].resource=model_size"}),
              HasSubstr("mode: w"));
  EXPECT_THAT(error_of("lenet_mnist_haq_model_size", {"evaluator.weight_range=mse"}),
              HasSubstr("not used with weights: kmeans"));
}

TEST_F(ShippedHaqCampaign, TakesWrpnAndPactWithTheirOwnLimits) {
  Campaign campaign =
      load("lenet_mnist_haq_bismo_edge", {"evaluator.weights=wrpn", "evaluator.activations=pact",
                                          "evaluator.finetune_images=64", "search.episodes=3"});
  EXPECT_THAT(campaign_key(campaign), HasSubstr("\"weights\":\"wrpn\",\"activations\":\"pact\""));
  EXPECT_EQ(run(campaign, "wrpn").episodes, 3);
  campaign.search.min_bits = 1;
  try {
    run(campaign, "binary");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("wrpn has no quantiser of one bit"));
  }
  const Campaign floating = load("lenet_mnist_haq_model_size", {"evaluator.activations=pact"});
  try {
    run(floating, "float");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("pact"));
  }
}

TEST_F(ShippedHaqCampaign, KeysOfTodaysQuantisersAreWhatTheyWere) {
  const std::string key = campaign_key(load("lenet_mnist_haq_bismo_edge"));
  EXPECT_EQ(key.find("\"weights\""), std::string::npos);
  EXPECT_EQ(key.find("\"activations\""), std::string::npos);
  EXPECT_EQ(campaign_key(load("lenet_mnist_haq_bismo_edge",
                              {"evaluator.weights=linear", "evaluator.activations=linear"})),
            key);
}

}  // namespace
}  // namespace bittern
