#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "agent/rl/ppo/environment.h"
#include "agent/rl/ppo/options.h"
#include "host/search/bit_space.h"
#include "host/search/cost_table.h"
#include "tests/host/search/fakes.h"

namespace bittern::testing {

/// Complete problems for ReLeQ, made up, whose best policy is found by trying all: LeNet's layers,
/// weights only, at 2, 3, 4, 5 or 8 bits (625 policies), or other networks of a few layers.
/// Accuracies are those of functions with the features that real ones have.
struct ReleqGrid {
  std::string name;
  std::vector<int> widths = {2, 3, 4, 5, 8};
  double full_precision = 99.0;
  FunctionEvaluator::Function accuracy;
};

/// Noise of evaluations: fixed for a policy, uniform in [-1, 1].
inline double jitter(const Policy& policy, int salt) {
  std::uint64_t hash = 0x9e3779b97f4a7c15ull * static_cast<std::uint64_t>(salt + 1);
  for (const BitPair& bits : policy) {
    hash = (hash ^ static_cast<std::uint64_t>(bits.weight)) * 0xff51afd7ed558ccdull;
    hash ^= hash >> 29;
  }
  return static_cast<double>(hash >> 11) / 9007199254740992.0 * 2.0 - 1.0;
}

/// Every layer costs accuracy on its own.
inline ReleqGrid separable() {
  return {"separable", {2, 3, 4, 5, 8}, 99.0, [](const Policy& policy) {
            const double loss[] = {9.0, 14.0, 3.0, 22.0};
            double sum = 0.0;
            for (std::size_t i = 0; i < policy.size(); ++i) {
              sum += loss[i % 4] * std::exp2(3.0 - 1.5 * policy[i].weight);
            }
            return std::max(10.0, 99.0 - sum);
          }};
}

/// Few bits are free until there are too few: a cliff right beside the best policy, as LeNet has
/// between (2,2,3,2) and (2,2,2,2).
inline ReleqGrid cliff() {
  return {"cliff", {2, 3, 4, 5, 8}, 99.8, [](const Policy& policy) {
            double slack = -8.6;
            const double weight[] = {0.9, 0.8, 1.3, 0.7};
            for (std::size_t i = 0; i < policy.size(); ++i) {
              slack += weight[i % 4] * std::min(policy[i].weight, 5);
            }
            const double top = 11.0 + 88.5 / (1.0 + std::exp(-9.0 * slack));
            return std::clamp(top + 0.3 * jitter(policy, 1), 5.0, 99.8);
          }};
}

/// Errors of neighbours multiply, so that few bits in one layer ask for more in the next.
inline ReleqGrid interacting() {
  return {"interacting", {2, 3, 4, 5, 8}, 92.0, [](const Policy& policy) {
            double sum = 0.0;
            for (std::size_t i = 0; i < policy.size(); ++i) {
              const double here = std::exp2(2.0 - policy[i].weight);
              const double next = std::exp2(2.0 - policy[(i + 1) % policy.size()].weight);
              sum += 5.0 * here + (i % 2 == 0 ? 45.0 : 18.0) * here * next;
            }
            return std::clamp(92.0 - sum + 0.4 * jitter(policy, 2), 10.0, 92.0);
          }};
}

/// Two good regions far from each other; the one that is found more easily is the worse one.
inline ReleqGrid deceptive() {
  return {"deceptive", {2, 3, 4, 5, 8}, 95.0, [](const Policy& policy) {
            double near_low = 0.0;
            double near_mixed = 0.0;
            const int mixed[] = {5, 2, 2, 4};
            for (std::size_t i = 0; i < policy.size(); ++i) {
              near_low += std::max(0, 4 - policy[i].weight);
              near_mixed += std::max(0, mixed[i % 4] - policy[i].weight);
            }
            const double broad = 94.5 - 9.0 * near_low;
            const double narrow = 94.0 - 30.0 * near_mixed;
            return std::clamp(std::max(broad, narrow) + 0.2 * jitter(policy, 3), 10.0, 95.0);
          }};
}

inline std::vector<ReleqGrid> releq_grids() {
  return {separable(), cliff(), interacting(), deceptive()};
}

/// A grid over a network, with costs: cycles in proportion to MACs times weight bits.
class ReleqProblem {
 public:
  explicit ReleqProblem(const ReleqGrid& grid, Network network = lenet())
      : grid_(grid),
        cost_(network,
              [network](std::size_t layer, BitPair bits) {
                return static_cast<double>(network.layers[layer].macs() * bits.weight);
              }),
        evaluator_(grid.full_precision, grid.accuracy) {}

  BitOptions bits() const {
    BitOptions bits;
    bits.mode = BitMode::kWeights;
    bits.weight_bits = grid_.widths;
    bits.pin_first_last = false;
    return bits;
  }
  FunctionCost& cost() { return cost_; }
  FunctionEvaluator& evaluator() { return evaluator_; }

  /// Rewards of all policies, best first.
  std::vector<double> rewards(const ReleqOptions& options) {
    const BitSpace space(bits(), cost_.network());
    const CostTable costs(cost_, space);
    const ReleqEnvironment environment(cost_.network(), space, costs, {}, options.environment);
    std::vector<double> result;
    Policy policy = space.lowest();
    collect(policy, 0, space, environment, options.reward, result);
    std::sort(result.rbegin(), result.rend());
    return result;
  }

 private:
  void collect(Policy& policy, std::size_t layer, const BitSpace& space,
               const ReleqEnvironment& environment, const ReleqReward& reward,
               std::vector<double>& out) const {
    if (layer == policy.size()) {
      out.push_back(releq_reward(reward, grid_.accuracy(policy) / grid_.full_precision,
                                 environment.quantization(policy)));
      return;
    }
    for (const int width : space.weight_choices(layer)) {
      policy[layer].weight = width;
      collect(policy, layer + 1, space, environment, reward, out);
    }
  }

  ReleqGrid grid_;
  FunctionCost cost_;
  FunctionEvaluator evaluator_;
};

}  // namespace bittern::testing
