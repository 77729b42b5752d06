#include "agent/rl/ppo/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "host/base/error.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

ReleqOptions read(const std::string& text) {
  return read_releq(YamlMap(YamlNode::parse("{" + text + "}", "test.yaml"), releq_keys()));
}

TEST(ReleqOptions, OfThePaperAreThoseItPrints) {
  const ReleqOptions paper = read("preset: paper");
  EXPECT_EQ(paper.agent.adam.rate, 1e-4);
  EXPECT_EQ(paper.agent.lambda, 0.99);
  EXPECT_EQ(paper.agent.epochs, 3);
  EXPECT_EQ(paper.agent.clip, 0.1);
  EXPECT_TRUE(paper.agent.lstm);
  EXPECT_EQ(paper.agent.hidden, 128);
  EXPECT_EQ(paper.agent.policy, (std::vector<int>{128, 128}));
  EXPECT_EQ(paper.agent.value, (std::vector<int>{128, 64}));
  EXPECT_EQ(paper.reward.a, 0.2);
  EXPECT_EQ(paper.reward.b, 0.4);
  EXPECT_EQ(paper.reward.threshold, 0.4);
  EXPECT_EQ(paper.environment.actions, BitActions::kAbsolute);
  EXPECT_EQ(paper.environment.quantization, QuantizationState::kMaccMem);
  EXPECT_EQ(paper.evaluate, ScoreAt::kStep);
  EXPECT_EQ(paper.episodes_per_update, 1);
  EXPECT_EQ(paper.redraw, 0);
  EXPECT_FALSE(paper.environment.one_hot);
}

/// Every key reaches its option: each of them set to something else changes to_json().
TEST(ReleqOptions, AreReadFromACampaign) {
  const nlohmann::json before = to_json(read(""));
  EXPECT_EQ(before, to_json(ReleqOptions()));
  const std::vector<std::string> settings = {"preset: paper",
                                             "reward: lenet",
                                             "reward_a: 0.77",
                                             "reward_b: 0.77",
                                             "threshold: 0.77",
                                             "actions: relative",
                                             "passes: 3",
                                             "one_hot: false",
                                             "state_quantization: mean",
                                             "hw_cost: energy",
                                             "evaluate: step",
                                             "wall_actions: true",
                                             "episodes_per_update: 77",
                                             "redraw: 77",
                                             "uniform_first: true",
                                             "revisit: 0.77",
                                             "lstm: false",
                                             "hidden: 77",
                                             "policy_layers: [7]",
                                             "value_layers: []",
                                             "rate: 0.077",
                                             "adam_epsilon: 0.077",
                                             "gamma: 0.77",
                                             "gae: 0.77",
                                             "clip: 0.77",
                                             "epochs: 77",
                                             "entropy: 0.77",
                                             "value_weight: 0.77",
                                             "temperature: 0.77",
                                             "max_gradient: 0.77"};
  std::vector<std::string> seen = {"normalise_advantages"};
  for (const std::string& setting : settings) {
    EXPECT_NE(to_json(read(setting)), before) << setting;
    seen.push_back(setting.substr(0, setting.find(':')));
  }
  EXPECT_NE(to_json(read("normalise_advantages: true")),
            to_json(read("normalise_advantages: false")));
  EXPECT_THAT(seen, ::testing::UnorderedElementsAreArray(releq_keys()));
}

TEST(ReleqOptions, RewardTheAccuracyAloneBehindTheWall) {
  const ReleqOptions walled = read("wall_actions: true");
  EXPECT_EQ(walled.reward.shape, RewardShape::kSearch);
  EXPECT_TRUE(walled.uniform_first);
  EXPECT_EQ(walled.revisit, 1.0);
  const ReleqOptions told =
      read("wall_actions: true, reward: paper, uniform_first: false, revisit: 0.25");
  EXPECT_EQ(told.reward.shape, RewardShape::kShaped);
  EXPECT_FALSE(told.uniform_first);
  EXPECT_EQ(told.revisit, 0.25);
  const ReleqOptions paper = read("wall_actions: true, preset: paper");
  EXPECT_EQ(paper.reward.shape, RewardShape::kShaped);
  EXPECT_EQ(paper.revisit, 0.0);
}

TEST(ReleqOptions, OverrideThePreset) {
  const ReleqOptions options = read("preset: paper, clip: 0.3, reward: ratio, threshold: 0.9");
  EXPECT_EQ(options.agent.clip, 0.3);
  EXPECT_EQ(options.agent.epochs, 3);
  EXPECT_EQ(options.reward.shape, RewardShape::kRatio);
  EXPECT_EQ(options.reward.threshold, 0.9);
}

TEST(ReleqOptions, NameTheKeyThatIsWrong) {
  EXPECT_THAT(message_of([] { read("preset: papper"); }), HasSubstr("preset"));
  EXPECT_THAT(message_of([] { read("reward: cubic"); }), HasSubstr("reward"));
  EXPECT_THAT(message_of([] { read("clip: 1.5"); }), HasSubstr("clip"));
  EXPECT_THAT(message_of([] { read("epochs: 0"); }), HasSubstr("epochs"));
  EXPECT_THAT(message_of([] { read("policy_layers: [0]"); }), HasSubstr("policy_layers"));
  EXPECT_THAT(message_of([] { read("clipp: 0.1"); }), HasSubstr("did you mean 'clip'"));
  EXPECT_THAT(message_of([] { releq_preset("other"); }), HasSubstr("expected default or paper"));
}

TEST(ReleqOptions, AreChecked) {
  const auto message = [](const std::function<void(ReleqOptions&)>& change) {
    ReleqOptions options;
    change(options);
    return message_of([&] { validate(options); });
  };
  EXPECT_NO_THROW(validate(ReleqOptions{}));
  EXPECT_NO_THROW(validate(releq_preset("paper")));
  EXPECT_THAT(message([](ReleqOptions& o) { o.agent.clip = 0; }), HasSubstr("clip is 0"));
  EXPECT_THAT(message([](ReleqOptions& o) { o.reward.a = 0; }), HasSubstr("reward_a is 0"));
  EXPECT_THAT(message([](ReleqOptions& o) { o.environment.passes = 101; }),
              HasSubstr("passes is 101"));
  EXPECT_THAT(message([](ReleqOptions& o) { o.episodes_per_update = 0; }),
              HasSubstr("episodes_per_update is 0"));
  EXPECT_THAT(message([](ReleqOptions& o) { o.redraw = -1; }), HasSubstr("redraw is -1"));
  EXPECT_THAT(message([](ReleqOptions& o) { o.revisit = 1.5; }), HasSubstr("revisit is 1.5"));
  EXPECT_THAT(message([](ReleqOptions& o) {
                o.wall_actions = true;
                o.evaluate = ScoreAt::kStep;
              }),
              HasSubstr("use evaluate: end"));
}

}  // namespace
}  // namespace bittern
