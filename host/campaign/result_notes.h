#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/campaign/hardware.h"
#include "host/network/network.h"
#include "host/result/result.h"

namespace bittern {

/// Entries for CampaignResult::provenance (host/result/notes.h) that say what the totals of a
/// result do not hold, and which layers of its policies can have sums beyond 32 bits at the bits
/// that run.
std::vector<std::pair<std::string, std::string>> result_notes(const CampaignHardware& hardware,
                                                              const Network& network,
                                                              const CampaignResult& result);

}  // namespace bittern
