#include "host/cost/cost.h"

#include <gtest/gtest.h>

namespace bittern {
namespace {

TEST(Cost, AddsUpAndIsSharedOut) {
  Cost cost{2.0, 6.0, 8.0};
  cost += {1.0, 3.0, 4.0};
  EXPECT_EQ(cost.latency_s, 3.0);
  EXPECT_EQ(cost.energy_j, 9.0);
  EXPECT_EQ(cost.energy_high_j, 12.0);
  EXPECT_EQ(cost.edp(), 27.0);
  EXPECT_EQ(cost.edp_high(), 36.0);
  EXPECT_EQ((cost / 3).latency_s, 1.0);
  EXPECT_EQ((cost / 3).energy_j, 3.0);
  EXPECT_EQ((cost / 3).energy_high_j, 4.0);
}

TEST(LayerCost, OfSeveralLayersHasTheWeakestOrigin) {
  LayerCost sum;
  EXPECT_EQ(sum.origin, Origin::kRtl);
  LayerCost layer;
  layer.latency_s = 0.5;
  layer.cycles = 100;
  layer.weight_bytes = 7;
  layer.origin = Origin::kModel;
  sum += layer;
  layer.origin = Origin::kBoard;
  sum += layer;
  EXPECT_EQ(sum.latency_s, 1.0);
  EXPECT_EQ(sum.cycles, 200u);
  EXPECT_EQ(sum.weight_bytes, 14.0);
  EXPECT_EQ(sum.origin, Origin::kModel);
}

}  // namespace
}  // namespace bittern
