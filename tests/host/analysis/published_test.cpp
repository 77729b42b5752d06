#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/analysis/measured_layers.h"
#include "host/base/error.h"
#include "host/cores/cores.h"

namespace bittern {
namespace {

Variant shipped(const std::string& name) {
  return load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/" + name + ".yaml");
}

MeasuredLayers published(const std::string& variant, const std::vector<LayerPoint>& points) {
  LayerSource source;
  source.model = LayerModel::kPublished;
  return measure_layers(shipped(variant), load_energy_table("asic_45nm"), points, source);
}

Layer convolution() {
  Layer layer;
  layer.name = "conv";
  layer.in_channels = 96;
  layer.out_channels = 256;
  layer.in_height = layer.in_width = 27;
  layer.kernel_h = layer.kernel_w = 5;
  layer.pad_top = layer.pad_bottom = layer.pad_left = layer.pad_right = 2;
  return layer;
}

TEST(PublishedMeasurementTest, TheAuthorsFigureComesOutOfTheShippedVariant) {
  const Layer layer = convolution();
  const LayerReport report = published("bitfusion_paper", {{&layer, {4, 4}}}).layers.at(0);
  EXPECT_EQ(report.origin, Origin::kPublished);
  EXPECT_EQ(report.cycles, 5018849u);
  ASSERT_EQ(report.split.size(), 3u);
  EXPECT_EQ(report.split[0], (std::pair<std::string, std::uint64_t>{"run", 5017600}));
  EXPECT_EQ(report.split[1], (std::pair<std::string, std::uint64_t>{"stall", 1249}));
  EXPECT_EQ(report.split[2].second, 0u);
  EXPECT_GT(report.bytes_read, report.bytes_written);
  EXPECT_THAT(report.schedule, testing::HasSubstr("order"));
}

// Latency table of APQ (Wang et al., CVPR 2020; lut/BitFusion_new.b1.dict of mit-han-lab/apq),
// which was made with the published simulator, batch 1: depthwise layers, which run as dense
// products of 8 channels for each product of a fusion unit.
TEST(PublishedMeasurementTest, DepthwiseLayersTakeWhatTheTableOfApqSays) {
  struct Entry {
    int channels, side, kernel, stride, wgt_bits, act_bits;  // `side` of the input
    std::uint64_t cycles;
  };
  const Entry table[] = {
      {488, 14, 3, 1, 4, 4, 44896},  {520, 14, 3, 1, 4, 4, 47702},   {552, 14, 3, 1, 4, 4, 50508},
      {464, 14, 3, 2, 4, 4, 19605},  {384, 14, 3, 2, 4, 4, 15684},   {488, 14, 5, 1, 4, 4, 94272},
      {576, 14, 5, 1, 4, 4, 106056}, {384, 14, 5, 2, 4, 4, 28788},   {768, 7, 3, 1, 4, 4, 29064},
      {776, 7, 3, 1, 4, 4, 30275},   {176, 28, 5, 1, 6, 4, 220385},  {184, 28, 5, 1, 6, 4, 240420},
      {160, 28, 3, 2, 6, 4, 19540},  {160, 28, 5, 2, 6, 4, 52920},   {320, 14, 3, 1, 6, 4, 39080},
      {120, 56, 3, 1, 6, 6, 425490}, {96, 56, 5, 1, 6, 6, 943272},   {96, 56, 7, 1, 6, 6, 1845480},
      {96, 56, 3, 2, 6, 6, 86556},   {160, 28, 3, 1, 6, 6, 143620},  {224, 28, 3, 2, 6, 6, 51856},
      {824, 7, 5, 1, 8, 8, 150792},  {768, 7, 7, 1, 8, 8, 261120},   {64, 112, 3, 2, 8, 8, 226552},
      {64, 112, 5, 2, 8, 8, 627960}, {64, 112, 7, 2, 8, 8, 1230664}, {96, 56, 3, 1, 8, 8, 340908},
  };
  Variant variant = shipped("bitfusion_paper");
  variant.batch = 1;
  LayerSource source;
  source.model = LayerModel::kPublished;
  for (const Entry& entry : table) {
    Layer layer;
    layer.name = "depthwise";
    layer.kind = LayerKind::kDepthwise;
    layer.in_channels = layer.out_channels = layer.groups = entry.channels;
    layer.in_height = layer.in_width = entry.side;
    layer.kernel_h = layer.kernel_w = entry.kernel;
    layer.stride_h = layer.stride_w = entry.stride;
    layer.pad_top = layer.pad_bottom = layer.pad_left = layer.pad_right = entry.kernel / 2;
    const MeasuredLayers measured =
        measure_layers(variant, load_energy_table("asic_45nm"),
                       {{&layer, {entry.wgt_bits, entry.act_bits}}}, source);
    EXPECT_EQ(measured.layers.at(0).cycles, entry.cycles)
        << entry.channels << " channels at " << entry.side << ", kernel " << entry.kernel << ", "
        << entry.wgt_bits << "/" << entry.act_bits << " bits";
  }
}

TEST(PublishedMeasurementTest, BitsAreThoseAskedForAndGroupsAreChargedOneByOne) {
  Layer layer = convolution();
  const auto cycles = [&](BitPair bits) {
    return published("bitfusion_paper", {{&layer, bits}}).layers.at(0);
  };
  // Three bits run like four, but are fewer in memory, which leaves room for better tiles.
  EXPECT_LT(cycles({3, 3}).cycles, cycles({4, 4}).cycles);
  const std::uint64_t one = cycles({4, 4}).cycles;
  layer.groups = 2;
  layer.in_channels *= 2;
  layer.out_channels *= 2;
  EXPECT_EQ(cycles({4, 4}).cycles, 2 * one);
}

TEST(PublishedMeasurementTest, TheEnergyTableAgreesWithTheNumbersOfTheSimulator) {
  const Layer layer = convolution();
  const Variant variant = shipped("bitfusion_paper");
  const LayerReport report = published("bitfusion_paper", {{&layer, {4, 4}}}).layers.at(0);
  // 5 017 600 cycles of 512 units at 0.459 pJ, buffers, DRAM at 15 pJ a bit; leakage besides.
  const double array = 5017600.0 * 512 * 0.459e-12;
  const double dram = 8.0 * static_cast<double>(report.bytes_read + report.bytes_written) * 15e-12;
  const double leakage =
      load_energy_table("asic_45nm").static_power.value * variant.seconds(report.cycles);
  EXPECT_GT(report.energy_j, array + dram + leakage);
  // 32-bit products move most: 4 bits of both operands for each, and little else.
  const double products = static_cast<double>(layer.macs()) * variant.batch;
  const double buffers = products * 4 * (0.021 + 0.059) * 1e-12;
  EXPECT_NEAR(report.energy_j, array + dram + leakage + buffers, 0.1 * report.energy_j);
}

TEST(PublishedMeasurementTest, CoresWithoutAPublishedModelSayWhatToUse) {
  const Layer layer = convolution();
  try {
    published("bismo_edge", {{&layer, {4, 4}}});
    FAIL() << "measured";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("bismo"));
    EXPECT_THAT(error.what(), testing::HasSubstr("closed form"));
  }
}

TEST(PublishedMeasurementTest, WidthsThatACoreLacksAreErrorsThatSayWhichItHas) {
  const Layer layer = convolution();
  LayerSource source;
  source.model = LayerModel::kClosed;
  const auto closed = [&](const std::string& name, BitPair bits) {
    const Variant variant = shipped(name);
    return measure_layers(variant, load_energy_table(variant.energy), {{&layer, bits}}, source);
  };
  EXPECT_NO_THROW(closed("bitfusion_edge", {16, 9}));
  try {
    closed("bismo_edge", {9, 8});
    FAIL() << "measured";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("9 bits, expected 1 to 8"));
  }
  EXPECT_THROW(closed("bitfusion_edge", {17, 8}), Error);
}

}  // namespace
}  // namespace bittern
