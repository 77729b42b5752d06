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
