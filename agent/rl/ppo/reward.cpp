#include "agent/rl/ppo/reward.h"

#include <algorithm>
#include <cmath>

#include "host/base/error.h"
#include "host/search/setting.h"

namespace bittern {
namespace {

struct Named {
  const char* name;
  ReleqReward reward;
};

const std::vector<Named>& named() {
  static const std::vector<Named> all = {
      {"paper", {RewardShape::kShaped, 0.2, 0.4, 0.4}},
      {"lenet", {RewardShape::kShaped, 0.6, 3.0, 0.8}},
      {"simplenet", {RewardShape::kShaped, 0.8, 1.0, 0.1}},
      {"svhn", {RewardShape::kShaped, 0.8, 1.0, 0.1}},
      {"resnet", {RewardShape::kShaped, 0.8, 1.0, 0.6}},
      {"mobilenet", {RewardShape::kShaped, 0.8, 1.0, 0.7}},
      {"ratio", {RewardShape::kRatio, 0.2, 0.4, 0.0}},
      {"difference", {RewardShape::kDifference, 0.2, 0.4, 0.0}},
      {"search", {RewardShape::kSearch, 0.2, 0.4, 0.0}},
  };
  return all;
}

}  // namespace

std::vector<std::string> reward_names() {
  std::vector<std::string> names;
  for (const Named& entry : named()) names.emplace_back(entry.name);
  return names;
}

ReleqReward reward_of(const std::string& name) {
  std::string names;
  for (const Named& entry : named()) {
    if (name == entry.name) return entry.reward;
    names += (names.empty() ? "" : ", ") + std::string(entry.name);
  }
  fail_usage("search: reward \"{}\": expected one of {}", name, names);
}

void validate(const ReleqReward& reward) {
  check_setting(reward.a > 0 && reward.a <= 100, "reward_a", reward.a, "above 0, at most 100");
  check_setting(reward.b >= 0 && reward.b <= 100, "reward_b", reward.b, "0..100");
  check_setting(reward.threshold >= 0 && reward.threshold <= 1, "threshold", reward.threshold,
                "0..1");
}

double releq_reward(const ReleqReward& reward, double accuracy_state, double quantization_state) {
  if (accuracy_state < reward.threshold) return kUnacceptable;
  switch (reward.shape) {
    case RewardShape::kShaped: {
      // An accuracy of 0 above a threshold of 0: the limit of the power.
      if (accuracy_state <= 0.0) return 0.0;
      const double discount = std::pow(accuracy_state, reward.b / accuracy_state);
      return (1.0 - std::pow(quantization_state, reward.a)) * discount;
    }
    case RewardShape::kRatio:
      return accuracy_state / std::max(quantization_state, 1e-6);
    case RewardShape::kDifference:
      return accuracy_state - quantization_state;
    case RewardShape::kSearch:
      return accuracy_state;
  }
  return kUnacceptable;
}

}  // namespace bittern
