#pragma once

#include <vector>

#include "host/campaign/campaign.h"
#include "host/campaign/hardware.h"
#include "host/search/driver.h"

namespace bittern {

/// `search:` of a campaign in the words of the driver. Throws Error (exit status 2) when `hardware`
/// runs none of the widths that the campaign searches, or `network` has nothing to tie.
SearchOptions search_options(const Campaign& campaign, const CampaignHardware& hardware,
                             const Network& network);

std::vector<Constraint> search_constraints(const Campaign& campaign);

}  // namespace bittern
