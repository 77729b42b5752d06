#pragma once

#include <memory>
#include <optional>
#include <string>

#include "host/campaign/campaign.h"
#include "host/cores/core.h"
#include "host/cost/cost_models.h"
#include "host/energy/energy.h"
#include "host/network/network.h"
#include "host/variant/variant.h"

namespace bittern {

/// What a campaign runs on: a variant with its energy table or, with `cost: table`, whatever its
/// table is of.
struct CampaignHardware {
  std::string name;
  int batch = 1;
  /// The next three are there but for a table.
  std::optional<Variant> variant;
  std::optional<EnergyTable> energy;
  std::unique_ptr<Core> core;
  std::unique_ptr<TableCostModel> table;  ///< with a table only

  /// Bits that run where `bits` are asked for; a table's are taken as they are.
  BitPair runs(BitPair bits) const { return core ? core->supported(bits) : bits; }
};

/// Reads variant and energy table, or the table. Throws Error as these do, and when the campaign
/// names another variant than its table.
CampaignHardware load_hardware(const Campaign& campaign, const Network& network);

}  // namespace bittern
