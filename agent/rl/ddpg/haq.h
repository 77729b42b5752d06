#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

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
  /// Both where they differ, with one reward: the critic knows the value of what ran and of what
  /// the actor asks for.
  kBoth,
};

/// "post", "pre" or "both".
const char* stored_action_name(StoredAction stored);

/// Inverse of stored_action_name(); throws Error listing the names.
StoredAction parse_stored_action(const std::string& name);

/// What the agent learns from in place of an episode's reward.
enum class LearntReward {
  kReward,  ///< the reward itself (HAQ)
  kRank,    ///< its rank among the rewards in the replay memory, -1 (lowest) to 1
};

/// "reward" or "rank".
const char* learnt_reward_name(LearntReward reward);

/// Inverse of learnt_reward_name(); throws Error listing the names.
LearntReward parse_learnt_reward(const std::string& name);

/// The agent without a discounted value of later steps and without the moving baseline: every step
/// has the reward of its episode's end already, and a bootstrapped value only adds the critic's
/// errors to it.
DdpgOptions unbootstrapped_agent();

/// HAQ's own settings; those that every search has are SearchOptions. The defaults are those of
/// HAQ's paper and its code but for the places marked with (*), which docs/search.md gives reasons
/// and figures for; paper_haq() has the published ones there, too.
struct HaqOptions {
  DdpgOptions agent = unbootstrapped_agent();  ///< (*)
  int warmup_episodes = 20;                    ///< without learning
  /// (*) The first episodes ask for uniform_policies(). What is left of the warm-up, published: all
  /// of it, are uniform random actions.
  bool uniform_first = true;
  /// (*) Deviation of the exploration noise in the first episode after the warm-up; published: 0.5.
  double noise = 0.25;
  double noise_decay = 0.995;  ///< (*) factor an episode; published: 0.99
  double noise_floor = 0.1;    ///< (*) where that ends; published: 0
  /// (*) Most times that an episode's actions are drawn again because the policy that the wall
  /// makes of them was scored before, each time with more noise; published: 0.
  int redraw = 50;
  /// (*) Share of the draws that begin from the actions of the best policy so far in place of the
  /// actor's, and get noise in a few steps only ("first return, then explore", Ecoffet et al.,
  /// Nature 2021); published: 0.
  double revisit = 0.5;
  /// (*) Draws, after the warm-up, from which the critic chooses the one that it expects most of,
  /// by what the wall makes of them (Dulac-Arnold et al., arXiv 1512.07679); published: 1.
  int candidates = 16;
  int replay_episodes = 128;                  ///< episodes that the replay memory holds, at least
  int updates_per_transition = 1;             ///< made after the episode, for each of its steps
  StoredAction store = StoredAction::kBoth;   ///< (*) instead of pre-wall
  LearntReward learnt = LearntReward::kRank;  ///< (*) instead of the reward
};

/// HAQ's published setting: the paper's, and its code's where the paper says nothing.
HaqOptions paper_haq();

/// Throws Error (exit status 2) naming the first option that is out of range.
void validate(const HaqOptions& options);

/// All options that change a trajectory: part of the fingerprint, and fit for a report.
nlohmann::json to_json(const HaqOptions& options);

/// The method itself, with settings that validate() has passed.
std::unique_ptr<Method> make_haq(const HaqOptions& options, const MethodContext& context);

/// HAQ (Wang et al., CVPR 2019): DDPG proposes bits layer by layer, the constraint wall rewrites
/// the proposal until the constraints hold, the evaluator scores it, and the agent learns from the
/// score. Throws Error on bad options.
///
/// Its keys in an episode's line: warmup, sigma (of the noise; null without), redrawn (how
/// often the actions were drawn again), revisits (whether they began from the best policy),
/// critic_loss, actor_loss (means over the updates; null without) and baseline.
ConfiguredMethod configure_haq(const HaqOptions& options);

/// `haq` as a campaign configures it.
MethodKind haq_method();

}  // namespace bittern
