#include "agent/rl/ddpg/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "host/base/error.h"
#include "host/base/random.h"
#include "tests/host/search/fakes.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;

Environment make(const Network& network, BitMode mode = BitMode::kBoth, bool pin = false) {
  BitOptions options;
  options.mode = mode;
  options.pin_first_last = pin;
  return {network, BitSpace(options, network)};
}

TEST(Environment, TakesWeightsThenActivationsOfEachLayer) {
  const Environment environment = make(testing::lenet());
  ASSERT_EQ(environment.steps(), 8);
  for (int step = 0; step < 8; ++step) {
    EXPECT_EQ(environment.layer(step), static_cast<std::size_t>(step / 2));
    EXPECT_EQ(environment.decides_weights(step), step % 2 == 0);
  }
}

TEST(Environment, TakesOneDecisionALayerInTheOtherModes) {
  for (const BitMode mode : {BitMode::kWeights, BitMode::kActivations, BitMode::kTied}) {
    const Environment environment = make(testing::lenet(), mode);
    EXPECT_EQ(environment.steps(), 4);
    EXPECT_EQ(environment.decides_weights(2), mode != BitMode::kActivations);
  }
}

TEST(Environment, ScalesTheStateOverTheLayers) {
  const Environment environment = make(testing::lenet());
  // conv1: 1 channel in, 20 out, stride 1, kernel 5, 500 weights, 784 pixels, layer 0.
  EXPECT_THAT(environment.state(0, 0), ElementsAre(0.0f, 0.0f, FloatEq(10.0f / 490), 1.0f, 1.0f,
                                                   0.0f, 1.0f, 0.0f, 1.0f, 1.0f));
  // fc1, activations, after 6 weight bits: 800 in, 500 out, 400 000 weights, one pixel.
  EXPECT_THAT(environment.state(5, 6), ElementsAre(0.0f, 1.0f, 1.0f, 0.0f, 0.0f, 1.0f, 0.0f,
                                                   FloatEq(2.0f / 3), 0.75f, 0.0f));
}

TEST(Environment, LeavesConstantColumnsAtZero) {
  Network network = testing::lenet();
  network.layers = {testing::linear("a", 10, 10), testing::linear("b", 10, 10),
                    testing::linear("c", 10, 10)};
  const Environment environment = make(network);
  for (int step = 0; step < environment.steps(); ++step) {
    const State state = environment.state(step, 4);
    for (int column = 0; column < 7; ++column) EXPECT_EQ(state[column], 0.0f);
  }
}

TEST(Environment, KeepsEveryStateWithinZeroAndOne) {
  const Environment environment = make(testing::mobilenet_v2(), BitMode::kBoth, true);
  std::set<std::vector<float>> seen;
  for (int step = 0; step < environment.steps(); ++step) {
    for (int previous = 2; previous <= 8; ++previous) {
      const State state = environment.state(step, previous);
      for (const float value : state) {
        EXPECT_GE(value, 0.0f);
        EXPECT_LE(value, 1.0f);
      }
      seen.emplace(state.begin(), state.end());
    }
  }
  // Every (step, previous decision) is told apart, but for the first step, which has none.
  EXPECT_EQ(seen.size(), 105u * 7u + 1u);
}

TEST(Environment, StartsEveryEpisodeAlike) {
  const Environment environment = make(testing::lenet());
  EXPECT_EQ(environment.state(0, 2), environment.state(0, 8));
}

TEST(Environment, PolicyAndDecisionsAreInverse) {
  Rng rng(3);
  for (const BitMode mode :
       {BitMode::kBoth, BitMode::kWeights, BitMode::kActivations, BitMode::kTied}) {
    const Environment environment = make(testing::mobilenet_v2(), mode);
    std::vector<int> decisions;
    for (int step = 0; step < environment.steps(); ++step) {
      decisions.push_back(environment.bits(step, rng.uniform()));
    }
    const Policy policy = environment.policy(decisions);
    EXPECT_EQ(environment.decisions(policy), decisions);
    if (mode == BitMode::kWeights) {
      EXPECT_EQ(policy[3].activation, 8);
    }
    if (mode == BitMode::kTied) {
      EXPECT_EQ(policy[3].activation, policy[3].weight);
    }
  }
}

TEST(Environment, RefusesWhatDoesNotFitTheNetwork) {
  const Environment environment = make(testing::lenet());
  EXPECT_THROW(environment.policy({1, 2, 3}), Error);
  EXPECT_THROW(environment.decisions(Policy(5)), Error);
  const BitSpace space({}, testing::lenet());
  EXPECT_THROW(Environment(testing::mobilenet_v2(), space), Error);
}

}  // namespace
}  // namespace bittern
