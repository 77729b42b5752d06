#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "host/base/random.h"
#include "host/search/bit_space.h"
#include "host/search/cost_table.h"
#include "host/search/driver.h"
#include "host/search/wall.h"
#include "tests/host/search/fakes.h"

namespace bittern::testing {

/// A search problem whose best policy is known: accuracies and costs are functions, so that every
/// policy has an answer. Costs are whole numbers.
struct Grid {
  std::string name;
  std::string about;
  Network network;
  BitOptions bits;
  std::vector<Constraint> constraints;
  double baseline = 0.0;
  std::function<double(std::size_t layer, BitPair bits)> latency;
  /// Of a layer on its own, and of a layer with the next one: what chain_best() goes by. Empty
  /// where the accuracy is no function of their sum.
  std::function<double(std::size_t layer, BitPair bits)> loss;
  std::function<double(std::size_t layer, BitPair bits, BitPair next)> joint;
  std::function<double(const Policy&)> accuracy;
};

/// Layers that nothing but their weights tell apart.
inline Network chain_network(const std::string& name, const std::vector<int>& sizes) {
  Network network;
  network.name = name;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    network.layers.push_back(linear("l" + std::to_string(i), sizes[i], 10));
  }
  return network;
}

/// A normal number that belongs to a policy and to nothing else.
inline double policy_noise(const Policy& policy, std::uint64_t stream) {
  Rng rng(stream);
  for (const BitPair bits : policy) {
    rng = rng.split(static_cast<std::uint64_t>(bits.weight) * 32 +
                    static_cast<std::uint64_t>(bits.activation));
  }
  return rng.normal();
}

/// Accuracy in percent that falls from `top` slowly, then steeply around `knee`, to `bottom`.
inline double fall(double loss, double top, double bottom, double knee, double width) {
  const double share = 1.0 / (1.0 + std::exp((loss - knee) / width));
  return bottom + (top - bottom) * share - std::min(2.0, 0.3 * loss);
}

/// `widths` as weights only, without pinned ends.
inline BitOptions weight_bits(std::vector<int> widths) {
  BitOptions bits;
  bits.mode = BitMode::kWeights;
  bits.weight_bits = std::move(widths);
  bits.pin_first_last = false;
  return bits;
}

inline Constraint at_most(Resource resource, double ratio) { return {resource, true, ratio}; }

/// The loss of a layer when its operand has so many bits: 1 at two bits, a `base`th with each more.
inline double decay(int bits, double base) { return std::pow(base, 2 - bits); }

/// The sum of the losses of layers and of neighbours.
inline double chain_loss(const Grid& grid, const Policy& policy) {
  double sum = 0.0;
  for (std::size_t i = 0; i < policy.size(); ++i) {
    sum += grid.loss(i, policy[i]);
    if (grid.joint && i + 1 < policy.size()) sum += grid.joint(i, policy[i], policy[i + 1]);
  }
  return sum;
}

