#pragma once

#include <string>
#include <vector>

#include "host/analysis/campaign_data.h"
#include "host/analysis/statistics.h"

namespace bittern {

/// What a method has after so many evaluations, over its seeds.
struct CurvePoint {
  int evaluation = 0;  ///< from 1
  MeanInterval best;   ///< best accuracy within the limits so far, percent; of seeds that have one
  MeanInterval below;  ///< the same, points below the best known of problem and seed
};

/// Quality against evaluations. A search that ended keeps its last value, so that every point is
/// over the same seeds once all of them have a policy within the limits.
struct MethodCurve {
  std::string problem;
  std::string method;
  bool reinforcement = false;
  std::vector<CurvePoint> points;
};

/// One for each problem and method that has episodes. Long curves are thinned to at most `most`
/// points; the first and the last evaluation stay.
std::vector<MethodCurve> method_curves(const AnalysedCampaigns& campaigns, std::size_t most = 500);

}  // namespace bittern
