#pragma once

#include <vector>

#include "agent/rl/adam.h"
#include "agent/rl/ppo/network.h"
#include "agent/rl/ppo/rollout.h"
#include "host/base/random.h"
#include "host/search/checkpoint.h"

namespace bittern {

/// Proximal policy optimisation (Schulman et al. 2017) with the clipped objective. The sizes are
/// ReLeQ's; docs/search.md says what the other defaults are measured on.
struct PpoOptions {
  bool lstm = true;  ///< the first layer remembers the episode
  int hidden = 128;
  std::vector<int> policy = {128, 128};
  std::vector<int> value = {128, 64};
  AdamOptions adam{1e-3, 0.9, 0.999, 1e-5};
  double gamma = 1.0;    ///< discount
  double lambda = 0.99;  ///< of generalised advantage estimation
  double clip = 0.2;     ///< epsilon of the clipped objective
  int epochs = 4;        ///< passes over the episodes of an update, one optimiser step each
  double value_weight = 1.0;
  double entropy_weight = 0.05;
  double temperature = 1.0;          ///< the logits are divided by it
  bool normalise_advantages = true;  ///< over all steps of an update
  double max_gradient = 0.5;         ///< longer gradients are shortened to this norm; 0: never
};

/// Throws Error (exit status 2) naming the first option that is out of range.
void validate(const PpoOptions& options);

/// Which actions may be taken at each step of an episode: [step][action].
using AllowedActions = std::vector<std::vector<bool>>;

/// Policy and value with their optimiser. Everything is float32, computed by one thread in a fixed
/// order: equal calls give equal numbers on one type of machine.
class Ppo {
 public:
  /// Draws the initial weights. Throws Error on bad options, or when a step allows no action.
  Ppo(const PpoOptions& options, int inputs, const AllowedActions& allowed, Rng& rng);

  int inputs() const { return network_.shape().inputs; }
  int steps() const { return static_cast<int>(allowed_.size()); }
  int actions() const { return network_.shape().outputs; }
  PolicyNetwork::Memory blank() const { return network_.blank(); }

  struct Decision {
    int action = 0;
    double log_probability = 0.0;
    double value = 0.0;                 ///< of the state
    std::vector<double> probabilities;  ///< of all actions; 0 where not allowed
  };
  /// Draws the action of a step (one draw from `rng`) and moves `memory` on. With a flatness above
  /// 1 it is drawn in proportion to the probabilities to the power of 1 / flatness; what Decision
  /// says is still the agent's own. Throws Error when the agent has diverged.
  Decision decide(int step, const std::vector<float>& state, PolicyNetwork::Memory& memory,
                  Rng& rng, double flatness = 1.0) const;
  /// The same where `action`, which the step allows, is given.
  Decision take(int action, int step, const std::vector<float>& state,
                PolicyNetwork::Memory& memory) const;

  struct Statistics {
    double policy_loss = 0.0;  ///< minus the clipped objective; mean over the passes
    double value_loss = 0.0;   ///< mean squared error of the values; mean over the passes
    double entropy = 0.0;      ///< nats a step, after the update
    double kl = 0.0;           ///< of the new policy from the old, nats a step, after the update
    /// Share of the steps whose probability left the clipping range, after the update.
    double clip_share = 0.0;
    double gradient = 0.0;  ///< norm before it is shortened; mean over the passes
  };
  /// Learns from whole episodes of steps() steps. Throws Error when an episode has another length
  /// or the agent has diverged.
  Statistics update(const std::vector<Rollout>& episodes);

  /// What the first pass of update() would go down: loss and gradient by the parameters.
  double loss(const std::vector<Rollout>& episodes, std::vector<float>& gradient) const;

  const PolicyNetwork& network() const { return network_; }

  /// Puts everything that update() changes into `checkpoint`: arrays "ppo.*" and state["ppo"].
  void save(Checkpoint& checkpoint) const;
  /// Restores it. Throws Error when something is missing or of the wrong size.
  void load(const Checkpoint& checkpoint);

 private:
  /// Episodes as rows of matrices.
  struct Batch;

  /// What the agent makes of a state, without an action.
  Decision look(int step, const std::vector<float>& state, PolicyNetwork::Memory& memory) const;
  Batch make_batch(const std::vector<Rollout>& episodes) const;
  struct Pass {
    double policy_loss = 0.0;
    double value_loss = 0.0;
    double entropy = 0.0;
  };
  Pass pass(Batch& batch, std::vector<float>& gradient) const;
  std::vector<double> probabilities(int step, const float* logits) const;
  void measure(Batch& batch, Statistics& statistics) const;

  PpoOptions options_;
  AllowedActions allowed_;
  PolicyNetwork network_;
  std::vector<float> mean_;  ///< moments of Adam
  std::vector<float> square_;
  std::vector<float> gradient_;
  long adam_steps_ = 0;
  mutable PolicyNetwork::Trace acting_;  ///< nothing but memory that is used again
};

}  // namespace bittern
