#include "host/campaign/campaign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "host/campaign/accuracy_source.h"
#include "host/search/methods.h"
#include "host/search/random_search.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kGood = R"(name: sample
network: lenet
variant: bismo_edge
data:
  dataset: synthetic
constraints:
  - {resource: latency, ratio: 0.5}
)";

/// What the host has, and stand-ins for what needs LibTorch.
const CampaignKinds& kinds() {
  static const CampaignKinds list = [] {
    CampaignKinds all = {host_methods(), host_evaluators()};
    MethodKind haq = random_method();
    haq.name = "haq";
    haq.keys = {"warmup"};
    haq.configure = [](const YamlMap& map) {
      ConfiguredMethod method;
      method.name = "haq";
      method.key["warmup"] = map.integer("warmup", 0, 1000, 20);
      return method;
    };
    all.methods.push_back(haq);
    EvaluatorKind images;
    images.name = "fake-quant";
    images.keys = {"batch"};
    images.configure = [](const YamlMap& map) {
      ConfiguredEvaluator evaluator;
      evaluator.key["batch"] = map.integer("batch", 1, 1000, 128);
      return evaluator;
    };
    all.evaluators.push_back(images);
    return all;
  }();
  return list;
}

class CampaignFile : public ::testing::Test {
 protected:
  void SetUp() override { setenv("BITTERN_HOME", BITTERN_SOURCE_DIR, 1); }

  Campaign load(const std::string& text) {
    const fs::path path = folder_ / "campaign.yaml";
    write_file(path, text);
    return load_campaign(path.string(), {}, &kinds());
  }
  /// Message of the error that `text` causes; a failure of the test when it causes none.
  std::string error_of(const std::string& text) {
    return message_of(ExitStatus::kUsage, [&] { load(text); });
  }

  TemporaryFolder temporary_;
  const fs::path folder_ = temporary_ / "run";
};

TEST_F(CampaignFile, FillsInTheDocumentedDefaults) {
  const Campaign c = load(kGood);
  EXPECT_EQ(c.name, "sample");
  EXPECT_EQ(c.cost, "rtl");
  EXPECT_EQ(c.search.wall, "must_pay");
  EXPECT_EQ(c.method.name, "haq");
  EXPECT_EQ(c.method.key.at("warmup"), 20);
  ASSERT_EQ(c.constraints.size(), 1u);
  EXPECT_TRUE(c.constraints[0].is_ratio);
}

TEST_F(CampaignFile, NamesTheLineAndTheNearestKeyOfAnUnknownOne) {
  EXPECT_THAT(error_of(std::string(kGood) + "serach:\n  episodes: 3\n"),
              AllOf(HasSubstr("campaign.yaml:8"), HasSubstr("serach"), HasSubstr("search")));
  EXPECT_THAT(error_of(std::string(kGood) + "search:\n  episode: 3\n"),
              AllOf(HasSubstr("campaign.yaml:9"), HasSubstr("episodes")));
}

TEST_F(CampaignFile, RefusesContradictions) {
  EXPECT_THAT(error_of(std::string(kGood) + "search: {min_bits: 6, max_bits: 4}\n"),
              HasSubstr("min_bits"));
  EXPECT_THAT(error_of(std::string(kGood) + "cost: table\n"), HasSubstr("table"));
  EXPECT_THAT(error_of(std::string(kGood) + "table: x.csv\n"), HasSubstr("table"));
}

TEST_F(CampaignFile, RefusesConstraintsWithoutOrWithTheWrongLimit) {
  const std::string head =
      "name: s\nnetwork: lenet\nvariant: bismo_edge\ndata: {dataset: synthetic}\nconstraints:\n";
  EXPECT_THAT(error_of(head + "  - {resource: latency}\n"), HasSubstr("seconds"));
  EXPECT_THAT(error_of(head + "  - {resource: latency, joules: 1}\n"), HasSubstr("joules"));
  EXPECT_THAT(error_of(head + "  - {resource: latency, ratio: 0.5, seconds: 1}\n"),
              HasSubstr("one limit"));
  EXPECT_THAT(
      error_of(head + "  - {resource: latency, ratio: 0.5}\n  - {resource: latency, ratio: 0.4}\n"),
      HasSubstr("second constraint"));
  EXPECT_THAT(error_of(head + "  - {resource: latency, ratio: 1.5}\n"), HasSubstr("ratio"));
}

