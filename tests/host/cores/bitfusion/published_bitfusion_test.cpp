#include "host/cores/bitfusion/published_bitfusion.h"

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

/// A pointwise layer of a published table.
struct Pointwise {
  std::int64_t in, out, side;
  int wgt_bits, act_bits;
  std::int64_t cycles;

  std::int64_t ours() const {
    PublishedLayer layer = pointwise(in, out, side, wgt_bits);
    layer.act_bits = act_bits;
    return published_search(eyeriss_matched(), layer).cost.cycles();
  }
};

// Latency table of APQ (Wang et al., CVPR 2020; lut/BitFusion_new.b1.dict of mit-han-lab/apq),
// which was made with the published simulator: milliseconds at 500 MHz, batch 1.
TEST(PublishedBitFusionTest, PointwiseLayersTakeWhatTheTableOfApqSays) {
  const Pointwise table[] = {
      {96, 456, 14, 4, 4, 31096},  {96, 464, 14, 4, 4, 31636},  {96, 512, 14, 4, 4, 34868},
      {96, 520, 14, 4, 4, 37022},  {96, 544, 14, 4, 4, 37022},  {488, 96, 14, 4, 4, 9241},
      {528, 96, 14, 4, 4, 9484},   {576, 96, 14, 4, 4, 9776},   {440, 192, 7, 4, 4, 5346},
      {192, 776, 7, 4, 4, 16464},  {192, 808, 7, 4, 4, 17114},  {896, 192, 7, 4, 4, 9465},
      {160, 80, 14, 6, 4, 6281},   {168, 80, 14, 6, 4, 6334},   {240, 80, 14, 6, 4, 6808},
      {80, 320, 14, 6, 4, 22034},  {320, 80, 14, 6, 4, 7334},   {80, 328, 14, 6, 4, 24205},
      {80, 424, 14, 6, 4, 30717},  {112, 24, 56, 6, 6, 36148},  {24, 120, 56, 6, 6, 127882},
      {120, 24, 56, 6, 6, 36938},  {24, 136, 56, 6, 6, 144620}, {96, 40, 28, 6, 6, 12926},
      {104, 40, 28, 6, 6, 13132},  {128, 40, 28, 6, 6, 13750},  {136, 40, 28, 6, 6, 14574},
      {144, 40, 28, 6, 6, 14598},  {160, 40, 28, 6, 6, 16174},  {168, 40, 28, 6, 6, 17756},
      {40, 160, 28, 6, 6, 42994},  {40, 168, 28, 6, 6, 45094},  {208, 80, 14, 6, 6, 8454},
      {216, 80, 14, 6, 6, 9069},   {232, 80, 14, 6, 6, 9711},   {776, 320, 7, 8, 8, 31418},
      {784, 320, 7, 8, 8, 31688},  {864, 320, 7, 8, 8, 34388},  {872, 320, 7, 8, 8, 34561},
      {1024, 320, 7, 8, 8, 34561}, {1032, 320, 7, 8, 8, 40328}, {1048, 320, 7, 8, 8, 40868},
      {1152, 320, 7, 8, 8, 44108}, {16, 64, 112, 8, 8, 276011}, {16, 72, 112, 8, 8, 309467},
      {16, 80, 112, 8, 8, 342924}, {16, 88, 112, 8, 8, 376379}, {64, 24, 56, 8, 8, 33515},
      {72, 24, 56, 8, 8, 34568},   {104, 24, 56, 8, 8, 38782},  {24, 96, 56, 8, 8, 103584},
      {24, 104, 56, 8, 8, 111956}, {16, 64, 112, 4, 4, 271809},
  };
  for (const Pointwise& entry : table) {
    EXPECT_EQ(entry.ours(), entry.cycles)
        << entry.in << " to " << entry.out << " at " << entry.side << ", " << entry.wgt_bits << "/"
        << entry.act_bits << " bits";
  }
}

// Here our search finds a tiling of the same traffic whose parts round up by one cycle more. Which
// one the table has is not known.
TEST(PublishedBitFusionTest, SomePointwiseLayersTakeOneCycleMoreThanInTheTableOfApq) {
  const Pointwise table[] = {
      {96, 552, 14, 4, 4, 39176}, {456, 192, 7, 4, 4, 5426},  {384, 192, 7, 4, 4, 5064},
      {192, 768, 7, 4, 4, 15812}, {768, 192, 7, 4, 4, 8560},  {776, 192, 7, 4, 4, 8617},
      {328, 80, 14, 6, 4, 11274}, {80, 360, 14, 6, 4, 26375}, {392, 80, 14, 6, 4, 12250},
      {768, 320, 7, 8, 8, 27488},
  };
  for (const Pointwise& entry : table) EXPECT_EQ(entry.ours(), entry.cycles + 1);
}

