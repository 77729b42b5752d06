#pragma once

#include "agent/rl/ppo/options.h"
#include "host/search/method.h"

namespace bittern {

/// ReLeQ (Elthakeb et al., arXiv 1811.01704 and IEEE Micro 2020): PPO chooses the bits layer by
/// layer and is rewarded for relative accuracy and for what the bits save. Its proposals go without
/// the constraint wall unless ReleqOptions::wall_actions, and its reward, not accuracy alone, is
/// what its policies are ranked by then. Throws Error on bad options.
///
/// The episodes of a search are policies that are scored; those of the agent are walks over the
/// network. With ScoreAt::kStep a walk has many policies; of those that are known already none is
/// asked for (ReleqOptions::redraw). Keys of the method in an episode's line:
///   agent_episode, agent_step   walk that the policy belongs to, and the decision behind it
///   redrawn                     walks since the line before that brought nothing new
///   state_accuracy, state_quantization, releq_reward   of the policy
///   probabilities   of the actions of every decision of the last walk that ended since the line
///                   before: [{layer, kind, bits, p}]; null where none did
///   entropy         of these, mean over the decisions (nats)
///   moving          means over the ends of the last 20 walks: {accuracy, quantization, reward};
///                   null before the first
///   update          of the last update, null before the first: {count, policy_loss, value_loss,
///                   entropy, kl, clip_share, gradient}, see Ppo::Statistics
ConfiguredMethod configure_releq(const ReleqOptions& options);

/// `releq` as a campaign configures it.
MethodKind releq_method();

}  // namespace bittern
