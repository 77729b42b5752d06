#pragma once

#include <nlohmann/json.hpp>

#include "agent/rl/ddpg/ddpg.h"
#include "agent/rl/ddpg/environment.h"
#include "host/search/bit_space.h"
#include "host/search/search.h"
#include "host/search/wall.h"

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

/// Every setting of HAQ's search. The defaults are the paper's and its code's where they exist; the
/// places where they are not are marked with (*), and docs/search.md says why.
struct HaqOptions {
  BitOptions bits;
  WallOptions wall;  ///< (*) must_pay instead of haq
  RewardOptions reward;
  DdpgOptions agent;
  int warmup_episodes = 20;  ///< uniform random actions, no learning
  double noise = 0.5;  ///< deviation of the exploration noise in the first episode after those
  double noise_decay = 0.99;                     ///< factor an episode
  int replay_episodes = 128;                     ///< episodes that the replay memory holds
  int updates_per_transition = 1;                ///< made after the episode
  StoredAction store = StoredAction::kPostWall;  ///< (*) instead of pre-wall
  int keep_best = 20;                            ///< policies in SearchResult::ranked, at most
  /// Episodes between two checkpoints. One is also written when the search ends or is stopped. A
  /// kill costs at most so many episodes of work; the trajectory stays the same.
  int checkpoint_every = 1;
};

/// Throws Error (exit status 2) naming the first option that is out of range.
void validate(const HaqOptions& options);

/// All options that change a trajectory: part of the fingerprint, and fit for a report.
nlohmann::json to_json(const HaqOptions& options);

/// HAQ (Wang et al., CVPR 2019): DDPG proposes bits layer by layer, the constraint wall rewrites
/// the proposal until the constraints hold, the evaluator scores it, and the agent learns from the
/// score.
///
/// The line for episodes.jsonl has: episode, warmup, asked and policy ([[weight bits, activation
/// bits], ...] before and after the wall), wall_steps, wall_reserve, accuracy, loss
/// (json_number()), reward, best_reward (so far), cost (cycles, latency_s, energy_j, energy_high_j,
/// weight_bytes, origin), ratio (of 8/8: latency, energy, model_size; null where 8/8 costs
/// nothing), sigma (null during warm-up), critic_loss, actor_loss (means over the updates; null
/// without), baseline, and time (seconds; the only key that differs between two runs with one
/// seed).
class HaqSearch : public SearchMethod {
 public:
  /// Throws Error on bad options.
  explicit HaqSearch(HaqOptions options);

  /// Runs episodes until the budget is used up. Throws Error when the context is incomplete, when a
  /// constraint cannot be met, when a checkpoint is damaged or belongs to another search, or when
  /// evaluator or cost model fail; the checkpoint of the last finished episode is there then.
  SearchResult run(const SearchContext& context) override;

  const HaqOptions& options() const { return options_; }

 private:
  HaqOptions options_;
};

}  // namespace bittern
