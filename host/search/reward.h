#pragma once

#include <optional>
#include <string>
#include <vector>

namespace bittern {

/// What a search is after.
enum class Goal {
  kAccuracy,  ///< the best accuracy within the limits
  kCost,      ///< the least cost at an accuracy: HAQ's accuracy-guaranteed search (section 4.4)
};

/// "accuracy" or "cost".
const char* goal_name(Goal goal);

/// Inverse of goal_name(); throws Error listing the names.
Goal parse_goal(const std::string& name);

/// Reward of a policy.
struct RewardOptions {
  double scale = 0.1;  ///< per percent point of accuracy (HAQ's lambda)
  /// Accuracy in percent that a policy should have. Below it the reward loses `floor_penalty`, and
  /// the policy ranks behind all that are above.
  std::optional<double> accuracy_floor;
  double floor_penalty = 1.0;
  /// With kCost the wall takes nothing away, the resources of the constraints are what is to be
  /// saved, and the reward is cost_reward(). Needs an accuracy_floor, and a constraint.
  Goal goal = Goal::kAccuracy;
  /// What a whole share of accuracy (100 points) below the floor weighs against the whole cost of
  /// the reference policy (equation 13's 20 against 1). kCost only.
  double accuracy_weight = 20.0;
};

/// scale * (accuracy - baseline), both in percent, less the penalty below the floor.
double policy_reward(double accuracy, double baseline, const RewardOptions& options);

/// Reward of Goal::kCost: the sum over the resources of 1 - cost / reference cost (`ratios` has
/// cost / reference cost), less accuracy_weight * (floor - accuracy) / 100 where the accuracy is
/// below the floor. Equation 12 of HAQ, with costs as shares and the signs as they are meant; an
/// accuracy above the floor earns nothing. Requires an accuracy floor.
double cost_reward(double accuracy, const std::vector<double>& ratios,
                   const RewardOptions& options);

}  // namespace bittern