TEST_F(CampaignFile, RefusesToTestOnPartOfMnist) {
  EXPECT_THAT(
      error_of(
          "name: s\nnetwork: lenet\nvariant: v\nconstraints: [{resource: energy, ratio: 0.5}]\n"
          "data: {dataset: mnist, test_images: 10}\n"),
      AllOf(HasSubstr("campaign.yaml:5"), HasSubstr("test_images")));
}

TEST_F(CampaignFile, KeyChangesWithEverySettingThatChangesResults) {
  const std::string base = campaign_key(load(kGood));
  EXPECT_NE(base, campaign_key(load(std::string(kGood) + "seed: 1\n")));
  EXPECT_NE(base, campaign_key(load(std::string(kGood) + "final: {epochs: 9}\n")));
  EXPECT_NE(base, campaign_key(load(std::string(kGood) + "search: {episodes: 9}\n")));
  EXPECT_EQ(base, campaign_key(load(std::string(kGood) + "description: other words\n")));
}

TEST_F(CampaignFile, ShippedCampaignsAreValid) {
  const auto names = campaign_names();
  EXPECT_THAT(names, ::testing::IsSupersetOf({"quickstart", "lenet_mnist_haq_bismo_edge"}));
  for (const auto& name : names) EXPECT_EQ(load_cells(name).front().name, name);
}

TEST_F(CampaignFile, IsTheProductOfWhatItLists) {
  const fs::path path = folder_ / "campaign.yaml";
  write_file(path, R"(version: 1
name: sample
network: lenet
variant: [bismo_edge, stripes_edge]
seed: [3, 4]
data: {dataset: synthetic}
constraints:
  - {resource: latency, ratio: [0.25, 0.5]}
  - {resource: energy, ratio: 0.9}
search:
  method: [haq, exhaustive]
  episodes: 30
  haq: {warmup: 7}
  exhaustive: {episodes: 5000, max_policies: 400}
)");
  const std::vector<Campaign> cells = load_cells(path.string(), {}, &kinds());
  ASSERT_EQ(cells.size(), 16u);
  EXPECT_EQ(cells[0].cell, "bismo_edge_haq_latency-0.25_seed-3");
  EXPECT_EQ(cells[1].cell, "bismo_edge_haq_latency-0.25_seed-4");
  EXPECT_EQ(cells[2].cell, "bismo_edge_haq_latency-0.5_seed-3");
  EXPECT_EQ(cells[4].cell, "bismo_edge_exhaustive_latency-0.25_seed-3");
  EXPECT_EQ(cells[15].cell, "stripes_edge_exhaustive_latency-0.5_seed-4");
  EXPECT_EQ(cells[0].method.key.at("warmup"), 7);
  EXPECT_EQ(cells[0].search.episodes, 30);
  EXPECT_EQ(cells[4].search.episodes, 5000);
  EXPECT_EQ(cells[15].constraints[0].limit, 0.5);
  EXPECT_EQ(cells[15].constraints[1].limit, 0.9);
  try {
    load_campaign(path.string(), {}, &kinds());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("16 cells"));
  }
  EXPECT_EQ(load_cells(path.string(), {"seed=9", "search.method=haq"}, &kinds()).size(), 4u);
}

TEST_F(CampaignFile, RefusesListsThatNameSomethingTwiceAndMethodsThatAreNotThere) {
  const std::string search = std::string(kGood) + "search: ";
  EXPECT_THAT(error_of(search + "{method: [haq, haq]}\n"), HasSubstr("listed twice"));
  EXPECT_THAT(error_of(std::string(kGood) + "seed: [1, 1]\n"), HasSubstr("names something twice"));
  EXPECT_THAT(error_of(search + "{method: hag}\n"), HasSubstr("haq"));
  EXPECT_THAT(error_of(search + "{method: random, warmup: 3}\n"), HasSubstr("warmup"));
  EXPECT_THAT(error_of(search + "{haq: {warmup: 3}, warmup: 4}\n"), HasSubstr("once"));
  EXPECT_THAT(error_of("version: 2\n" + std::string(kGood)), HasSubstr("version 1"));
}

