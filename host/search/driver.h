#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/cost/cost_model.h"
#include "host/evaluator/evaluator.h"
#include "host/network/network.h"
#include "host/search/bit_space.h"
#include "host/search/method.h"
#include "host/search/reward.h"
#include "host/search/search.h"
#include "host/search/wall.h"

namespace bittern {

/// Settings of a search that every method shares.
struct SearchOptions {
  BitOptions bits;
  WallOptions wall;
  RewardOptions reward;
  int keep_best = 20;  ///< policies in SearchResult::ranked, at most
  /// Episodes between two checkpoints, rounded up to whole batches of the method. One is also
  /// written when the search ends or is stopped. A kill costs at most so many episodes of work; the
  /// trajectory stays the same.
  int checkpoint_every = 1;
};

/// Throws Error (exit status 2) naming the first option that is out of range.
void validate(const SearchOptions& options);

/// All options that change a trajectory.
nlohmann::json to_json(const SearchOptions& options);

/// What a search has to work with. References outlive the search.
struct SearchContext {
  const Network* network = nullptr;
  CostModel* cost = nullptr;
  Evaluator* evaluator = nullptr;
  std::vector<Constraint> constraints;
  std::uint64_t seed = 0;
  int budget = 0;  ///< episodes
  /// The measure by which methods are compared: ends the search when so many different policies
  /// were scored, what the method spent beside them (Method::spent()) counted in; answers from a
  /// cache count like others, a policy that is asked for again costs an episode only. 0: no limit.
  int evaluations = 0;
  /// What the search starts from; nullptr: from nothing. It is part of what a checkpoint belongs
  /// to.
  const Experience* start = nullptr;
  std::filesystem::path checkpoint;  ///< file for state; empty: none is kept
  /// Continue from `checkpoint`. When that file does not exist (killed before it was written for
  /// the first time) the search starts at the beginning.
  bool resume = false;
  const std::atomic<bool>* stop =
      nullptr;  ///< set from outside (Ctrl-C): end after the current episode, state saved
  /// Called once per finished episode, in order, with the line for episodes.jsonl, before the
  /// checkpoint that covers the episode is written. A kill between the two makes a resumed search
  /// do those episodes again, with equal lines (the key "time" apart); see on_resume.
  std::function<void(const nlohmann::json&)> on_episode;
  /// What a checkpoint is to know of the lines that on_episode got: kept in it, and given back by
  /// on_resume. May be empty.
  std::function<nlohmann::json()> lines_state;
  /// Called once, before anything else happens, when a checkpoint was loaded: the search goes on
  /// with episode `first`. Lines with episode >= first in an older episodes.jsonl will come again
  /// and are to be dropped. `lines` is what lines_state gave then, null where there was none.
  std::function<void(int first, const nlohmann::json& lines)> on_resume;
};

/// Where the time of a search went, in seconds of this process.
struct SearchTime {
  double all = 0.0;
  double evaluate = 0.0;  ///< in the evaluator
  double act = 0.0;       ///< in the method: proposals
  double learn = 0.0;     ///< in the method: outcomes
  double wall = 0.0;      ///< in the constraint wall
  /// Lines, checkpoints, ranking.
  double rest() const { return all - evaluate - act - learn - wall; }
};

/// What a search started from.
struct StartNote {
  std::string source;     ///< Experience::source
  int policies = 0;       ///< that the other search scored
  int in_space = 0;       ///< of them, those that this search could have asked for
  int within_limits = 0;  ///< of those, the ones that meet this search's limits
  int saved = 0;          ///< evaluations that the method left out for it
};

/// Result of a search: best first.
struct SearchResult {
  std::vector<Candidate> ranked;
  int episodes = 0;
  /// What came out of the limit of evaluations: different policies, and Method::spent().
  double evaluations = 0.0;
  /// What the method ranks a policy by if its accuracy is so many percent. Network, cost model and
  /// evaluator must be there still.
  std::function<double(const Policy&, double accuracy)> objective;
  std::optional<StartNote> start;  ///< where SearchContext::start was given
  SearchTime time;
  bool stopped = false;    ///< ended by `stop` before the budget
  bool exhausted = false;  ///< the method had no more to propose
};

/// The loop of every search: asks the method, lets the constraint wall rewrite what it proposes,
/// evaluates, ranks, tells the method, writes lines and checkpoints, until the budget is used up,
/// the method is done or a stop is requested.
///
/// A batch that the budget or a stop cuts is scored but not told, and no checkpoint covers it: a
/// resumed search with more budget does it again, so that it ends like one that had the budget from
/// the start.
///
/// The line of an episode has: episode, evaluations (so far, with this one), asked and policy
/// ([[weight bits, activation bits], ...] before and after the wall), wall_steps, wall_reserve,
/// meets_limits (only where it is false), accuracy, loss (json_number()), reward, best_reward (so
/// far), cost (cycles, latency_s, energy_j, energy_high_j, weight_bytes, origin), ratio (of the
/// reference: latency, energy, model_size; null where that costs nothing), the method's own keys,
/// and time (seconds; the only key that differs between two runs with one seed).
///
/// With SearchContext::start the policies that the other search scored and that meet the limits are
/// results like others (their episode is -1); they cost no evaluation.
///
/// Where the evaluator has images for it (Evaluator::choice()), the best candidates are ranked by
/// Method::objective() with their accuracy on those at the end: on the images of the search the
/// best of many is chosen for its luck as well.
///
/// Throws Error when the context is incomplete, when it starts from a search of another network or
/// with another evaluator or from what the method does not learn from, when a constraint cannot be
/// met, when a checkpoint is damaged or belongs to another search, or when method, evaluator or
/// cost model fail; the checkpoint of the last told batch is there then.
SearchResult run_search(const SearchContext& context, const SearchOptions& options,
                        const ConfiguredMethod& method);

}  // namespace bittern
