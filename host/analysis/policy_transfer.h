#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "host/analysis/campaign_data.h"

namespace bittern {

/// The policies that a method found for one machine, run on another (HAQ, CVPR 2019, Table 1).
struct TransferRow {
  std::string network;
  std::string limits;
  std::string method;
  std::string made_for;
  std::string run_on;
  std::size_t seeds = 0;  ///< that both machines have
  std::optional<double>
      latency_s;  ///< mean over seeds, of a batch; nothing where a cost is missing
  /// Latency as a multiple of that of the policy which was found for the machine it runs on; the
  /// mean over seeds. 1 on its own machine.
  std::optional<double> penalty;
  std::string note;  ///< what is missing, or was rounded up
};

/// For every network, limits and method that have several machines: each policy on each of them, by
/// the lut.csv that the campaigns wrote, so that origins are theirs. Bits that a machine's table
/// does not have cost what the next wider ones cost there (as machines round widths up), and the
/// row says so. Throws Error naming a lut.csv that is damaged.
std::vector<TransferRow> policy_transfer(const AnalysedCampaigns& campaigns);

}  // namespace bittern