TEST_F(CampaignFile, ReadsBitsOfLayersTiesAndTheFloor) {
  const Campaign c = load(std::string(kGood) + R"(search:
  accuracy_floor: 97.5
  bits:
    - {layers: "conv*", weights: [2, 4], activations: 8}
  tie:
    - [conv1, conv2]
)");
  ASSERT_EQ(c.search.bits.size(), 1u);
  EXPECT_EQ(c.search.bits[0].weight_bits, (std::vector<int>{2, 4}));
  EXPECT_EQ(c.search.bits[0].activation_bits, (std::vector<int>{8}));
  EXPECT_EQ(c.search.ties, (std::vector<std::vector<std::string>>{{"conv1", "conv2"}}));
  EXPECT_EQ(c.search.accuracy_floor, 97.5);
  EXPECT_NE(campaign_key(c), campaign_key(load(kGood)));
  EXPECT_THAT(error_of(std::string(kGood) + "search: {bits: [{layers: a}]}\n"), HasSubstr("pins"));
}

TEST_F(CampaignFile, KeepsImagesForTheChoiceFromTheValidationImages) {
  const std::string head =
      "name: s\nnetwork: lenet\nvariant: v\nconstraints: [{resource: energy, ratio: 0.5}]\ndata: ";
  const Campaign c =
      load(head + "{dataset: synthetic, validation_images: 100, choice_images: 40}\n");
  EXPECT_EQ(c.data.choice_images, 40);
  EXPECT_NE(campaign_key(c),
            campaign_key(load(head + "{dataset: synthetic, validation_images: 100}\n")));
  EXPECT_THAT(error_of(head + "{dataset: synthetic, validation_images: 40, choice_images: 40}\n"),
              HasSubstr("choice_images"));
}

TEST_F(CampaignFile, OneBitIsAllowed) {
  EXPECT_EQ(load(std::string(kGood) + "search: {min_bits: 1}\n").search.min_bits, 1);
  const Campaign c = load(std::string(kGood) + "search: {bits: [{layers: x, weights: [1, 2]}]}\n");
  EXPECT_EQ(c.search.bits.at(0).weight_bits, (std::vector<int>{1, 2}));
}

TEST_F(CampaignFile, ATableOfAccuraciesNeedsNoData) {
  write_file(folder_ / "acc.csv", "b0,accuracy\n8,90\n");
  const std::string head =
      "name: s\nnetwork: lenet\nvariant: bismo_edge\ncost: model\n"
      "constraints: [{resource: energy, ratio: 0.5}]\n"
      "evaluator: {kind: table, table: acc.csv, full_precision: 99.2}\n";
  const Campaign c = load(head);
  EXPECT_EQ(c.evaluator.name, "table");
  EXPECT_EQ(c.evaluator.key.at("table"), "acc.csv");
  EXPECT_FALSE(c.evaluator.key.at("missing_is_bad").get<bool>());
  EXPECT_THAT(error_of(head + "data: {dataset: synthetic}\n"), HasSubstr("no images"));
  EXPECT_THAT(campaign_key(c), ::testing::Not(HasSubstr("dataset")));
}

TEST_F(CampaignFile, AnEvaluatorReadsItsOwnKeys) {
  EXPECT_EQ(load(kGood).evaluator.key.at("batch"), 128);
  EXPECT_EQ(load(std::string(kGood) + "evaluator: {batch: 7}\n").evaluator.key.at("batch"), 7);
  EXPECT_THAT(error_of(std::string(kGood) + "evaluator: {table: x.csv}\n"), HasSubstr("table"));
  EXPECT_THAT(error_of(std::string(kGood) + "evaluator: {kind: fake-qant}\n"),
              AllOf(HasSubstr("campaign.yaml:"), HasSubstr("kind fake-qant is not part"),
                    HasSubstr("fake-quant")));
}

TEST_F(CampaignFile, TiesAreWrittenOrReadOffTheGraph) {
  const Campaign c =
      load(std::string(kGood) +
           "search: {tie: [[conv1, conv2], {inputs_of: add}, {inputs_of: concat}]}\n");
  EXPECT_EQ(c.search.ties.size(), 1u);
  EXPECT_EQ(c.search.tied_inputs_of, (std::vector<std::string>{"add", "concat"}));
  EXPECT_THAT(campaign_key(c), HasSubstr("tie_inputs_of"));
  EXPECT_THAT(error_of(std::string(kGood) + "search: {tie: [{inputs_of: pool}]}\n"),
              HasSubstr("inputs_of"));
}

