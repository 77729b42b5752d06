#include "agent/rl/ppo/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "host/base/error.h"
#include "tests/host/base/message_of.h"
#include "tests/host/search/fakes.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using testing::FunctionCost;
using ::testing::HasSubstr;

/// LeNet with costs of 1, 2, 3, 4 cycles a weight bit and activation bit, and ten times that in
/// joules for the last layer only.
class ReleqEnvironmentTest : public ::testing::Test {
 protected:
  ReleqEnvironmentTest() {
    bits_.mode = BitMode::kWeights;
    bits_.weight_bits = {2, 3, 4, 5, 8};
    bits_.activation_bits = {2, 4, 8};
    bits_.pin_first_last = false;
  }

  const ReleqEnvironment& make() {
    space_ = std::make_unique<BitSpace>(bits_, network_);
    table_ = std::make_unique<CostTable>(cost_, *space_);
    environment_ =
        std::make_unique<ReleqEnvironment>(network_, *space_, *table_, deviations_, options_);
    return *environment_;
  }

  std::string error() {
    return message_of([&] { make(); });
  }

  static Policy weights(const std::vector<int>& bits) {
    Policy policy;
    for (const int width : bits) policy.push_back({width, 8});
    return policy;
  }

  Network network_ = testing::lenet();
  FunctionCost cost_{network_,
                     [](std::size_t layer, BitPair bits) {
                       return static_cast<double>((layer + 1) * bits.weight * bits.activation);
                     },
                     [](std::size_t layer, BitPair bits) {
                       return layer == 3 ? static_cast<double>(bits.weight) : 1.0;
                     }};
  BitOptions bits_;
  std::vector<double> deviations_ = {0.3, 0.2, 0.1, 0.2};
  ReleqEnvironmentOptions options_;
  std::unique_ptr<BitSpace> space_;
  std::unique_ptr<CostTable> table_;
  std::unique_ptr<ReleqEnvironment> environment_;
};

TEST_F(ReleqEnvironmentTest, StartsAtMostBitsAndSetsThemLayerByLayer) {
  const ReleqEnvironment& environment = make();
  ASSERT_EQ(environment.steps(), 4);
  EXPECT_THAT(environment.meanings(), ElementsAre(2, 3, 4, 5, 8));
  Policy policy = environment.start();
  EXPECT_EQ(policy, weights({8, 8, 8, 8}));
  policy = environment.act(policy, 0, 0);
  EXPECT_EQ(policy, weights({2, 8, 8, 8}));
  policy = environment.act(policy, 2, 1);
  EXPECT_EQ(policy, weights({2, 8, 3, 8}));
  EXPECT_EQ(environment.bits(policy, 2), 3);
  for (int step = 0; step < 4; ++step) {
    EXPECT_EQ(environment.layer(step), static_cast<std::size_t>(step));
    EXPECT_STREQ(environment.kind(step), "w");
    EXPECT_THAT(environment.allowed()[step], ElementsAre(true, true, true, true, true));
  }
}

TEST_F(ReleqEnvironmentTest, MovesOneWidthAtATimeWithRelativeActions) {
  options_.actions = BitActions::kRelative;
  const ReleqEnvironment& environment = make();
  EXPECT_THAT(environment.meanings(), ElementsAre(-1, 0, 1));
  // Four passes bring a layer from 8 to 2 bits, so that every policy can be reached.
  ASSERT_EQ(environment.steps(), 16);
  EXPECT_EQ(environment.layer(5), 1u);
  Policy policy = environment.start();
  EXPECT_EQ(environment.act(policy, 1, 2), policy) << "above the most";
  EXPECT_EQ(environment.act(policy, 1, 1), policy);
  for (const int width : {5, 4, 3, 2, 2}) {
    policy = environment.act(policy, 1, 0);
    EXPECT_EQ(policy, weights({8, width, 8, 8}));
  }
  EXPECT_EQ(environment.act(policy, 5, 2), weights({8, 3, 8, 8}));
  options_.passes = 2;
  EXPECT_EQ(make().steps(), 8);
}