// Results of the authors, results/bitfusion-eyeriss-sim-sweep.csv of hsharma35/bitfusion: 16
// images, networks twice as wide where WRPN has them so.
TEST(PublishedBitFusionTest, LayersTakeWhatTheAuthorsPublished) {
  struct Entry {
    const char* name;
    std::int64_t in, out, side;  // outputs
    std::int64_t kernel, stride;
    int bits;
    bool first;
    std::int64_t cycles, stalls;
  };
  const Entry table[] = {
      {"alex_conv1", 3, 96, 55, 11, 4, 8, true, 3746423, 406823},
      {"alex_conv2", 96, 256, 27, 5, 1, 4, false, 5018849, 1249},
      {"alex_conv3", 512, 384, 13, 3, 1, 4, false, 3248129, 538625},
      {"alex_conv4", 384, 384, 13, 3, 1, 4, false, 2436097, 403969},
      {"alex_conv5", 384, 256, 13, 3, 1, 4, false, 1624065, 269313},
      {"alex_fc1", 18432, 8192, 1, 1, 1, 4, false, 3545090, 2365442},
      {"alex_fc2", 8192, 8192, 1, 1, 1, 4, false, 1575596, 1051308},
      {"alex_fc3", 8192, 1000, 1, 1, 1, 8, false, 398679, 136535},
      {"svhn_conv5", 256, 256, 8, 3, 1, 1, false, 102742, 29014},
      {"svhn_fc6", 4096, 1024, 1, 1, 1, 1, false, 27649, 19457},
      {"svhn_fc7", 1024, 1024, 1, 1, 1, 1, false, 11009, 8961},
      {"cifar_conv0", 3, 128, 32, 3, 1, 8, true, 717654, 586582},
      {"cifar_conv3", 256, 256, 16, 3, 1, 2, false, 492204, 197292},
      {"cifar_conv4", 256, 512, 8, 3, 1, 2, false, 255318, 107862},
      {"cifar_conv5", 512, 512, 8, 3, 1, 2, false, 510636, 215724},
      {"cifar_fc6", 8192, 1024, 1, 1, 1, 2, false, 99671, 83287},
      {"cifar_fc7", 1024, 1024, 1, 1, 1, 2, false, 16555, 14507},
      {"lenet_conv0", 1, 32, 32, 5, 1, 2, true, 179116, 162732},
      {"lenet_fc1", 4096, 512, 1, 1, 1, 2, false, 25259, 21163},
      {"vgg7_conv1", 3, 128, 32, 3, 1, 2, true, 704001, 638465},
      {"vgg7_conv3", 256, 512, 8, 3, 1, 2, false, 255318, 107862},
      {"vgg7_fc1", 8192, 1024, 1, 1, 1, 2, false, 99671, 83287},
      {"res_conv1", 3, 128, 112, 7, 2, 8, true, 9793537, 1765377},
      {"res_2_a", 128, 128, 56, 1, 1, 4, false, 2274988, 1873580},
      {"res_2_b", 128, 128, 56, 3, 1, 4, false, 3613708, 1036},
      {"res_3_1_a", 128, 256, 28, 1, 2, 4, false, 1104555, 903851},
      {"res_3_2_a", 256, 256, 28, 1, 1, 4, false, 1138689, 737281},
      {"res_3_b", 256, 256, 28, 3, 1, 4, false, 3613708, 1036},
      {"res_4_1_a", 256, 512, 14, 1, 2, 4, false, 571393, 370689},
      {"res_4_2_a", 512, 512, 14, 1, 1, 4, false, 674476, 273068},
      {"res_4_b", 512, 512, 14, 3, 1, 4, false, 4330838, 718166},
      {"res_5_1_a", 512, 1024, 7, 1, 2, 4, false, 345431, 144727},
      {"res_5_2_a", 1024, 1024, 7, 1, 1, 4, false, 557057, 155649},
      {"res_5_b", 1024, 1024, 7, 3, 1, 4, false, 3614180, 1508},
      {"rnn", 4096, 4096, 1, 1, 1, 4, false, 394583, 263511},
  };
  for (const Entry& entry : table) {
    PublishedLayer layer = pointwise(entry.in, entry.out, entry.side, entry.bits);
    layer.batch = 16;
    layer.kernel_h = layer.kernel_w = entry.kernel;
    layer.stride_h = layer.stride_w = entry.stride;
    layer.im2col = entry.first;
    const PublishedCost cost = published_search(eyeriss_matched(), layer).cost;
    EXPECT_EQ(cost.cycles(), entry.cycles) << entry.name;
    EXPECT_EQ(cost.stalls, entry.stalls) << entry.name;
  }
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