TEST_F(CampaignFile, NamesPoliciesToCompareWith) {
  write_file(folder_ / "mine.json", "{}");
  const Campaign c = load(std::string(kGood) + "policies: [lenet_admm, mine.json]\n");
  ASSERT_EQ(c.policies.size(), 2u);
  EXPECT_EQ(c.policies[0], home_folder() / "configs" / "policies" / "lenet_admm.json");
  EXPECT_EQ(c.policies[1], folder_ / "mine.json");
  EXPECT_THAT(campaign_key(c), ::testing::Not(HasSubstr(folder_.string())));
  EXPECT_THAT(error_of(std::string(kGood) + "policies: [lenet_adm]\n"),
              AllOf(HasSubstr("campaign.yaml:8"), HasSubstr("did you mean 'lenet_admm'?")));
  EXPECT_THAT(error_of(std::string(kGood) + "policies: [other.json]\n"), HasSubstr("no such file"));
}

TEST_F(CampaignFile, ABudgetMayBeOfEvaluations) {
  const Campaign c = load(std::string(kGood) + "search: {evaluations: 30}\n");
  EXPECT_EQ(c.search.evaluations, 30);
  EXPECT_EQ(c.search.episodes, 300);
  EXPECT_EQ(load(std::string(kGood) + "search: {evaluations: 30, episodes: 40}\n").search.episodes,
            40);
  EXPECT_EQ(load(std::string(kGood) + "search: {method: random, random: {evaluations: 9}}\n")
                .search.evaluations,
            9);
  EXPECT_THAT(error_of("name: s\nnetwork: lenet\nvariant: bismo_edge\n"
                       "data: {dataset: synthetic}\n"),
              HasSubstr("missing key 'constraints'"));
}

TEST_F(CampaignFile, AnOperandThatIsLeftAloneMayStayInFloatingPoint) {
  EXPECT_EQ(load(std::string(kGood) + "search: {mode: w}\n").search.fixed, 8);
  EXPECT_EQ(load(std::string(kGood) + "search: {mode: w, fixed: 4}\n").search.fixed, 4);
  const Campaign c = load(std::string(kGood) + "search: {mode: w, fixed: float}\n");
  EXPECT_EQ(c.search.fixed, std::nullopt);
  EXPECT_THAT(campaign_key(c), HasSubstr("\"fixed\":\"float\""));
  EXPECT_THAT(error_of(std::string(kGood) + "search: {fixed: float}\n"),
              AllOf(HasSubstr("campaign.yaml:"), HasSubstr("mode w+a searches both operands")));
  EXPECT_THAT(error_of(std::string(kGood) + "search: {mode: a, fixed: half}\n"),
              HasSubstr("fixed"));
}

TEST_F(CampaignFile, ReadsTheGoalAndTheScaleOfTheReward) {
  const Campaign plain = load(kGood);
  EXPECT_EQ(plain.search.goal, "accuracy");
  EXPECT_EQ(plain.search.lambda, 0.1);
  EXPECT_EQ(campaign_key(load(std::string(kGood) + "search: {lambda: 0.1}\n")),
            campaign_key(plain));
  const Campaign scaled = load(std::string(kGood) + "search: {lambda: 2}\n");
  EXPECT_EQ(scaled.search.lambda, 2.0);
  EXPECT_NE(campaign_key(scaled), campaign_key(plain));
  const Campaign saving =
      load(std::string(kGood) + "search: {goal: cost, accuracy_floor: 98, accuracy_weight: 5}\n");
  EXPECT_EQ(saving.search.goal, "cost");
  EXPECT_EQ(saving.search.accuracy_weight, 5.0);
  EXPECT_THAT(campaign_key(saving), HasSubstr("\"goal\":\"cost\""));
  EXPECT_THAT(error_of(std::string(kGood) + "search: {goal: cost}\n"), HasSubstr("accuracy_floor"));
  EXPECT_THAT(error_of(std::string(kGood) + "search: {accuracy_weight: 5}\n"),
              HasSubstr("goal: cost only"));
  EXPECT_THAT(error_of(std::string(kGood) + "search: {goal: cost, accuracy_floor: 9, lambda: 1}\n"),
              HasSubstr("accuracy_weight"));
  EXPECT_THAT(error_of(std::string(kGood) + "search: {lambda: 0}\n"), HasSubstr("lambda"));
}

TEST_F(CampaignFile, RefusesNamesThatAreNoFolders) {
  for (const char* name : {"../../escape", "\".\"", "\"..\"", "a/b", "\"-x\"", "\"\""}) {
    EXPECT_THAT(error_of("name: " + std::string(name) + std::string(kGood).substr(12)),
                AllOf(HasSubstr("campaign.yaml:1"), HasSubstr("name")))
        << name;
  }
}

