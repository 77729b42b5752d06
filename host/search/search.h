#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/cost/cost_model.h"
#include "host/evaluator/evaluator.h"
#include "host/network/network.h"

namespace bittern {

/// What a constraint limits.
enum class Resource { kLatency, kEnergy, kModelSize };

/// "latency", "energy" or "model_size".
const char* resource_name(Resource resource);

/// Inverse of resource_name(); throws Error listing the names.
Resource parse_resource(const std::string& name);

/// "s", "J" or "bytes".
const char* resource_unit(Resource resource);

/// The part of a cost that a resource means: seconds, joules (first DRAM anchor) or bytes of
/// weights.
double resource_value(const LayerCost& cost, Resource resource);

/// Upper bound on one resource: absolute (seconds, joules, bytes; for the variant's batch) or a
/// ratio of the 8/8 policy.
struct Constraint {
  Resource resource = Resource::kLatency;
  bool is_ratio = true;
  double limit = 0.5;
};

/// A policy with what is known of it.
struct Candidate {
  Policy policy;
  double reward = 0.0;
  Accuracy accuracy;
  LayerCost cost;           ///< sum over layers
  int episode = 0;          ///< that found it first
  bool meets_floor = true;  ///< accuracy floor, when the search has one
};

/// What a search has to work with. References outlive the search.
struct SearchContext {
  const Network* network = nullptr;
  CostModel* cost = nullptr;
  Evaluator* evaluator = nullptr;
  std::vector<Constraint> constraints;
  std::uint64_t seed = 0;
  int budget = 0;                    ///< episodes
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

/// Result of a search: best first.
struct SearchResult {
  std::vector<Candidate> ranked;
  int episodes = 0;
  bool stopped = false;  ///< ended by `stop` before the budget
};

/// (environment, budget, seed) -> ranked policies; resumable (design interface 4).
class SearchMethod {
 public:
  virtual ~SearchMethod() = default;
  virtual SearchResult run(const SearchContext& context) = 0;
};

}  // namespace bittern
