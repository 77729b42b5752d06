#include "agent/rl/ppo/rollout.h"

#include <cmath>

namespace bittern {

std::vector<double> advantages(const std::vector<float>& rewards, const std::vector<float>& values,
                               double gamma, double lambda) {
  std::vector<double> result(rewards.size());
  double next_value = 0.0;
  double next = 0.0;
  for (std::size_t t = rewards.size(); t-- > 0;) {
    const double delta = rewards[t] + gamma * next_value - values[t];
    result[t] = next = delta + gamma * lambda * next;
    next_value = values[t];
  }
  return result;
}

void normalise(std::vector<double>& numbers) {
  double mean = 0.0;
  for (const double x : numbers) mean += x / static_cast<double>(numbers.size());
  double square = 0.0;
  for (const double x : numbers) square += (x - mean) * (x - mean);
  const double deviation = std::sqrt(square / static_cast<double>(numbers.size()));
  for (double& x : numbers) x = (x - mean) / (deviation + 1e-8);
}

}  // namespace bittern