TEST_F(ReleqEnvironmentTest, LeavesOutWhatIsNoDecision) {
  bits_.pin_first_last = true;
  EXPECT_EQ(make().steps(), 2);
  EXPECT_EQ(environment_->layer(0), 1u);
  EXPECT_EQ(environment_->act(environment_->start(), 0, 0), weights({8, 2, 8, 8}));
  bits_.pin_first_last = false;
  bits_.ties = {{"conv1", "fc1"}};
  EXPECT_EQ(make().steps(), 3);
  EXPECT_EQ(environment_->act(environment_->start(), 0, 0), weights({2, 8, 2, 8}));
  bits_.ties.clear();
  bits_.layers = {{"conv2", {4}, {}}};
  EXPECT_EQ(make().steps(), 3);
  EXPECT_EQ(environment_->start(), weights({8, 4, 8, 8}));
  bits_.layers = {{"*", {4}, {}}};
  EXPECT_THAT(error(), HasSubstr("every layer has one width only"));
}

TEST_F(ReleqEnvironmentTest, AllowsEveryLayerItsOwnWidths) {
  bits_.layers = {{"fc*", {4, 6}, {}}};
  const ReleqEnvironment& environment = make();
  EXPECT_THAT(environment.meanings(), ElementsAre(2, 3, 4, 5, 6, 8));
  EXPECT_THAT(environment.allowed()[0], ElementsAre(true, true, true, true, false, true));
  EXPECT_THAT(environment.allowed()[3], ElementsAre(false, false, true, false, true, false));
}

TEST_F(ReleqEnvironmentTest, DecidesAboutActivationsWhereTheyAreSearched) {
  bits_.mode = BitMode::kBoth;
  const ReleqEnvironment& both = make();
  ASSERT_EQ(both.steps(), 8);
  EXPECT_STREQ(both.kind(0), "w");
  EXPECT_STREQ(both.kind(1), "a");
  EXPECT_THAT(both.allowed()[1], ElementsAre(true, false, true, false, true));
  EXPECT_EQ(both.act(both.start(), 1, 0)[0], (BitPair{8, 2}));
  EXPECT_EQ(both.state(0, both.start(), 8, 1, 1)[9], 0.0f);
  EXPECT_EQ(both.state(1, both.start(), 8, 1, 1)[9], 1.0f);
  bits_.mode = BitMode::kActivations;
  EXPECT_EQ(make().steps(), 4);
  EXPECT_STREQ(environment_->kind(0), "a");
  bits_.mode = BitMode::kTied;
  EXPECT_EQ(make().steps(), 4);
  EXPECT_STREQ(environment_->kind(0), "w=a");
  EXPECT_EQ(environment_->act(environment_->start(), 3, 0)[3], (BitPair{2, 2}));
}

TEST_F(ReleqEnvironmentTest, ShowsTheAgentTheTableOfThePaper) {
  options_.one_hot = false;
  const ReleqEnvironment& environment = make();
  const Policy policy = weights({2, 8, 3, 8});
  const std::vector<float> state = environment.state(2, policy, 5, 0.6, 0.9);
  ASSERT_EQ(state.size(), 10u);
  EXPECT_EQ(environment.inputs(), 10);
  EXPECT_FLOAT_EQ(state[0], 2.0f / 3.0f);  // index
  EXPECT_FLOAT_EQ(state[1], 1.0f);         // 800 of 1..800 inputs
  EXPECT_FLOAT_EQ(state[2], 1.0f);         // 500 of 10..500 outputs
  EXPECT_FLOAT_EQ(state[3], 0.0f);         // kernel 1 of 1..5
  EXPECT_FLOAT_EQ(state[4], 0.0f);         // 0.1 of 0.1..0.3
  EXPECT_FLOAT_EQ(state[5], 3.0f / 8.0f);  // its bits
  EXPECT_FLOAT_EQ(state[6], 5.0f / 8.0f);  // bits of the decision before
  EXPECT_FLOAT_EQ(state[7], 0.6f);
  EXPECT_FLOAT_EQ(state[8], 0.9f);
  EXPECT_FLOAT_EQ(state[9], 0.0f);
  EXPECT_FLOAT_EQ(environment.state(0, policy, 5, 0.6, 0.9)[6], 1.0f);
  EXPECT_FLOAT_EQ(environment.state(0, policy, 5, 0.6, 0.9)[4], 1.0f);
  deviations_.clear();
  for (int step = 0; step < 4; ++step) EXPECT_EQ(make().state(step, policy, 5, 0.6, 0.9)[4], 0.0f);
}

