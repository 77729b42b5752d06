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

/// Weight and activation bits of a policy's layers, with the operations per byte of each below them
/// (HAQ, CVPR 2019, Figures 3 to 5): layers that move few bytes for their work gain little from
/// fewer bits. Bits alone where the bytes are not known. `title` stands above. `narrow`: for three
/// beside each other.
std::string bits_and_intensity_chart(const PolicyOutcome& policy, const std::string& title,
                                     bool narrow = false);

/// What a resource ("latency" or "energy") costs layer by layer: the found policy beside the one
/// that ratios refer to, where that is among the uniform ones.
std::string layer_cost_chart(const CampaignResult& result, const std::string& resource);

/// Roofline before and after: every layer at the bits that ratios refer to, and at the found ones.
/// Empty where bytes or bandwidth are not known.
std::string roofline_before_after(const CampaignResult& result);

/// The uniform policy that ratios refer to; nullptr where it has no row.
const PolicyOutcome* reference_outcome(const CampaignResult& result);

/// Number of warm-up episodes among the lines.
int warmup_episodes(const std::vector<nlohmann::json>& episodes);

}  // namespace bittern
