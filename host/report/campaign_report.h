#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/campaign/result.h"

namespace bittern {

/// report.html of a campaign: one self-contained page (no scripts, nothing fetched) with the
/// summary, reward and cost curves, bits per layer, accuracy against latency with the uniform
/// points beside the found one, and the origin of every number. `episodes` are the lines of
/// episodes.jsonl.
std::string campaign_report_html(const CampaignResult& result,
                                 const std::vector<nlohmann::json>& episodes);

/// The summary that `bittern run` prints: the found policy per layer, then found / uniform / full
/// precision side by side.
std::string campaign_summary_text(const CampaignResult& result);

}  // namespace bittern