/// A number for each decision of a pass; the next pass has the same.
TEST_F(ReleqEnvironmentTest, TellsTheDecisionsApart) {
  options_.actions = BitActions::kRelative;
  options_.passes = 2;
  bits_.layers = {{"conv2", {4}, {}}};
  const ReleqEnvironment& environment = make();
  ASSERT_EQ(environment.steps(), 6);
  ASSERT_EQ(environment.inputs(), 13);
  for (int step = 0; step < 6; ++step) {
    const std::vector<float> state = environment.state(step, environment.start(), 8, 1, 1);
    ASSERT_EQ(state.size(), 13u);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(state[10 + i] > 0.0f, i == step % 3);
  }
}

TEST_F(ReleqEnvironmentTest, CountsMeanBits) {
  options_.quantization = QuantizationState::kMean;
  EXPECT_DOUBLE_EQ(make().quantization(weights({2, 2, 3, 2})), 0.28125);
  EXPECT_DOUBLE_EQ(environment_->quantization(weights({8, 8, 8, 8})), 1.0);
  bits_.mode = BitMode::kBoth;
  EXPECT_DOUBLE_EQ(make().quantization({{2, 2}, {2, 4}, {8, 8}, {8, 8}}), 42.0 / 64.0);
  bits_.mode = BitMode::kActivations;
  EXPECT_DOUBLE_EQ(make().quantization({{8, 2}, {8, 2}, {8, 2}, {8, 2}}), 0.25);
  // The share of what is possible: pinned layers are never above 1.
  bits_.mode = BitMode::kWeights;
  bits_.weight_bits = {2, 4};
  bits_.pin_first_last = true;
  EXPECT_DOUBLE_EQ(make().quantization(environment_->start()), 1.0);
  EXPECT_DOUBLE_EQ(environment_->quantization(weights({8, 2, 2, 8})), 20.0 / 24.0);
}

/// The formula of the paper with the numbers of LeNet: weights 500, 25000, 400000, 5000; MACs
/// 288000, 1600000, 400000, 5000.
TEST_F(ReleqEnvironmentTest, CountsMacsAndMemory) {
  options_.quantization = QuantizationState::kMaccMem;
  const double layer[] = {120.0 * 500 + 288000, 120.0 * 25000 + 1600000, 120.0 * 400000 + 400000,
                          120.0 * 5000 + 5000};
  const double all = layer[0] + layer[1] + layer[2] + layer[3];
  EXPECT_NEAR(make().quantization(weights({2, 3, 4, 5})),
              (2 * layer[0] + 3 * layer[1] + 4 * layer[2] + 5 * layer[3]) / (8 * all), 1e-12);
  // It is nine tenths of the first fully connected layer.
  EXPECT_LT(environment_->quantization(weights({8, 8, 2, 8})), 0.35);
  bits_.mode = BitMode::kBoth;
  EXPECT_THAT(error(), HasSubstr("maccmem counts the bits of weights"));
  bits_.mode = BitMode::kActivations;
  EXPECT_THAT(error(), HasSubstr("use hw or mean"));
}

TEST_F(ReleqEnvironmentTest, CountsWhatTheHardwareCosts) {
  EXPECT_DOUBLE_EQ(make().quantization(weights({2, 3, 4, 5})),
                   (2.0 + 2 * 3 + 3 * 4 + 4 * 5) / (10 * 8));
  options_.energy = true;
  EXPECT_DOUBLE_EQ(make().quantization(weights({2, 3, 4, 5})), (3.0 + 5) / (3.0 + 8));
  FunctionCost free{network_, [](std::size_t, BitPair) { return 1.0; }};
  space_ = std::make_unique<BitSpace>(bits_, network_);
  table_ = std::make_unique<CostTable>(free, *space_);
  try {
    const ReleqEnvironment environment(network_, *space_, *table_, {}, options_);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("hw with energy: the 8/8 policy costs nothing there"));
  }
}

TEST_F(ReleqEnvironmentTest, TakesOneBit) {
  bits_.weight_bits = {1, 2, 8};
  const ReleqEnvironment& environment = make();
  EXPECT_THAT(environment.meanings(), ElementsAre(1, 2, 8));
  EXPECT_EQ(environment.act(environment.start(), 0, 0), weights({1, 8, 8, 8}));
}

TEST_F(ReleqEnvironmentTest, SaysWhatDoesNotFit) {
  deviations_ = {0.1, 0.2};
  EXPECT_THAT(error(), HasSubstr("deviations of the weights of 2 layers; the network has 4"));
  deviations_.clear();
  options_.passes = -1;
  EXPECT_THAT(error(), HasSubstr("passes is -1"));
}

}  // namespace
}  // namespace bittern
