#include "host/campaign/baselines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/base/error.h"
#include "host/campaign/costs.h"
#include "host/cost/cost_models.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// LeNet on the smallest variant of a core, priced by the closed form.
class BaselinesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("BITTERN_HOME", BITTERN_SOURCE_DIR, 1);
    network_ = load_network("lenet");
    options_.pin_first_last = false;
  }
  Baselines on(const std::string& variant) {
    Campaign campaign;
    campaign.variant = variant;
    campaign.cost = "model";
    CampaignHardware hardware = load_hardware(campaign, network_);
    const ModelCostModel costs(network_, *hardware.variant, *hardware.energy);
    return baseline_policies(BitSpace(options_, network_), hardware, costs, network_, files_,
                             floats_);
  }
  static std::vector<std::string> labels(const Baselines& baselines) {
    std::vector<std::string> out;
    for (const BaselineRow& row : baselines.rows) out.push_back(row.label);
    return out;
  }

  Network network_;
  BitOptions options_;
  std::vector<std::string> files_;
  bool floats_ = false;
};

TEST_F(BaselinesTest, AreAllWidthsThatTheCoreRunsAndAMixedRow) {
  const Baselines all = on("bismo_tiny");
  EXPECT_THAT(labels(all), ElementsAre("uniform 2", "uniform 3", "uniform 4", "uniform 5",
                                       "uniform 6", "uniform 7", "uniform 8", "w6/a4"));
  EXPECT_EQ(all.rows[1].policy, Policy(4, BitPair{3, 3}));
  EXPECT_EQ(all.rows.back().policy, Policy(4, BitPair{6, 4}));
  EXPECT_EQ(all.note, "");
}

TEST_F(BaselinesTest, PoliciesFromFilesStandBehindThemAsTheyAre) {
  options_.pin_first_last = true;
  files_ = {BITTERN_SOURCE_DIR "/configs/policies/lenet_admm.json"};
  const Baselines all = on("bismo_tiny");
  EXPECT_EQ(all.rows.back().label, "lenet_admm");
  EXPECT_TRUE(all.rows.back().given);
  EXPECT_FALSE(all.rows.front().given);
  EXPECT_EQ(all.rows.back().policy, (Policy{{5, 8}, {3, 8}, {2, 8}, {3, 8}}));
  files_ = {BITTERN_SOURCE_DIR "/configs/policies/alexnet_admm.json"};
  try {
    on("bismo_tiny");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("a policy for network 'alexnet'"));
  }
}

TEST_F(BaselinesTest, ArePinnedAsTheSearchIsAndSaySo) {
  options_.pin_first_last = true;
  const Baselines pinned = on("bismo_tiny");
  EXPECT_THAT(labels(pinned),
              ElementsAre("uniform 2, ends 8/8", "uniform 3, ends 8/8", "uniform 4, ends 8/8",
                          "uniform 5, ends 8/8", "uniform 6, ends 8/8", "uniform 7, ends 8/8",
                          "uniform 8", "w6/a4, ends 8/8"));
  EXPECT_EQ(pinned.rows[2].policy, (Policy{{8, 8}, {4, 4}, {4, 4}, {8, 8}}));
  EXPECT_EQ(pinned.rows.back().policy, (Policy{{8, 8}, {6, 4}, {6, 4}, {8, 8}}));
}

TEST_F(BaselinesTest, LeaveOutWhatTheCoreRoundsAndSaySo) {
  const Baselines rounded = on("bitfusion_tiny");
  EXPECT_THAT(labels(rounded), ElementsAre("uniform 2", "uniform 4", "uniform 8"));
  EXPECT_THAT(rounded.note, HasSubstr("no row for uniform 3, uniform 5, uniform 6, uniform 7, "
                                      "w6/a4: bitfusion_tiny runs wider bits"));
}

TEST_F(BaselinesTest, KeepTheKindThatIsNotSearchedAsTheSearchDoes) {
  options_.mode = BitMode::kWeights;
  EXPECT_THAT(labels(on("bitfusion_tiny")), ElementsAre("w2/a8", "w4/a8", "uniform 8"));
  options_.mode = BitMode::kActivations;
  options_.fixed = {4, 4};
  EXPECT_THAT(labels(on("bitfusion_tiny")), ElementsAre("w4/a2", "uniform 4", "w4/a8", "uniform 8"))
      << "8/8 has a row even where the search cannot choose it";
}

TEST_F(BaselinesTest, SayWhereTheKindThatIsNotSearchedStaysInFloatingPoint) {
  floats_ = true;
  options_.mode = BitMode::kWeights;
  EXPECT_THAT(labels(on("bitfusion_tiny")), ElementsAre("w2/float", "w4/float", "w8/float"));
  options_.mode = BitMode::kActivations;
  EXPECT_THAT(labels(on("bitfusion_tiny")), ElementsAre("float/a2", "float/a4", "float/a8"));
}

TEST_F(BaselinesTest, ArePricedTogetherWithTheSearchSpace) {
  options_.pin_first_last = true;
  options_.weight_bits = options_.activation_bits = {2, 4};
  const BitSpace space(options_, network_);
  std::set<std::pair<std::size_t, std::pair<int, int>>> points;
  for (const auto& [layer, bits] : cost_points(space, on("bitfusion_tiny"))) {
    points.insert({layer, {bits.weight, bits.activation}});
  }
  // Pinned ends at 8/8 only; between them 2 x 2 of the search, and 8/8.
  EXPECT_EQ(points.size(), 2u * 1 + 2u * 5);
}

}  // namespace
}  // namespace bittern
