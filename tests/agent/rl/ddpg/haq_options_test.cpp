#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "agent/rl/ddpg/haq.h"
#include "host/base/error.h"
#include "host/base/yaml.h"

namespace bittern {
namespace {

using nlohmann::json;

json fingerprint_of(const std::string& keys) {
  const MethodKind kind = haq_method();
  return kind.configure(YamlMap(YamlNode::parse("{" + keys + "}", "test"), kind.keys)).fingerprint;
}

TEST(HaqKeys, GiveTheShippedSettingThePublishedOneAndAnyMixture) {
  EXPECT_EQ(fingerprint_of(""), to_json(HaqOptions()));
  EXPECT_EQ(fingerprint_of("preset: paper"), to_json(paper_haq()));
  EXPECT_NE(to_json(HaqOptions()), to_json(paper_haq()));
  HaqOptions mixed = paper_haq();
  mixed.uniform_first = true;
  mixed.redraw = 7;
  mixed.revisit = 0.3;
  mixed.candidates = 5;
  mixed.noise = 0.4;
  mixed.noise_decay = 0.98;
  mixed.noise_floor = 0.05;
  mixed.replay_episodes = 77;
  mixed.store = StoredAction::kBoth;
  mixed.learnt = LearntReward::kRank;
  mixed.agent.gamma = 0.9;
  mixed.agent.baseline_alpha = 0.25;
  EXPECT_EQ(fingerprint_of("preset: paper, noise: 0.4, noise_decay: 0.98, noise_floor: 0.05, "
                           "replay_episodes: 77, replay: both, learn_from: rank, gamma: 0.9, "
                           "baseline: 0.25, uniform_first: true, redraw: 7, revisit: 0.3, "
                           "candidates: 5"),
            to_json(mixed));
}

TEST(HaqKeys, RefuseWhatIsOutOfRange) {
  EXPECT_THROW(fingerprint_of("preset: papers"), Error);
  EXPECT_THROW(fingerprint_of("replay_episodes: 0"), Error);
  EXPECT_THROW(fingerprint_of("noise_floor: -0.1"), Error);
  EXPECT_THROW(fingerprint_of("revisit: 1.1"), Error);
  EXPECT_THROW(fingerprint_of("candidates: 0"), Error);
  EXPECT_THROW(fingerprint_of("learn_from: both"), Error);
  EXPECT_THROW(parse_learnt_reward("both"), Error);
}

}  // namespace
}  // namespace bittern
