#pragma once

#include <cstddef>

#include "tests/host/integer/random_integers.h"

namespace bittern {

/// Random tensors of a network that states its quantisers: weights are values of codes, batch norms
/// have gains of both signs. `halves`: all numbers are halves and quarters, so that sums are exact
/// in floating point, ties included.
inline NamedTensors stated_tensors(const Graph& graph, Rng& rng, bool halves = false) {
  NamedTensors tensors = random_tensors(graph, rng);
  for (const Node& node : graph.nodes) {
    if (node.op == Op::kBatchNorm) {
      for (float& gain : tensors[node.name + ".weight"].values) {
        if (rng.uniform() < 0.5) gain = -gain;
      }
      if (!halves) continue;
      const auto round_to = [&](const char* what, float unit) {
        for (float& value : tensors[node.name + "." + what].values) {
          value = unit * static_cast<float>(rng.integer(1, 4));
        }
      };
      for (float& gain : tensors[node.name + ".weight"].values) gain = gain < 0 ? -0.5F : 0.25F;
      round_to("bias", 0.25F);
      round_to("running_mean", 0.5F);
      // A deviation of 1, in single precision.
      for (float& value : tensors[node.name + ".running_var"].values) value = 1.0F;
      continue;
    }
    if (node.op != Op::kConv && node.op != Op::kLinear) continue;
    if (halves && node.attributes.bias) {
      for (float& value : tensors[node.name + ".bias"].values) {
        value = 0.25F * static_cast<float>(rng.integer(-4, 4));
      }
    }
    if (!node.attributes.quantiser) continue;
    const Quantiser& quantiser = *node.attributes.quantiser;
    std::vector<float>& weight = tensors[node.name + ".weight"].values;
    const std::size_t each = weight.size() / static_cast<std::size_t>(node.attributes.out_channels);
    for (std::size_t i = 0; i < weight.size(); ++i) {
      const auto low = static_cast<std::int64_t>(quantiser.low());
      const auto high = static_cast<std::int64_t>(quantiser.high());
      const auto code = quantiser.bipolar ? 2 * rng.integer(0, 1) - 1 : rng.integer(low, high);
      weight[i] = quantiser.value(static_cast<float>(code), i / each);
    }
  }
  return tensors;
}

}  // namespace bittern
