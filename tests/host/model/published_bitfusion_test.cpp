#include "host/model/published_bitfusion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.h"

namespace bittern {
namespace {

/// The machine of the published figures: 16 x 32 fusion units, 64, 32 and 16 KB, 192 bits a cycle.
PublishedBitFusion eyeriss_matched() {
  PublishedBitFusion machine;
  machine.n = 16;
  machine.m = 32;
  machine.wgt_bits = std::int64_t{64} << 13;
  machine.act_bits = std::int64_t{32} << 13;
  machine.out_bits = std::int64_t{16} << 13;
  machine.dram_bits = 192;
  return machine;
}

PublishedLayer pointwise(std::int64_t in, std::int64_t out, std::int64_t side, int bits) {
  PublishedLayer layer;
  layer.in_channels = in;
  layer.out_channels = out;
  layer.out_height = layer.out_width = side;
  layer.wgt_bits = layer.act_bits = bits;
  return layer;
}

// Latency table of APQ (Wang et al., CVPR 2020), which was made with the published simulator:
// milliseconds at 500 MHz, batch 1.
TEST(PublishedBitFusionTest, PointwiseLayersTakeWhatTheTableOfApqSays) {
  EXPECT_EQ(published_search(eyeriss_matched(), pointwise(96, 456, 14, 4)).cost.cycles(), 31096);
  EXPECT_EQ(published_search(eyeriss_matched(), pointwise(16, 64, 112, 4)).cost.cycles(), 271809);
  EXPECT_EQ(published_search(eyeriss_matched(), pointwise(16, 64, 112, 8)).cost.cycles(), 276011);
}

// The authors' own results for AlexNet with all layers twice as wide (WRPN), batch 16: half of
// conv2 (one of its two groups) and fc1.
TEST(PublishedBitFusionTest, LayersOfAlexNetTakeWhatTheAuthorsPublished) {
  PublishedLayer conv2 = pointwise(96, 256, 27, 4);
  conv2.kernel_h = conv2.kernel_w = 5;
  conv2.batch = 16;
  const PublishedCost conv = published_search(eyeriss_matched(), conv2).cost;
  EXPECT_EQ(conv.cycles(), 5018849);
  EXPECT_EQ(conv.stalls, 1249);

  PublishedLayer fc1 = pointwise(2 * 9216, 2 * 4096, 1, 4);
  fc1.batch = 16;
  const PublishedCost fc = published_search(eyeriss_matched(), fc1).cost;
  EXPECT_EQ(fc.cycles(), 3545090);
  EXPECT_EQ(fc.stalls, 2365442);
}

TEST(PublishedBitFusionTest, TheBestTilingIsNoWorseThanAnyOtherOfTheSearch) {
  PublishedLayer layer = pointwise(24, 70, 13, 8);
  layer.kernel_h = layer.kernel_w = 3;
  layer.batch = 2;
  const PublishedBest best = published_search(eyeriss_matched(), layer);
  EXPECT_EQ(published_cost(eyeriss_matched(), layer, best.tiling).cycles(), best.cost.cycles());
  for (const std::int64_t side : {1, 2, 4, 8}) {
    for (const std::int64_t in : {1, 8, 24}) {
      PublishedTiling tiling;
      tiling.height = tiling.width = side;
      tiling.in_channels = in;
      tiling.out_channels = 32;
      EXPECT_GE(published_cost(eyeriss_matched(), layer, tiling).cycles(), best.cost.cycles());
    }
  }
}

TEST(PublishedBitFusionTest, ComputeFollowsTheArray) {
  const PublishedBitFusion machine = eyeriss_matched();
  PublishedTiling tiling;
  tiling.batch = 2;
  tiling.height = 4;
  tiling.width = 5;
  tiling.in_channels = 40;
  tiling.out_channels = 70;
  PublishedLayer layer = pointwise(80, 140, 1, 8);
  layer.batch = 2;
  layer.out_height = 8;
  layer.out_width = 5;
  layer.kernel_h = 3;
  layer.kernel_w = 2;
  // 2 x 2 x 2 tiles of 40 pixels, 3 blocks of 32 output channels, 3 x 2 positions, and 40 channels
  // that take 3 steps of 16 at 8/8 bits, 1 at 4/4 (64 a step).
  EXPECT_EQ(published_cost(machine, layer, tiling).compute, 8 * 40 * 3 * 6 * 3);
  layer.wgt_bits = layer.act_bits = 4;
  EXPECT_EQ(published_cost(machine, layer, tiling).compute, 8 * 40 * 3 * 6 * 1);
  // Three and four bits run alike, but three are fewer in memory.
  const PublishedCost four = published_cost(machine, layer, tiling);
  layer.wgt_bits = layer.act_bits = 3;
  const PublishedCost three = published_cost(machine, layer, tiling);
  EXPECT_EQ(three.compute, four.compute);
  EXPECT_LT(three.dram_read, four.dram_read);
  // Gathered, 240 values take 4 steps of 64 instead of 6.
  layer.im2col = true;
  EXPECT_EQ(published_cost(machine, layer, tiling).compute, 8 * 40 * 3 * 4);
}

TEST(PublishedBitFusionTest, WhatTheSimulatorCannotDoIsAnError) {
  EXPECT_THROW(published_search(eyeriss_matched(), pointwise(8, 8, 8, 16)), Error);
  PublishedLayer huge = pointwise(1, 1, 1, 8);
  huge.kernel_h = huge.kernel_w = 200;
  try {
    published_search(eyeriss_matched(), huge);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("200x200"));
  }
}

}  // namespace
}  // namespace bittern
