#pragma once

#include <memory>
#include <vector>

#include "agent/rl/ddpg/environment.h"
#include "agent/rl/ddpg/replay.h"
#include "host/base/random.h"
#include "host/search/checkpoint.h"

namespace bittern {

/// Deep deterministic policy gradient (Lillicrap et al. 2016) as HAQ uses it. The defaults are
/// those of HAQ's paper and code.
struct DdpgOptions {
  int hidden1 = 400;
  int hidden2 = 300;
  double actor_rate = 1e-4;  ///< learning rates of Adam
  double critic_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double adam_epsilon = 1e-8;
  /// Discount. With 0 the target networks have no say, and stay as they started.
  double gamma = 1.0;
  double tau = 0.01;  ///< share of the networks that flows into their targets at every update
  int batch = 64;
  /// Weight of the newest minibatch in the reward baseline, an exponential moving average of the
  /// mean rewards of the minibatches; 0: no baseline.
  double baseline_alpha = 0.5;
  /// The last layers start uniform in [-init_w, init_w]; all others, and with 0 the last too, in
  /// +-1/sqrt(inputs).
  double init_w = 0.003;
};

/// Throws Error (exit status 2) naming the first option that is out of range.
void validate(const DdpgOptions& options);

/// Actor and critic with their targets and optimisers.
///
/// Actor: state -> hidden1 (ReLU) -> hidden2 (ReLU) -> 1 (sigmoid). Critic: (state -> hidden1) +
/// (action -> hidden1) -> ReLU -> hidden2 (ReLU) -> 1. Everything is float32 and computed in a
/// fixed order: equal calls give equal numbers on one type of machine, when a SingleThread is
/// alive.
class Ddpg {
 public:
  /// Draws the initial weights from `rng`; the targets start equal. Throws Error on bad options.
  Ddpg(const DdpgOptions& options, Rng& rng);
  ~Ddpg();
  Ddpg(Ddpg&&) noexcept;
  Ddpg& operator=(Ddpg&&) noexcept;

  /// The actor's action in [0, 1], without noise. Throws Error when the agent has diverged.
  double act(const State& state) const;
  /// The critic's values of an action in each state, their mean. Requires as many states as
  /// actions, at least one.
  double value(const std::vector<State>& states, const std::vector<float>& actions) const;

  struct Losses {
    double critic = 0.0;  ///< mean squared error to r - B + gamma * Q'(s', actor'(s'))
    double actor = 0.0;   ///< - mean Q(s, actor(s))
  };
  /// One step of both networks on a minibatch, then of the targets and, before all that, of the
  /// baseline B.
  Losses update(const Batch& batch);

  /// The reward baseline; 0 before the first update, and where there is none.
  double baseline() const;

  /// Puts everything that update() changes into `checkpoint`: arrays "ddpg.*" and state["ddpg"].
  void save(Checkpoint& checkpoint) const;
  /// Restores it. Throws Error when something is missing or of the wrong size.
  void load(const Checkpoint& checkpoint);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// While it lives, LibTorch computes in one thread: tensors as small as an agent's take 3 to 8
/// times as long with two. Gives the former number back.
class SingleThread {
 public:
  SingleThread();
  ~SingleThread();
  SingleThread(const SingleThread&) = delete;
  SingleThread& operator=(const SingleThread&) = delete;

 private:
  int before_;
};

}  // namespace bittern
