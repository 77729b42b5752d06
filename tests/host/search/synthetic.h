#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "host/search/bit_space.h"
#include "tests/host/search/fakes.h"

namespace bittern::testing {

/// A search problem of six layers whose best policy is known: latency is sum(size * w * a), the
/// accuracy loss is sum(weight_loss * 2^(1-w) + activation_loss * 2^(1-a)). Large layers are not
/// the sensitive ones, so that a uniform policy wastes a lot.
class SyntheticProblem {
 public:
  SyntheticProblem()
      : cost_(network(), [this](std::size_t layer, BitPair bits) { return latency(layer, bits); }),
        evaluator_(kBaseline, [this](const Policy& policy) { return accuracy(policy); }) {}

  static constexpr double kBaseline = 92.0;

  static Network network() {
    Network network;
    network.name = "synthetic";
    network.layers = {conv("a", 32, 3, 16, 3),  conv("b", 32, 16, 32, 3, 2),
                      conv("c", 16, 32, 32, 3), depthwise("d", 16, 32, 3, 2),
                      conv("e", 8, 32, 64, 1),  linear("f", 1024, 10)};
    return network;
  }

  double latency(std::size_t layer, BitPair bits) const {
    return size_[layer] * bits.weight * bits.activation;
  }
  double loss(std::size_t layer, BitPair bits) const {
    return weight_loss_[layer] * std::exp2(1 - bits.weight) +
           activation_loss_[layer] * std::exp2(1 - bits.activation);
  }
  double accuracy(const Policy& policy) const {
    double lost = 0.0;
    for (std::size_t layer = 0; layer < policy.size(); ++layer) lost += loss(layer, policy[layer]);
    return std::max(10.0, kBaseline - lost);
  }

  /// Best accuracy within a share of the 8/8 latency, by dynamic programming over the latency.
  double best_accuracy(double ratio, const BitSpace& space) const {
    int reference = 0;
    for (const int size : size_) reference += size * 64;
    const int limit = static_cast<int>(std::floor(ratio * reference));
    std::vector<double> least(limit + 1, 0.0);
    for (std::size_t layer = 0; layer < size_.size(); ++layer) {
      std::vector<double> next(limit + 1, 1e9);
      for (const BitPair bits : space.pairs(layer)) {
        const int cost = static_cast<int>(latency(layer, bits));
        for (int total = cost; total <= limit; ++total) {
          next[total] = std::min(next[total], least[total - cost] + loss(layer, bits));
        }
      }
      least = next;
    }
    return kBaseline - least[limit];
  }

  FunctionCost& cost() { return cost_; }
  FunctionEvaluator& evaluator() { return evaluator_; }

 private:
  std::vector<int> size_ = {4, 9, 12, 3, 7, 2};
  std::vector<double> weight_loss_ = {12.0, 3.0, 1.5, 8.0, 2.0, 5.0};
  std::vector<double> activation_loss_ = {4.0, 1.5, 2.5, 10.0, 1.0, 3.0};
  FunctionCost cost_;
  FunctionEvaluator evaluator_;
};

}  // namespace bittern::testing
