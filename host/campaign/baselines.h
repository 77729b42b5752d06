#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/campaign/hardware.h"
#include "host/cost/cost_model.h"
#include "host/network/network.h"
#include "host/search/bit_space.h"

namespace bittern {

/// A policy that the found one is compared with.
struct BaselineRow {
  /// "uniform 4", "uniform 4, ends 8/8", "w6/a4", "w4/float", or a file's name
  std::string label;
  Policy policy;
  bool given = false;  ///< from a file of the user's
};

struct Baselines {
  std::vector<BaselineRow> rows;
  std::string note;  ///< which widths have no row, and why; empty: all have one
};

/// The policies that a search is measured against: 2 to 8 bits everywhere, and weights at 6 with
/// activations at 4 bits as HAQ prints it. First and last layer are pinned as they are in the
/// search, and a kind that the search leaves alone (modes w and a) has the bits that it has there:
/// what is compared had the same to choose from. What the hardware would run at wider bits has no
/// row, nor has what a table lacks; 8/8 in every layer has one wherever its cost is known.
/// `floats`: the kind that is left alone stays in floating point, and labels say so.
///
/// Behind them come the policies of `files`, as they are. Throws Error where one is not for
/// `network`, or the costs do not have it.
Baselines baseline_policies(const BitSpace& space, const CampaignHardware& hardware,
                            const CostModel& costs, const Network& network,
                            const std::vector<std::string>& files, bool floats = false);

}  // namespace bittern
