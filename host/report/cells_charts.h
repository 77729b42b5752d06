#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/analysis/campaign_analysis.h"
#include "host/analysis/campaign_data.h"

namespace bittern {

// Charts over the cells of campaigns, as <svg> elements. Every method has one colour on all of
// them: its place among the methods of all cells.

/// Accuracy, as the search saw it, against what the problem's first constraint limits: every policy
/// of every method and seed, the frontier of all of them, uniform bits, and the policies found.
std::string frontier_chart(const AnalysedCampaigns& campaigns, const std::string& problem);

/// Best accuracy so far against evaluations: mean over seeds, and one standard deviation.
std::string best_curves_chart(const AnalysedCampaigns& campaigns, const std::string& problem);

/// Points below the best known accuracy against evaluations (logarithmic): mean and one standard
/// deviation over seeds.
std::string below_best_chart(const AnalysedCampaigns& campaigns, const std::string& problem);

/// Accuracy against the limit (HAQ, CVPR 2019, Figure 1) on one network and machine, for problems
/// with one constraint on the same resource: a line for each method, mean over seeds with the 95 %
/// interval, and uniform bits at what they cost. Empty where there are fewer than two limits.
std::string limits_chart(const AnalysedCampaigns& campaigns, const std::string& network,
                         const std::string& variant, const std::string& resource, Judge judge);

/// The cell of a problem and method with the best score: its winner.
const AnalysedCell* winner(const AnalysedCampaigns& campaigns, const std::string& problem,
                           const std::string& method, Judge judge);

}  // namespace bittern
