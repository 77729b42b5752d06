#include "agent/campaign/costs.h"

namespace bittern {

CampaignCosts make_costs(const Campaign& campaign, const Network& network, const Variant& variant,
                         const EnergyTable& energy, const MeasurerOptions& measuring) {
  CampaignCosts costs;
  if (campaign.cost == "rtl") {
    costs.measurer = std::make_shared<Measurer>(variant, measuring);
    costs.model = std::make_unique<RtlCostModel>(network, costs.measurer, energy);
  } else if (campaign.cost == "model") {
    costs.model = std::make_unique<ModelCostModel>(network, variant, energy);
  } else {
    costs.model = std::make_unique<TableCostModel>(network, variant, campaign.table);
  }
  return costs;
}

std::vector<std::pair<std::size_t, BitPair>> cost_points(const Network& network,
                                                         const BitSpace& space) {
  std::vector<std::pair<std::size_t, BitPair>> points;
  for (std::size_t layer = 0; layer < network.layers.size(); ++layer) {
    for (const BitPair& bits : space.pairs(layer)) points.emplace_back(layer, bits);
    for (int b = kUniformLow; b <= kUniformHigh; ++b) points.emplace_back(layer, BitPair{b, b});
  }
  return points;
}

}  // namespace bittern
