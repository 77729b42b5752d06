#include "host/campaign/hardware.h"

#include <filesystem>

#include "host/cores/cores.h"

namespace bittern {

CampaignHardware load_hardware(const Campaign& campaign, const Network& network) {
  CampaignHardware out;
  if (campaign.cost == "table") {
    // A name need not be one of configs/variants; a variant file has its name inside.
    const bool is_file = std::filesystem::path(campaign.variant).extension() == ".yaml";
    out.table = std::make_unique<TableCostModel>(
        network, campaign.table, is_file ? load_variant(campaign.variant).name : campaign.variant);
    out.name = out.table->variant();
    out.batch = out.table->batch();
    return out;
  }
  out.variant = load_variant(campaign.variant);
  out.energy = load_energy_table(out.variant->energy);
  out.core = make_core(*out.variant);
  out.name = out.variant->name;
  out.batch = out.variant->batch;
  return out;
}

}  // namespace bittern
