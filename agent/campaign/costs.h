#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "agent/search/bit_space.h"
#include "host/campaign/campaign.h"
#include "host/measure/cost_models.h"

namespace bittern {

/// Narrowest and widest of the uniform policies that the found one is compared with.
constexpr int kUniformLow = 2;
constexpr int kUniformHigh = 8;

/// Where the costs of a campaign come from.
struct CampaignCosts {
  std::shared_ptr<Measurer> measurer;  ///< with `cost: rtl` only
  std::unique_ptr<RowCostModel> model;
};

/// `measuring` counts with `cost: rtl` only, where one device is started to learn its identity.
/// Nothing is simulated. Throws as Measurer, RtlCostModel and TableCostModel do.
CampaignCosts make_costs(const Campaign& campaign, const Network& network, const Variant& variant,
                         const EnergyTable& energy, const MeasurerOptions& measuring);

/// Every cost that the search can ask for, and those of the uniform policies: layers by index.
std::vector<std::pair<std::size_t, BitPair>> cost_points(const Network& network,
                                                         const BitSpace& space);

}  // namespace bittern
