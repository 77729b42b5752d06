#include "host/campaign/campaign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"

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

class CampaignFile : public ::testing::Test {
 protected:
  void SetUp() override { setenv("BITTERN_HOME", BITTERN_SOURCE_DIR, 1); }

  Campaign load(const std::string& text) {
    const fs::path path = folder_ / "campaign.yaml";
    write_file(path, text);
    return load_campaign(path.string());
  }
  /// Message of the error that `text` causes; a failure of the test when it causes none.
  std::string error_of(const std::string& text) {
    try {
      load(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      return error.what();
    }
    ADD_FAILURE() << "no error for:\n" << text;
    return "";
  }

  TemporaryFolder temporary_;
  const fs::path folder_ = temporary_ / "run";
};

TEST_F(CampaignFile, FillsInTheDocumentedDefaults) {
  const Campaign c = load(kGood);
  EXPECT_EQ(c.name, "sample");
  EXPECT_EQ(c.cost, "rtl");
  EXPECT_EQ(c.search.wall, "must_pay");
  EXPECT_EQ(c.search.hidden1, 400);
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
  for (const auto& name : names) EXPECT_EQ(load_campaign(name).name, name);
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
  const Campaign c = load_campaign(path, {"search.episodes=5", "constraints[0].ratio=0.25",
                                          "search.episodes=6", "seed=9", "name=other=name"});
  EXPECT_EQ(c.search.episodes, 6);
  EXPECT_EQ(c.constraints[0].limit, 0.25);
  EXPECT_EQ(c.seed, 9u);
  EXPECT_EQ(c.name, "other=name");
  EXPECT_EQ(campaign_key(load_campaign(path, {"search.episodes=6"})),
            campaign_key(load(std::string(kGood) + "search: {episodes: 6}\n")));
}

TEST_F(CampaignFile, SettingsAreAsStrictAsTheFile) {
  load(kGood);
  const std::string path = (folder_ / "campaign.yaml").string();
  const auto refused = [&path](const std::string& setting) {
    try {
      load_campaign(path, {setting});
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
