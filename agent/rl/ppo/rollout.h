#pragma once

#include <cstddef>
#include <vector>

namespace bittern {

/// One episode as the agent lived through it: what an update needs of it.
struct Rollout {
  std::vector<float> states;             ///< steps x inputs
  std::vector<int> actions;              ///< one a step
  std::vector<float> log_probabilities;  ///< of these actions, when they were taken
  std::vector<float> values;             ///< of the states, as the agent saw them then
  std::vector<float> rewards;            ///< one a step
  std::size_t steps() const { return actions.size(); }
};

/// Generalised advantage estimation (Schulman et al. 2016, equation 16) of an episode that ends
/// after its last step:
///   delta_t = r_t + gamma * V(s_{t+1}) - V(s_t), with V = 0 behind the end,
///   A_t = delta_t + gamma * lambda * A_{t+1}.
/// `rewards` and `values` have one number a step.
std::vector<double> advantages(const std::vector<float>& rewards, const std::vector<float>& values,
                               double gamma, double lambda);

/// Shifts and scales numbers to mean 0 and deviation 1. Numbers that are all (nearly) equal become
/// 0.
void normalise(std::vector<double>& numbers);

}  // namespace bittern
