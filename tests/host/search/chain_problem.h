#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "host/base/random.h"
#include "host/search/bit_space.h"
#include "tests/host/search/fakes.h"

namespace bittern::testing {

/// A search problem of any number of layers whose best policy is known although its layers act on
/// each other: the error of a layer's activations is made worse by coarse weights of the layer
/// after it. Sizes, sensitivities and couplings are drawn from a seed. Latency is sum(size * w *
/// a).
class ChainProblem {
 public:
  /// `coupling` 0 makes the layers independent; at 1 the couplings weigh as much as the layers'
  /// own errors at 2 bits.
  ChainProblem(int layers, double coupling, std::uint64_t seed)
      : draws_(layers, coupling, seed),
        cost_(network(draws_),
              [this](std::size_t layer, BitPair bits) { return latency(layer, bits); }),
        evaluator_(kBaseline, [this](const Policy& policy) { return accuracy(policy); }) {}
  ChainProblem(const ChainProblem&) = delete;
  ChainProblem& operator=(const ChainProblem&) = delete;

  static constexpr double kBaseline = 92.0;

  double latency(std::size_t layer, BitPair bits) const {
    return draws_.size[layer] * bits.weight * bits.activation;
  }
  /// A network that loses much ends at guessing among ten classes.
  double accuracy(const Policy& policy) const {
    double lost = 0.0;
    for (std::size_t layer = 0; layer < policy.size(); ++layer) {
      lost += own(layer, policy[layer]);
      if (layer > 0) lost += between(layer, policy[layer - 1], policy[layer]);
    }
    return accuracy_of(lost);
  }

  /// Best accuracy within a share of the 8/8 latency, by dynamic programming over latency and the
  /// activation bits of the last layer.
  double best_accuracy(double ratio, const BitSpace& space) const {
    int reference = 0;
    for (const int size : draws_.size) reference += size * 64;
    const int limit = static_cast<int>(std::floor(ratio * reference + 1e-9));
    // least[a][t]: least loss of the layers so far with activation bits a in the last one.
    std::vector<std::vector<double>> least(17);
    least[0].assign(limit + 1, 0.0);
    for (std::size_t layer = 0; layer < draws_.size.size(); ++layer) {
      std::vector<std::vector<double>> next(17);
      for (const BitPair bits : space.pairs(layer)) {
        const int cost = static_cast<int>(latency(layer, bits));
        auto& row = next[bits.activation];
        if (row.empty()) row.assign(limit + 1, 1e9);
        for (int before = 0; before < 17; ++before) {
          if (least[before].empty()) continue;
          const double lost =
              own(layer, bits) + (layer > 0 ? between(layer, {0, before}, bits) : 0.0);
          for (int total = cost; total <= limit; ++total) {
            row[total] = std::min(row[total], least[before][total - cost] + lost);
          }
        }
      }
      least = std::move(next);
    }
    double best = 1e9;
    for (const auto& row : least) {
      if (!row.empty()) best = std::min(best, row[limit]);
    }
    return accuracy_of(best);
  }

  FunctionCost& cost() { return cost_; }
  FunctionEvaluator& evaluator() { return evaluator_; }

 private:
  struct Draws {
    Draws(int layers, double coupling, std::uint64_t seed) {
      Rng rng(seed);
      for (int i = 0; i < layers; ++i) {
        size.push_back(static_cast<int>(rng.integer(1, 12)));
        channels.push_back(8 * static_cast<int>(rng.integer(1, 16)));
        weight.push_back(std::exp2(4.0 * rng.uniform() - 0.5) * 6.0 / layers);
        activation.push_back(std::exp2(4.0 * rng.uniform() - 0.5) * 6.0 / layers);
        link.push_back(coupling * 2.0 * std::exp2(4.0 * rng.uniform() - 0.5) * 6.0 / layers);
      }
    }
    std::vector<int> size, channels;
    std::vector<double> weight, activation, link;
  };

  static double step(int bits) { return std::exp2(1 - bits); }
  static double accuracy_of(double lost) { return 10.0 + 82.0 * std::exp(-lost / 82.0); }
  double own(std::size_t layer, BitPair bits) const {
    return draws_.weight[layer] * step(bits.weight) +
           draws_.activation[layer] * step(bits.activation);
  }
  double between(std::size_t layer, BitPair before, BitPair bits) const {
    return draws_.link[layer] * step(before.activation) * step(bits.weight);
  }
  static Network network(const Draws& draws) {
    Network network;
    network.name = "chain";
    for (std::size_t i = 0; i < draws.size.size(); ++i) {
      const int before = i == 0 ? 3 : draws.channels[i - 1];
      network.layers.push_back(conv(fmt::format("conv{}", i), 4 + 2 * draws.size[i], before,
                                    draws.channels[i], draws.channels[i] % 16 == 0 ? 3 : 1));
    }
    return network;
  }

  Draws draws_;
  FunctionCost cost_;
  FunctionEvaluator evaluator_;
};

}  // namespace bittern::testing
