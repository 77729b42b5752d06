#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/analysis/campaign_analysis.h"
#include "host/analysis/policy_transfer.h"
#include "host/base/table.h"

namespace bittern {

// The tables of an analysis of campaigns: for terminals, CSV, JSON and the page alike. Columns
// `..._low` and `..._high` are 95 % intervals.

/// A row for each problem and method, over seeds.
Table methods_table(const CampaignAnalysis& analysis);
/// A row for each method less the one that all are compared with.
Table pairs_table(const CampaignAnalysis& analysis);
/// A row for each network and seed: rank correlation of an additive model.
Table additive_table(const CampaignAnalysis& analysis);
/// A row for each problem, method and quality: evaluations that it took.
Table quality_table(const CampaignAnalysis& analysis);
/// A row for each problem, method and evaluation: best accuracy so far over seeds.
Table curves_table(const AnalysedCampaigns& campaigns);
/// A row for each policy and machine that it is run on.
Table transfer_table(const std::vector<TransferRow>& rows);

/// A row for each evaluation of each cell.
Table episodes_table(const AnalysedCampaigns& campaigns);

/// A table with its name and what its numbers are.
struct NamedTable {
  std::string name;
  std::string title;
  std::string note;
  Table table;
};

/// All of them but those without rows.
std::vector<NamedTable> analysis_tables(const AnalysedCampaigns& campaigns,
                                        const CampaignAnalysis& analysis);

/// Everything as one document: format "bittern-analysis-1".
nlohmann::json analysis_json(const AnalysedCampaigns& campaigns, const CampaignAnalysis& analysis);

}  // namespace bittern
