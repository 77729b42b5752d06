#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/report/page.h"

namespace bittern {

// Charts from the lines of episodes.jsonl alone: for runs that have no result yet, and for what
// only some methods write. Values that are missing or of another form are left out.

/// Accuracy of every episode and the best so far, of policies within the limits.
std::string episode_accuracy_chart(const std::vector<nlohmann::json>& lines);

/// Latency, energy and model size of every episode as shares of the reference.
std::string episode_ratio_chart(const std::vector<nlohmann::json>& lines);

/// Accuracy against latency of all policies, with their frontier: those that no other one beats in
/// both.
std::string episode_frontier_chart(const std::vector<nlohmann::json>& lines);

/// Weight and activation bits, by layer, of the policy with the best reward within the limits.
std::string episode_best_bits_chart(const std::vector<nlohmann::json>& lines);

/// What only some methods write: for every layer the probabilities of its bits over the episodes
/// (ReLeQ, IEEE Micro 2020, Figure 5), moving averages of accuracy and quantisation state and of
/// the reward, entropy of the policy, and what its updates did (KL divergence, share of clipped
/// samples, losses). None for other methods.
std::vector<page::Figure> method_figures(const std::vector<nlohmann::json>& lines);

/// Charts of a probability for each layer that are drawn at most.
constexpr std::size_t kMostProbabilityCharts = 24;

}  // namespace bittern
