#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/campaign/accuracy_source.h"
#include "host/campaign/baselines.h"
#include "host/campaign/costs.h"
#include "host/campaign/hardware.h"
#include "host/campaign/run_options.h"
#include "host/search/driver.h"

namespace bittern {

/// A campaign that was found fit to run, with everything that was loaded to find that out.
struct Preflight {
  /// Held by pointer: what was made from it refers to it.
  std::unique_ptr<Network> network_at = std::make_unique<Network>();
  const Network& network() const { return *network_at; }
  CampaignHardware hardware;
  SearchOptions search;
  CampaignCosts costs;
  Baselines baselines;
  std::string reference;  ///< bits that ratios refer to, "8/8"
  std::unique_ptr<AccuracySource> accuracies;
  std::optional<Experience> start;    ///< what the search starts from
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
