#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/result/result.h"

namespace bittern {

// The charts of a campaign's report, as <svg> elements. `episodes` are the lines of episodes.jsonl.

/// Reward of every episode, and the best so far.
std::string reward_chart(const std::vector<nlohmann::json>& episodes);

/// What a constraint limits, after the constraint wall, in every episode.
std::string cost_chart(const CampaignResult& result, const ConstraintOutcome& constraint,
                       const std::vector<nlohmann::json>& episodes);

/// Accuracy against what a constraint limits: found, uniform and mixed bits, with standard errors.
std::string accuracy_chart(const CampaignResult& result, const std::string& resource,
                           const std::vector<nlohmann::json>& episodes);

/// Weight and activation bits of the found policy's layers.
std::string bits_chart(const PolicyOutcome& best);

/// Share of the found policy's layers in its latency.
std::string share_chart(const PolicyOutcome& best);

/// Number of warm-up episodes among the lines.
int warmup_episodes(const std::vector<nlohmann::json>& episodes);

}  // namespace bittern
