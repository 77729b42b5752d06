#pragma once

#include <array>
#include <vector>

#include "host/network/network.h"
#include "host/search/bit_space.h"

namespace bittern {

/// What the agent sees before a decision, in HAQ's order: is depthwise, input channels, output
/// channels, stride, kernel, weights, input pixels, layer index, previous decision (bits / most
/// bits), 1 for weights and 0 for activations. All in [0, 1].
constexpr std::size_t kStateSize = 10;
using State = std::array<float, kStateSize>;

/// HAQ's environment: an episode walks over the layers in execution order and takes the layer's
/// weight bits, then its activation bits (one decision a layer in the modes other than w+a; of
/// layers that share their bits the first one decides). It
/// holds nothing that changes: the state of a step follows from the step and the previous decision.
class Environment {
 public:
  /// The first eight columns of the state are scaled to [0, 1] between their least and their
  /// greatest value over the network's layers; a column that is the same for all layers is 0. A
  /// linear layer has stride 0 and kernel 1; of an oblong kernel or stride the larger side counts.
  Environment(const Network& network, const BitSpace& space);

  /// Decisions in an episode.
  int steps() const { return static_cast<int>(steps_.size()); }
  /// Layer that a step decides about.
  std::size_t layer(int step) const { return steps_[step].layer; }
  /// Whether a step decides about weights (in mode w=a: about both).
  bool decides_weights(int step) const { return steps_[step].weights; }

  /// State of a step, when the step before it decided for `previous_bits`. Step 0 has no such step:
  /// it sees the most bits, whatever is passed.
  State state(int step, int previous_bits) const;
  /// Bits that an action in [0, 1] asks for.
  int bits(int step, double action) const;
  /// An action that asks for these bits: the middle of their bin.
  double action(int step, int bits) const;
  /// Decision of each step that leads to a policy.
  std::vector<int> decisions(const Policy& policy) const;
  /// The policy that decisions, one a step, ask for (pins and fixed kinds not yet applied).
  Policy policy(const std::vector<int>& decisions) const;

 private:
  struct Step {
    std::size_t layer;
    bool weights;
  };

  BitSpace space_;
  std::vector<Step> steps_;
  std::vector<State> features_;  ///< of each layer; the last two columns 0
};

}  // namespace bittern
