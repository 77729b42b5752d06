#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/result/result.h"

namespace bittern {

/// What a campaign was started from, shown on its page; empty parts are left out.
struct CampaignSource {
  std::string file_text;     ///< of the campaign file
  std::string command_line;  ///< that started (or resumed) it
};

/// report.html of a campaign: one self-contained page (no scripts, nothing fetched) with the
/// summary, reward and cost curves, bits per layer, accuracy against every resource that is limited
/// with the uniform points beside the found one, the campaign file, and the origin of every number.
/// `episodes` are the lines of episodes.jsonl.
std::string campaign_report_html(const CampaignResult& result,
                                 const std::vector<nlohmann::json>& episodes,
                                 const CampaignSource& source = {});

/// The summary that `bittern run` prints: the found policy per layer, then found / uniform / full
/// precision side by side, then what the differences are worth.
std::string campaign_summary_text(const CampaignResult& result);

/// The bits of a layer's weights and activations, in a table: "4", "3>4" where 3 bits were asked
/// for and the hardware ran 4, "float" where the operand stays in floating point.
std::string weight_text(const LayerOutcome& layer, const CampaignResult& result);
std::string activation_text(const LayerOutcome& layer, const CampaignResult& result);

}  // namespace bittern