/// Four layers of five widths with the costs of LeNet; noise; breaks down with few bits everywhere.
inline Grid lenet_grid(double ratio) {
  Grid grid;
  grid.name = "lenet " + std::to_string(ratio).substr(0, 3);
  grid.about = "4 layers x 5 widths, noise, breaks down at few bits";
  grid.network = chain_network("lenet_grid", {25, 500, 40'000, 500});
  grid.bits = weight_bits({2, 3, 4, 5, 8});
  grid.constraints = {at_most(Resource::kLatency, ratio)};
  grid.baseline = 99.5;
  grid.latency = [](std::size_t layer, BitPair bits) {
    constexpr double kMacs[] = {288.0, 1600.0, 400.0, 5.0};
    return kMacs[layer] * bits.weight;
  };
  grid.accuracy = [](const Policy& policy) {
    constexpr double kLoss[] = {0.6, 0.9, 0.7, 0.45};
    double loss = 0.0;
    for (std::size_t i = 0; i < 4; ++i) loss += kLoss[i] * decay(policy[i].weight, 3.0);
    return std::min(100.0, fall(loss, 99.6, 11.0, 2.3, 0.12) + 0.1 * policy_noise(policy, 1));
  };
  return grid;
}

/// Five layers of five widths; what a layer loses multiplies what the next one loses.
inline Grid chain_grid() {
  Grid grid = lenet_grid(0.5);
  grid.name = "chain";
  grid.about = "5 layers x 5 widths, neighbours multiply their losses";
  grid.network = chain_network("chain_grid", {30, 90, 200, 400, 100});
  grid.latency = [](std::size_t layer, BitPair bits) {
    constexpr double kMacs[] = {90.0, 160.0, 120.0, 70.0, 10.0};
    return kMacs[layer] * bits.weight;
  };
  grid.baseline = 75.0;
  grid.accuracy = [](const Policy& policy) {
    constexpr double kLoss[] = {1.2, 0.5, 0.9, 0.6, 0.8};
    double loss = 0.0;
    for (std::size_t i = 0; i < 5; ++i) {
      const double own = kLoss[i] * decay(policy[i].weight, 1.8);
      loss += own;
      if (i + 1 < 5) loss += 2.5 * own * kLoss[i + 1] * decay(policy[i + 1].weight, 1.8);
    }
    return fall(loss, 75.0, 10.0, 3.0, 0.8) + 0.02 * policy_noise(policy, 2);
  };
  return grid;
}

/// Neither costs nor accuracies are monotone in the bits.
inline Grid bumpy_grid() {
  Grid grid = chain_grid();
  grid.name = "bumpy";
  grid.about = "5 layers x 7 widths, neither cost nor accuracy is monotone";
  grid.bits = weight_bits({2, 3, 4, 5, 6, 7, 8});
  grid.latency = [](std::size_t layer, BitPair bits) {
    constexpr double kMacs[] = {90.0, 160.0, 120.0, 70.0, 10.0};
    // Odd widths run padded, and pay for the padding.
    const int run = bits.weight + bits.weight % 2;
    return kMacs[layer] * run + (bits.weight % 2 == 1 ? 15.0 : 0.0);
  };
  grid.accuracy = [](const Policy& policy) {
    constexpr double kLoss[] = {1.2, 0.5, 0.9, 0.6, 0.8};
    double loss = 0.0;
    for (std::size_t i = 0; i < 5; ++i) {
      const std::uint64_t own = 32 * i + static_cast<std::uint64_t>(policy[i].weight);
      loss += kLoss[i] * decay(policy[i].weight, 1.7) + 0.06 * Rng(own).normal();
    }
    return fall(loss, 75.0, 10.0, 2.0, 0.5) + 0.02 * policy_noise(policy, 3);
  };
  return grid;
}

/// Noise as large as what single layers lose.
inline Grid noisy_grid() {
  Grid grid = chain_grid();
  grid.name = "noisy";
  grid.about = "5 layers x 5 widths, noise as large as the losses of single layers";
  grid.constraints = {at_most(Resource::kLatency, 0.45)};
  grid.accuracy = [](const Policy& policy) {
    constexpr double kLoss[] = {1.2, 0.5, 0.9, 0.6, 0.8};
    double loss = 0.0;
    for (std::size_t i = 0; i < 5; ++i) loss += kLoss[i] * decay(policy[i].weight, 2.0);
    return fall(loss, 75.0, 10.0, 2.5, 0.5) + 0.3 * policy_noise(policy, 4);
  };
  return grid;
}

/// Weights and activations of three layers.
inline Grid pairs_grid() {
  Grid grid = chain_grid();
  grid.name = "pairs";
  grid.about = "3 layers x 25 pairs, weights and activations multiply cost and loss";
  grid.network = chain_network("pairs_grid", {100, 300, 50});
  grid.bits = BitOptions{};
  grid.bits.pin_first_last = false;
  grid.bits.weight_bits = grid.bits.activation_bits = {2, 3, 4, 6, 8};
  grid.constraints = {at_most(Resource::kLatency, 0.3)};
  grid.latency = [](std::size_t layer, BitPair bits) {
    constexpr double kMacs[] = {9.0, 16.0, 5.0};
    return kMacs[layer] * bits.weight * bits.activation;
  };
  grid.accuracy = [](const Policy& policy) {
    constexpr double kWeight[] = {1.0, 0.5, 0.7};
    constexpr double kActivation[] = {0.3, 0.8, 0.6};
    double loss = 0.0;
    for (std::size_t i = 0; i < 3; ++i) {
      const double w = kWeight[i] * decay(policy[i].weight, 2.0);
      const double a = kActivation[i] * decay(policy[i].activation, 2.5);
      loss += w + a + w * a;
    }
    return fall(loss, 75.0, 10.0, 2.5, 0.6) + 0.03 * policy_noise(policy, 5);
  };
  return grid;
}

/// Every pair of eight layers helps or harms each other.
inline Grid eight_grid() {
  Grid grid = chain_grid();
  grid.name = "eight";
  grid.about = "8 layers x 3 widths, every pair of layers interacts";
  grid.network = chain_network("eight_grid", {30, 60, 90, 200, 100, 300, 400, 100});
  grid.bits = weight_bits({2, 4, 8});
  grid.constraints = {at_most(Resource::kLatency, 0.5)};
  grid.latency = [](std::size_t layer, BitPair bits) {
    constexpr double kMacs[] = {50.0, 90.0, 160.0, 120.0, 110.0, 70.0, 40.0, 10.0};
    return kMacs[layer] * bits.weight;
  };
  grid.accuracy = [](const Policy& policy) {
    constexpr double kLoss[] = {0.8, 0.3, 0.5, 0.4, 0.6, 0.25, 0.35, 0.5};
    double loss = 0.0;
    for (std::size_t i = 0; i < 8; ++i) {
      const double own = kLoss[i] * decay(policy[i].weight, 1.6);
      loss += own;
      for (std::size_t j = 0; j < i; ++j) {
        loss += 0.8 * Rng(100 + 8 * i + j).normal() * own * kLoss[j] * decay(policy[j].weight, 1.6);
      }
    }
    return fall(std::max(0.0, loss), 75.0, 10.0, 2.2, 0.5) + 0.01 * policy_noise(policy, 6);
  };
  return grid;
}

/// The same with eight layers of five widths, at a tight limit.
inline Grid long_grid() {
  Grid grid = eight_grid();
  grid.name = "long";
  grid.about = "8 layers x 5 widths, every pair of layers interacts, tight";
  grid.bits = weight_bits({2, 3, 4, 5, 8});
  grid.constraints = {at_most(Resource::kLatency, 0.42)};
  return grid;
}

/// Latency and model size at once.
inline Grid two_limits_grid() {
  Grid grid = chain_grid();
  grid.name = "two limits";
  grid.about = "5 layers x 7 widths, latency and model size";
  grid.bits = weight_bits({2, 3, 4, 5, 6, 7, 8});
  grid.constraints = {at_most(Resource::kLatency, 0.55), at_most(Resource::kModelSize, 0.45)};
  return grid;
}

/// Many layers; the accuracy is a function of a sum over layers and over neighbours.
inline Grid deep_grid(int layers, bool pairs, double joint) {
  Grid grid;
  grid.name = std::string(pairs ? "pairs" : "weights") + " " + std::to_string(layers) +
              (joint > 0.0 ? " joint" : "");
  grid.about = std::to_string(layers) + " layers, " +
               (pairs ? "weights and activations" : "weights") + ", 2..8 bits" +
               (joint > 0.0 ? ", neighbours interact" : "");
  std::vector<int> sizes;
  std::vector<double> macs;
  std::vector<double> weight_loss;
  std::vector<double> activation_loss;
  Rng rng(static_cast<std::uint64_t>(layers));
  for (int i = 0; i < layers; ++i) {
    sizes.push_back(static_cast<int>(rng.integer(10, 1000)));
    macs.push_back(static_cast<double>(rng.integer(1, 20)));
    weight_loss.push_back(std::exp(0.8 * rng.normal()) * 3.0 / layers);
    activation_loss.push_back(std::exp(0.8 * rng.normal()) * 2.0 / layers);
  }
  grid.network = chain_network("deep_grid", sizes);
  grid.bits = weight_bits({2, 3, 4, 5, 6, 7, 8});
  if (pairs) grid.bits.mode = BitMode::kBoth;
  grid.constraints = {at_most(Resource::kLatency, pairs ? 0.3 : 0.5)};
  grid.baseline = 72.0;
  grid.latency = [macs, pairs](std::size_t layer, BitPair bits) {
    return macs[layer] * bits.weight * (pairs ? bits.activation : 1);
  };
  grid.loss = [=](std::size_t layer, BitPair bits) {
    return weight_loss[layer] * decay(bits.weight, 2.0) +
           (pairs ? activation_loss[layer] * decay(bits.activation, 2.2) : 0.0);
  };
  if (joint > 0.0) {
    grid.joint = [=](std::size_t layer, BitPair bits, BitPair next) {
      return joint * weight_loss[layer] * decay(bits.weight, 1.7) *
             decay(pairs ? next.activation : next.weight, 1.7);
    };
  }
  return grid;
}

/// With its accuracy, which needs the grid.
inline Grid with_accuracy(Grid grid) {
  if (grid.loss) {
    grid.accuracy = [copy = grid](const Policy& policy) {
      return fall(chain_loss(copy, policy), 72.0, 10.0, 3.0, 0.6);
    };
  }
  return grid;
}

/// As on images that a network was trained on: no layer alone loses an answer, all together do.
inline Grid saturated_grid() {
  Grid grid = deep_grid(12, false, 0.0);
  grid.constraints = {at_most(Resource::kLatency, 0.35)};
  grid.baseline = 100.0;
  grid.accuracy = [copy = grid](const Policy& policy) {
    return 100.0 - 20.0 * std::clamp(chain_loss(copy, policy) - 1.0, 0.0, 4.0);
  };
  return grid;
}

/// All of them, each at one limit.
inline std::vector<Grid> grids() {
  std::vector<Grid> all = {lenet_grid(0.3), lenet_grid(0.4),   lenet_grid(0.5), lenet_grid(0.7),
                           chain_grid(),    bumpy_grid(),      noisy_grid(),    pairs_grid(),
                           eight_grid(),    two_limits_grid(), long_grid()};
  all.push_back(with_accuracy(deep_grid(10, false, 0.0)));
  all.push_back(with_accuracy(deep_grid(12, false, 1.0)));
  all.push_back(with_accuracy(deep_grid(20, false, 0.0)));
  all.push_back(with_accuracy(deep_grid(8, true, 0.0)));
  all.push_back(with_accuracy(deep_grid(20, true, 0.5)));
  return all;
}

/// A grid as run_search() takes it.
class GridProblem {
 public:
  explicit GridProblem(Grid grid)
      : grid_(std::move(grid)),
        cost_(grid_.network, grid_.latency),
        evaluator_(grid_.baseline, grid_.accuracy) {
    options_.bits = grid_.bits;
  }

  const Grid& grid() const { return grid_; }
  SearchOptions& options() { return options_; }
  FunctionEvaluator& evaluator() { return evaluator_; }
  FunctionCost& cost() { return cost_; }
  double reward(double accuracy) const {
    return policy_reward(accuracy, grid_.baseline, options_.reward);
  }

  SearchContext context(int budget, std::uint64_t seed) {
    SearchContext context;
    context.network = &cost_.network();
    context.cost = &cost_;
    context.evaluator = &evaluator_;
    context.constraints = grid_.constraints;
    context.seed = seed;
    context.budget = budget;
    return context;
  }

  /// The best accuracy of any policy within the limits.
  double best() {
    const BitSpace space(grid_.bits, grid_.network);
    const CostTable table(cost_, space);
    const Wall wall(table, space, grid_.constraints, {});
    return grid_.loss ? chain_best(space, wall) : all_best(space, wall);
  }

 private:
  double all_best(const BitSpace& space, const Wall& wall) const {
    std::vector<std::vector<BitPair>> pairs;
    for (std::size_t i = 0; i < space.layers(); ++i) pairs.push_back(space.pairs(i));
    std::vector<std::size_t> digits(pairs.size(), 0);
    double best = 0.0;
    for (;;) {
      Policy policy;
      for (std::size_t i = 0; i < pairs.size(); ++i) policy.push_back(pairs[i][digits[i]]);
      if (wall.meets(policy)) best = std::max(best, grid_.accuracy(policy));
      std::size_t i = 0;
      while (i < pairs.size() && ++digits[i] == pairs[i].size()) digits[i++] = 0;
      if (i == pairs.size()) return best;
    }
  }

  /// Least loss by dynamic programming over the cost and the bits of the last layer; one limit.
  double chain_best(const BitSpace& space, const Wall& wall) const {
    const auto limit = static_cast<std::size_t>(wall.limits().front() * (1.0 + 1e-12));
    constexpr double kNone = std::numeric_limits<double>::infinity();
    std::vector<BitPair> before;
    std::vector<std::vector<double>> least;  // [pair of the last layer][cost]
    for (std::size_t layer = 0; layer < space.layers(); ++layer) {
      const std::vector<BitPair> pairs = space.pairs(layer);
      std::vector<std::vector<double>> next(pairs.size(), std::vector<double>(limit + 1, kNone));
      for (std::size_t p = 0; p < pairs.size(); ++p) {
        const auto cost = static_cast<std::size_t>(grid_.latency(layer, pairs[p]));
        const double own = grid_.loss(layer, pairs[p]);
        if (layer == 0) {
          if (cost <= limit) next[p][cost] = own;
          continue;
        }
        for (std::size_t q = 0; q < before.size(); ++q) {
          const double joint = grid_.joint ? grid_.joint(layer - 1, before[q], pairs[p]) : 0.0;
          for (std::size_t total = cost; total <= limit; ++total) {
            next[p][total] = std::min(next[p][total], least[q][total - cost] + own + joint);
          }
        }
      }
      least = std::move(next);
      before = pairs;
    }
    double loss = kNone;
    for (const std::vector<double>& row : least) {
      for (const double value : row) loss = std::min(loss, value);
    }
    return fall(loss, 72.0, 10.0, 3.0, 0.6);
  }

  Grid grid_;
  FunctionCost cost_;
  FunctionEvaluator evaluator_;
  SearchOptions options_;
};

}  // namespace bittern::testing
