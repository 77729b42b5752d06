#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/campaign/hardware.h"
#include "agent/data/dataset.h"
#include "host/campaign/campaign.h"
#include "host/device/device.h"
#include "host/search/bit_space.h"

namespace bittern {

/// CampaignResult::provenance of a campaign: what its numbers come from. `identity` is that of the
/// devices, nullptr where none took part; `model_hash` is content_hash() of the full-precision
/// weights; `processors` is what accuracies were computed on.
std::vector<std::pair<std::string, std::string>> campaign_provenance(
    const Campaign& campaign, const CampaignHardware& hardware, const BitSpace& space,
    const DeviceIdentity* identity, const DataSplits& splits, const std::string& model_hash,
    const std::set<std::string>& processors);

}  // namespace bittern
