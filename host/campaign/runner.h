#pragma once

#include <vector>

#include "host/campaign/accuracy_source.h"
#include "host/campaign/campaign.h"
#include "host/campaign/run_options.h"
#include "host/result/result.h"

namespace bittern {

/// Runs a campaign and writes its directory (docs/campaigns.md): checks (preflight()), costs,
/// training, search, final fine-tune, files.
///
/// Killed at any moment, the next call with `resume` goes on from there and ends with the same
/// result. When a stop is requested during the search, the files are written from the episodes so
/// far, CampaignResult::stopped is set and the test set stays untouched; during another step
/// Stopped is thrown, and what was done is kept.
///
/// Throws Error: `out` holds another campaign's or an unfinished run and `resume` is not set;
/// another process works in it; it belongs to other settings (the first that differs is named); a
/// constraint cannot be met; and whatever the data, devices, store and training throw.
CampaignResult run_campaign(const Campaign& campaign, const RunOptions& options);

}  // namespace bittern
