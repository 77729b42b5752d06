#pragma once

#include <filesystem>
#include <string>

#include "host/analysis/campaign_analysis.h"
#include "host/analysis/campaign_data.h"

namespace bittern {

/// report.html of a campaign with several cells, or of several campaigns: one self-contained page
/// (no scripts, nothing fetched) with the plain sentences, the methods and their paired
/// differences, and for every problem the frontier of all policies, the winners' bits with
/// operations per byte, curves over evaluations; then accuracy against limits, the transfer between
/// machines, the additive model, all cells, the campaign files and the origin of every number.
/// `folder`: where the page will be, so that it can point to the pages of the cells.
std::string cells_report_html(const AnalysedCampaigns& campaigns, const CampaignAnalysis& analysis,
                              const std::filesystem::path& folder);

}  // namespace bittern