TEST_F(CampaignFile, TakesRelativePathsFromItsOwnFolder) {
  for (const char* name : {"net.yaml", "machine.yaml", "costs.csv", "weights.safetensors"}) {
    write_file(folder_ / name, "x");
  }
  const Campaign c = load(R"(name: s
network: net.yaml
variant: machine.yaml
cost: table
table: costs.csv
data: {dataset: synthetic}
model: {checkpoint: weights.safetensors}
constraints: [{resource: latency, ratio: 0.5}]
)");
  EXPECT_EQ(c.network, (folder_ / "net.yaml").string());
  EXPECT_EQ(c.variant, (folder_ / "machine.yaml").string());
  EXPECT_EQ(c.table, (folder_ / "costs.csv").string());
  EXPECT_EQ(c.model.checkpoint, (folder_ / "weights.safetensors").string());
  // Where the command was started is no setting.
  EXPECT_THAT(campaign_key(c), testing::Not(HasSubstr(folder_.string())));
  EXPECT_THAT(campaign_key(c), HasSubstr("\"costs.csv\""));
}

TEST_F(CampaignFile, NamesFileAndLineOfAFileThatIsNotThere) {
  const std::string tail =
      "data: {dataset: synthetic}\nconstraints: [{resource: latency, ratio: 0.5}]\n";
  EXPECT_THAT(error_of("name: s\nnetwork: none.yaml\nvariant: bismo_tiny\n" + tail),
              AllOf(HasSubstr("campaign.yaml:2"), HasSubstr("no such file")));
  EXPECT_THAT(error_of("name: s\nnetwork: lenet\nvariant: bismo_tiny\ncost: table\n"
                       "table: none.csv\n" +
                       tail),
              AllOf(HasSubstr("campaign.yaml:5"), HasSubstr("no such file")));
  EXPECT_THAT(
      error_of("name: s\nnetwork: lenet\nvariant: bismo_tiny\nmodel: {checkpoint: .}\n" + tail),
      AllOf(HasSubstr("campaign.yaml:4"), HasSubstr("not a file")));
}

TEST_F(CampaignFile, SettingsOverrideKeysInOrderAndCount) {
  load(kGood);
  const std::string path = (folder_ / "campaign.yaml").string();
  const Campaign c = load_campaign(path,
                                   {"search.episodes=5", "constraints[0].ratio=0.25",
                                    "search.episodes=6", "seed=9", "name=other=name"},
                                   &kinds());
  EXPECT_EQ(c.search.episodes, 6);
  EXPECT_EQ(c.constraints[0].limit, 0.25);
  EXPECT_EQ(c.seed, 9u);
  EXPECT_EQ(c.name, "other=name");
  EXPECT_EQ(campaign_key(load_campaign(path, {"search.episodes=6"}, &kinds())),
            campaign_key(load(std::string(kGood) + "search: {episodes: 6}\n")));
}

TEST_F(CampaignFile, SettingsAreAsStrictAsTheFile) {
  load(kGood);
  const std::string path = (folder_ / "campaign.yaml").string();
  const auto refused = [&path](const std::string& setting) {
    try {
      load_campaign(path, {setting}, &kinds());
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      return std::string(error.what());
    }
    ADD_FAILURE() << "accepted: " << setting;
    return std::string();
  };
  EXPECT_THAT(refused("search.episdes=5"),
              AllOf(HasSubstr("--set search.episdes"), HasSubstr("'episodes'")));
  EXPECT_THAT(refused("search.episodes=0"), HasSubstr("--set search.episodes: 0 is out of range"));
  EXPECT_THAT(refused("search.episodes"), HasSubstr("KEY=VALUE"));
  EXPECT_THAT(refused("name=.."), HasSubstr("--set name"));
  EXPECT_THAT(refused("constraints[0].ratio=2"), HasSubstr("--set constraints[0].ratio"));
  EXPECT_THAT(refused("cost=table"), HasSubstr("table"));
  EXPECT_THAT(refused("table=x.csv"), HasSubstr("table"));
  // What the command line says counts from the current folder.
  write_file(folder_ / "net.yaml", "x");
  EXPECT_THAT(refused("network=net.yaml"), HasSubstr("--set network: net.yaml: no such file"));
}

TEST_F(CampaignFile, SuggestsTheNearestShippedCampaign) {
  try {
    load_campaign("quickstrat");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("quickstart"));
  }
}

}  // namespace
}  // namespace bittern
