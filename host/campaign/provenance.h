#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/campaign/campaign.h"
#include "host/campaign/hardware.h"
#include "host/device/device.h"
#include "host/search/bit_space.h"

namespace bittern {

/// CampaignResult::provenance of a campaign: what its numbers come from. `identity` is that of the
/// devices, nullptr where none took part; `accuracies` are AccuracySource::facts().
std::vector<std::pair<std::string, std::string>> campaign_provenance(
    const Campaign& campaign, const CampaignHardware& hardware, const BitSpace& space,
    const DeviceIdentity* identity,
    const std::vector<std::pair<std::string, std::string>>& accuracies);

}  // namespace bittern
