#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "agent/nn/score.h"
#include "host/base/phase.h"
#include "host/campaign/campaign.h"
#include "host/device/start.h"
#include "host/result/result.h"

namespace bittern {

/// How a campaign is run; nothing here changes its result.
struct RunOptions {
  std::filesystem::path out;  ///< result directory; made when it is not there
  bool resume = false;        ///< continue what is in `out`
  std::size_t workers =
      0;  ///< simulations at once and threads of LibTorch; 0: one for each processor
  std::filesystem::path store;      ///< measurement store; empty: the default
  std::vector<Endpoint> endpoints;  ///< devices that run elsewhere; empty: simulations of ours
  std::string data_folder;          ///< --data
  TensorDevice device = TensorDevice::kAuto;
  std::shared_ptr<Phases> phases;  ///< says what is being done; null: nobody wants to know
  std::string command_line;        ///< for the log and the report
};

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
