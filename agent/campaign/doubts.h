#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/campaign/settings.h"
#include "agent/data/dataset.h"
#include "host/campaign/accuracy_source.h"
#include "host/campaign/campaign.h"
#include "host/evaluator/evaluator.h"

namespace bittern {

/// Results that mean nothing are no success. These functions look at what a step of a campaign
/// gave: they throw Error where nothing useful can come any more, and return a sentence for
/// CampaignResult::warnings where results are doubtful, naming the setting to change.

/// The full-precision network on the validation images.
std::vector<std::string> baseline_doubts(const Campaign& campaign, const Accuracy& baseline,
                                         const Dataset& validation);

/// The 8/8 policy, which loses least, as an evaluation of the search scores it: asked before the
/// first episode.
std::vector<std::string> evaluation_doubts(const FakeQuantSettings& evaluator,
                                           const Accuracy& baseline, const Accuracy& uniform8,
                                           const Dataset& validation);

/// The lines of all episodes.
std::vector<std::string> search_doubts(const FakeQuantSettings& evaluator,
                                       const std::vector<nlohmann::json>& episodes,
                                       const Dataset& validation);

std::vector<std::string> final_doubts(const Campaign& campaign, const std::vector<FinalStep>& steps,
                                      const Dataset& validation);

}  // namespace bittern
