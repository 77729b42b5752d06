#include "host/analysis/campaign_curves.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "host/analysis/campaign_analysis.h"

namespace bittern {

std::vector<MethodCurve> method_curves(const AnalysedCampaigns& campaigns, std::size_t most) {
  std::vector<MethodCurve> out;
  for (const std::string& problem : campaigns.problems()) {
    for (const std::string& method : campaigns.methods()) {
      MethodCurve curve{problem, method, false, {}};
      std::vector<std::vector<double>> bests;
      std::vector<std::optional<BestKnown>> known;
      std::size_t longest = 0;
      for (const std::uint64_t seed : campaigns.seeds(problem, method)) {
        const AnalysedCell& cell = *campaigns.find(problem, method, seed);
        curve.reinforcement = cell.result.reinforcement;
        bests.push_back(cell.best_so_far());
        known.push_back(best_known(campaigns, problem, seed));
        longest = std::max(longest, bests.back().size());
      }
      const std::size_t every = most == 0 ? 1 : (longest + most - 1) / most;
      for (std::size_t i = 0; i < longest; ++i) {
        if (i % every != 0 && i + 1 != longest) continue;
        std::vector<double> best;
        std::vector<double> below;
        for (std::size_t s = 0; s < bests.size(); ++s) {
          if (bests[s].empty()) continue;
          const double value = bests[s][std::min(i, bests[s].size() - 1)];
          if (!std::isfinite(value)) continue;
          best.push_back(value);
          if (known[s]) below.push_back(known[s]->accuracy - value);
        }
        if (best.empty()) continue;
        curve.points.push_back(
            {static_cast<int>(i) + 1, mean_interval(best), mean_interval(below)});
      }
      if (!curve.points.empty()) out.push_back(std::move(curve));
    }
  }
  return out;
}

}  // namespace bittern
