#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "host/search/search.h"

namespace bittern {

/// [[weight bits, activation bits], ...].
nlohmann::json policy_json(const Policy& policy);

/// Inverse of policy_json(); throws Error when the form is another.
Policy policy_from_json(const nlohmann::json& value);

/// cycles, latency_s, energy_j, energy_high_j, weight_bytes, origin.
nlohmann::json cost_json(const LayerCost& cost);

/// The best policies of a search, each once, best first: those above the accuracy floor before the
/// others, then by reward, then by the lower use of a resource, then by the earlier episode.
class Ranking {
 public:
  /// Keeps at most `capacity` (at least 1) candidates.
  Ranking(std::size_t capacity, Resource tie_break);

  /// A policy that is in already is passed over: an evaluator gives it the same reward again.
  void add(const Candidate& candidate);
  const std::vector<Candidate>& best() const { return best_; }

  nlohmann::json save() const;
  /// Restores what save() returned. Throws Error when the form is another.
  void load(const nlohmann::json& value);

 private:
  bool before(const Candidate& a, const Candidate& b) const;

  std::size_t capacity_;
  Resource tie_break_;
  std::vector<Candidate> best_;
};

}  // namespace bittern
