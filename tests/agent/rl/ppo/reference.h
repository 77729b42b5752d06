#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "agent/rl/ppo/network.h"
#include "tests/agent/rl/differences.h"

namespace bittern::testing {

/// ReLeQ's networks written out in double precision, one sequence and one number at a time, from
/// the description of the parameters in network.h.
class ReferenceNetwork {
 public:
  explicit ReferenceNetwork(PolicyShape shape) : shape_(std::move(shape)) {}

  struct Step {
    Numbers logits;
    double value = 0.0;
  };

  /// `states`: one vector a step.
  std::vector<Step> run(const Numbers& p, const std::vector<Numbers>& states) const {
    std::vector<Step> result;
    const int n = shape_.hidden;
    Numbers h(n, 0.0);
    Numbers c(n, 0.0);
    for (const Numbers& x : states) {
      std::size_t at = 0;
      if (shape_.lstm) {
        Numbers z = product(p, at, x, 4 * n);
        const Numbers r = product(p, at, h, 4 * n);
        for (int k = 0; k < 4 * n; ++k) z[k] += r[k] + p[at + k];
        at += 4 * n;
        for (int k = 0; k < n; ++k) {
          c[k] = sigmoid(z[n + k]) * c[k] + sigmoid(z[k]) * std::tanh(z[2 * n + k]);
          h[k] = sigmoid(z[3 * n + k]) * std::tanh(c[k]);
        }
      } else {
        h = dense(p, at, x, n, true);
      }
      Step step;
      Numbers y = h;
      for (const int size : shape_.policy) y = dense(p, at, y, size, true);
      step.logits = dense(p, at, y, shape_.outputs, false);
      y = h;
      for (const int size : shape_.value) y = dense(p, at, y, size, true);
      step.value = dense(p, at, y, 1, false)[0];
      result.push_back(step);
    }
    return result;
  }

 private:
  static double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
  /// x W, with W of x.size() x outputs.
  static Numbers product(const Numbers& p, std::size_t& at, const Numbers& x, int outputs) {
    Numbers y(outputs, 0.0);
    for (const double value : x) {
      for (int o = 0; o < outputs; ++o) y[o] += value * p[at++];
    }
    return y;
  }
  static Numbers dense(const Numbers& p, std::size_t& at, const Numbers& x, int outputs,
                       bool squash) {
    Numbers y = product(p, at, x, outputs);
    for (int o = 0; o < outputs; ++o) {
      y[o] += p[at++];
      if (squash) y[o] = std::tanh(y[o]);
    }
    return y;
  }
  PolicyShape shape_;
};

}  // namespace bittern::testing
