#pragma once

#include <nlohmann/json.hpp>

#include "agent/rl/ddpg/ddpg.h"
#include "agent/rl/ddpg/environment.h"
#include "host/search/method.h"

namespace bittern {

/// Which actions of an episode the agent remembers. docs/search.md compares them.
enum class StoredAction {
  /// Those that lead to what the wall left, and the states that go with them. An action that the
  /// wall left in its bin stays as it was; any other becomes the middle of the bin of the bits that
  /// were run.
  kPostWall,
  /// What the agent asked for (HAQ's code).
  kPreWall,
};

/// "post" or "pre".
const char* stored_action_name(StoredAction stored);

/// Inverse of stored_action_name(); throws Error listing the names.
StoredAction parse_stored_action(const std::string& name);

/// HAQ's own settings; those that every search has are SearchOptions. The defaults are the paper's
/// and its code's where they exist; the places where they are not are marked with (*), and
/// docs/search.md says why.
struct HaqOptions {
  DdpgOptions agent;
  int warmup_episodes = 20;  ///< uniform random actions, no learning
  double noise = 0.5;  ///< deviation of the exploration noise in the first episode after those
  double noise_decay = 0.99;                     ///< factor an episode
  int replay_episodes = 128;                     ///< episodes that the replay memory holds
  int updates_per_transition = 1;                ///< made after the episode
  StoredAction store = StoredAction::kPostWall;  ///< (*) instead of pre-wall
};

/// Throws Error (exit status 2) naming the first option that is out of range.
void validate(const HaqOptions& options);

/// All options that change a trajectory: part of the fingerprint, and fit for a report.
nlohmann::json to_json(const HaqOptions& options);

/// HAQ (Wang et al., CVPR 2019): DDPG proposes bits layer by layer, the constraint wall rewrites
/// the proposal until the constraints hold, the evaluator scores it, and the agent learns from the
/// score. Throws Error on bad options.
///
/// Its keys in an episode's line: warmup, sigma (null during warm-up), critic_loss, actor_loss
/// (means over the updates; null without) and baseline.
ConfiguredMethod configure_haq(const HaqOptions& options);

/// `haq` as a campaign configures it.
MethodKind haq_method();

}  // namespace bittern
