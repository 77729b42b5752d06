#include "agent/rl/ddpg/environment.h"

#include <algorithm>
#include <cmath>

#include "host/base/error.h"

namespace bittern {
namespace {

constexpr std::size_t kPrevious = 8;
constexpr std::size_t kFlag = 9;

std::array<double, kPrevious> raw_features(const Layer& layer, std::size_t index) {
  const bool linear = layer.kind == LayerKind::kLinear;
  return {layer.kind == LayerKind::kDepthwise ? 1.0 : 0.0,
          static_cast<double>(layer.in_channels),
          static_cast<double>(layer.out_channels),
          linear ? 0.0 : static_cast<double>(std::max(layer.stride_h, layer.stride_w)),
          linear ? 1.0 : static_cast<double>(std::max(layer.kernel_h, layer.kernel_w)),
          static_cast<double>(layer.weights()),
          static_cast<double>(layer.in_height) * layer.in_width,
          static_cast<double>(index)};
}

}  // namespace

Environment::Environment(const Network& network, const BitSpace& space) : space_(space) {
  if (network.layers.size() != space.layers()) {
    fail("search: network {} has {} layers, the search space {}", network.name,
         network.layers.size(), space.layers());
  }
  std::vector<std::array<double, kPrevious>> raw;
  for (std::size_t layer = 0; layer < network.layers.size(); ++layer) {
    raw.push_back(raw_features(network.layers[layer], layer));
    if (space.leader(layer) != layer) continue;
    if (space.mode() != BitMode::kActivations) steps_.push_back({layer, true});
    if (space.mode() == BitMode::kBoth || space.mode() == BitMode::kActivations) {
      steps_.push_back({layer, false});
    }
  }
  features_.assign(raw.size(), State{});
  for (std::size_t column = 0; column < kPrevious; ++column) {
    double low = raw.front()[column];
    double high = low;
    for (const auto& row : raw) {
      low = std::min(low, row[column]);
      high = std::max(high, row[column]);
    }
    if (high == low) continue;
    for (std::size_t layer = 0; layer < raw.size(); ++layer) {
      features_[layer][column] = static_cast<float>((raw[layer][column] - low) / (high - low));
    }
  }
}

State Environment::state(int step, int previous_bits) const {
  State state = features_[steps_[step].layer];
  state[kPrevious] =
      step == 0 ? 1.0f : static_cast<float>(previous_bits) / static_cast<float>(space_.max_bits());
  state[kFlag] = steps_[step].weights ? 1.0f : 0.0f;
  return state;
}

int Environment::bits(int step, double action) const {
  const Step& at = steps_[step];
  return bits_of_action(
      action, at.weights ? space_.weight_choices(at.layer) : space_.activation_choices(at.layer));
}

double Environment::action(int step, int bits) const {
  const Step& at = steps_[step];
  return action_of_bits(
      bits, at.weights ? space_.weight_choices(at.layer) : space_.activation_choices(at.layer));
}

std::vector<int> Environment::decisions(const Policy& policy) const {
  if (policy.size() != features_.size()) {
    fail("search: a policy for {} layers was given for a network of {}", policy.size(),
         features_.size());
  }
  std::vector<int> result;
  for (const Step& step : steps_) {
    result.push_back(step.weights ? policy[step.layer].weight : policy[step.layer].activation);
  }
  return result;
}

Policy Environment::policy(const std::vector<int>& decisions) const {
  if (decisions.size() != steps_.size()) {
    fail("search: {} decisions were given for an episode of {}", decisions.size(), steps_.size());
  }
  Policy result(features_.size(), space_.options().fixed);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    BitPair& bits = result[steps_[i].layer];
    (steps_[i].weights ? bits.weight : bits.activation) = decisions[i];
    if (space_.tied()) bits.activation = decisions[i];
  }
  for (std::size_t layer = 0; layer < result.size(); ++layer) {
    result[layer] = result[space_.leader(layer)];
  }
  return result;
}

}  // namespace bittern
