#include "host/campaign/costs.h"

namespace bittern {

CampaignCosts make_costs(const Campaign& campaign, const Network& network,
                         CampaignHardware& hardware, const MeasurerOptions& measuring) {
  CampaignCosts costs;
  if (campaign.cost == "rtl") {
    costs.measurer = std::make_shared<Measurer>(*hardware.variant, measuring);
    costs.model = std::make_unique<RtlCostModel>(network, costs.measurer, *hardware.energy);
  } else if (campaign.cost == "model") {
    costs.model = std::make_unique<ModelCostModel>(network, *hardware.variant, *hardware.energy);
  } else {
    costs.model = std::move(hardware.table);
  }
  if (campaign.evaluator.codebooks) costs.model->count_codebooks();
  return costs;
}

std::vector<std::pair<std::size_t, BitPair>> cost_points(const BitSpace& space,
                                                         const Baselines& baselines) {
  std::vector<std::pair<std::size_t, BitPair>> points;
  for (std::size_t layer = 0; layer < space.layers(); ++layer) {
    for (const BitPair& bits : space.pairs(layer)) points.emplace_back(layer, bits);
    for (const BaselineRow& row : baselines.rows) points.emplace_back(layer, row.policy[layer]);
  }
  return points;
}

}  // namespace bittern
