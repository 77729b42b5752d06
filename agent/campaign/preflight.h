#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/campaign/baselines.h"
#include "agent/campaign/costs.h"
#include "agent/campaign/hardware.h"
#include "agent/campaign/runner.h"
#include "agent/campaign/settings.h"
#include "agent/nn/safetensors.h"

namespace bittern {

/// A campaign that was found fit to run, with everything that was loaded to find that out.
struct Preflight {
  Network network;
  CampaignHardware hardware;
  HaqOptions search;
  CampaignCosts costs;
  Baselines baselines;
  std::string reference;  ///< bits that ratios refer to, "8/8"
  DataOptions data;
  DataOutline images;
  std::optional<TensorFile> checkpoint;
  std::vector<std::string> warnings;  ///< what makes the results doubtful from the start

  /// What the costs will take.
  struct Points {
    std::size_t all = 0;       ///< different layers, bits and schedules
    std::size_t stored = 0;    ///< of these, in the measurement store (`cost: rtl`)
    std::uint64_t cycles = 0;  ///< of those that are to be simulated, by the closed form
  } points;
  /// One constraint, by the closed form or the table.
  struct Limit {
    Constraint constraint;
    double limit = 0.0;  ///< absolute
    double least = 0.0;  ///< that a policy of the search can reach
  };
  std::vector<Limit> limits;
};

/// Checks whatever can be known of a campaign before anything is simulated or trained: files, data
/// (headers and labels), checkpoint, network, ranges, feasibility of the constraints, result
/// directory, store, devices. Makes and changes nothing, but for the store, which is made when
/// `may_make_store` is set. Throws Error as the part would that runs into it later.
Preflight preflight(const Campaign& campaign, const RunOptions& options, bool may_make_store);

/// What a run will do, for `bittern run --check`.
std::string preflight_text(const Campaign& campaign, const RunOptions& options,
                           const Preflight& found);

}  // namespace bittern
