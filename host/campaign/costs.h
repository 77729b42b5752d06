#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "host/campaign/baselines.h"
#include "host/campaign/campaign.h"
#include "host/campaign/hardware.h"
#include "host/cost/cost_models.h"
#include "host/search/bit_space.h"

namespace bittern {

/// Where the costs of a campaign come from.
struct CampaignCosts {
  std::shared_ptr<Measurer> measurer;  ///< with `cost: rtl` only
  std::unique_ptr<RowCostModel> model;
};

/// `measuring` counts with `cost: rtl` only, where one device is started to learn its identity.
/// Nothing is simulated. Takes the table out of `hardware`. Throws as Measurer and RtlCostModel do.
CampaignCosts make_costs(const Campaign& campaign, const Network& network,
                         CampaignHardware& hardware, const MeasurerOptions& measuring);

/// Every cost that the search can ask for, and those of the policies it is compared with: layers by
/// index.
std::vector<std::pair<std::size_t, BitPair>> cost_points(const BitSpace& space,
                                                         const Baselines& baselines);

}  // namespace bittern
