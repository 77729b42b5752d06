#include "host/search/reward.h"

#include <algorithm>

#include "host/base/error.h"

namespace bittern {

double policy_reward(double accuracy, double baseline, const RewardOptions& options) {
  double reward = options.scale * (accuracy - baseline);
  if (options.accuracy_floor && accuracy < *options.accuracy_floor) {
    reward -= options.floor_penalty;
  }
  return reward;
}

double cost_reward(double accuracy, const std::vector<double>& ratios,
                   const RewardOptions& options) {
  double reward = 0.0;
  for (const double ratio : ratios) reward += 1.0 - ratio;
  const double missing = options.accuracy_floor.value() - accuracy;
  return reward - options.accuracy_weight * std::max(0.0, missing) / 100.0;
}

const char* goal_name(Goal goal) { return goal == Goal::kAccuracy ? "accuracy" : "cost"; }

Goal parse_goal(const std::string& name) {
  for (const Goal goal : {Goal::kAccuracy, Goal::kCost}) {
    if (name == goal_name(goal)) return goal;
  }
  fail_usage("search: goal \"{}\": expected accuracy or cost", name);
}

}  // namespace bittern
