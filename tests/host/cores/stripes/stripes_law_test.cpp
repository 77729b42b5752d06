#include "host/cores/stripes/stripes_law.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.h"
#include "host/cores/cores.h"
#include "host/cores/matrix/matrix_core.h"
#include "host/cores/stripes/stripes_core.h"
#include "host/network/network.h"
#include "tests/host/cores/random_layers.h"

// Steps that the closed form counts (and the RTL with it, rtl_test.cpp) against the law of
// docs/stripes.md, and against figures that were computed elsewhere for 16 windows x 16 channels x
// F filters with serial weights: the reading of Stripes in ReLeQ.

namespace bittern {
namespace {

std::string configs() { return std::string(BITTERN_SOURCE_DIR) + "/configs/"; }

Variant variant_of(const std::string& name) {
  return load_variant(configs() + "variants/" + name + ".yaml");
}

StripesArray array_of(const Variant& variant) {
  StripesArray array;
  array.columns = static_cast<int>(variant.parameter("Columns"));
  array.filters = static_cast<int>(variant.parameter("Rows") * variant.parameter("Tiles"));
  array.lanes = static_cast<int>(variant.parameter("Lanes"));
  array.serial = static_cast<int>(variant.parameter("Serial"));
  return array;
}

std::int64_t event(const ModelResult& result, const std::string& name) {
  for (const auto& [event, count] : result.events) {
    if (event == name) return static_cast<std::int64_t>(count);
  }
  fail("no event {}", name);
}

struct Case {
  std::string variant;
  int serial;
};

class StripesStepsTest : public testing::TestWithParam<Case> {};

TEST_P(StripesStepsTest, EqualTheLawForRandomLayers) {
  Variant variant = variant_of(GetParam().variant);
  variant.rtl["Serial"] = GetParam().serial;
  const StripesArray array = array_of(variant);
  // Depthwise layers are packed as full as a brick is.
  variant.lowering["depthwise_pack"] = array.lanes;
  const StripesCore core(stripes_config(variant));
  Rng rng(31);
  int staggered = 0;
  int cascades = 0;
  for (int i = 0; i < 60; ++i) {
    const Layer layer = random_layer(rng);
    const Precision precision = random_precision(rng, core.max_bits());
    const int batch = static_cast<int>(rng.integer(1, 3));
    const auto plan = core.plan(layer, precision, batch);
    const MatrixSchedule& schedule = dynamic_cast<const MatrixPlan&>(*plan).schedule;
    const std::int64_t steps = event(core.model(*plan), "exec_run");
    const std::int64_t law = stripes_steps(layer, batch, precision.bits, array);
    if (schedule.columns == 1) {
      EXPECT_EQ(steps, law) << layer.name;
      continue;
    }
    EXPECT_LT(steps, law) << layer.name;
    EXPECT_LE(schedule.columns, precision.bits.activation) << layer.name;
    if (schedule.cascade) {
      // One window at a time, the reduction in as many parts as there are columns.
      ++cascades;
      StripesArray one = array;
      one.columns = 1;
      one.serial = 0;
      Precision bit;
      bit.bits = {1, 1};
      const MatrixShape shape = MatrixShape::of(layer, batch, core.config());
      const std::int64_t tiles = stripes_steps(layer, batch, bit.bits, one) / shape.k_words;
      const std::int64_t bricks = (shape.k_words + schedule.columns - 1) / schedule.columns;
      EXPECT_EQ(steps, tiles * bricks * precision.bits.activation) << layer.name;
      continue;
    }
    // One window at a time, the filters of several columns.
    ++staggered;
    StripesArray wider = array;
    wider.columns = 1;
    wider.filters *= schedule.columns;
    EXPECT_EQ(steps, stripes_steps(layer, batch, precision.bits, wider)) << layer.name;
  }
  if (array.serial == 0) {
    EXPECT_GT(staggered + cascades, 0);
    EXPECT_GT(cascades, 0);
  } else {
    EXPECT_EQ(staggered + cascades, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, StripesStepsTest,
                         testing::Values(Case{"stripes_tiny", 0}, Case{"stripes_tiny", 1},
                                         Case{"stripes_tiny", 2}, Case{"stripes_edge", 0},
                                         Case{"stripes_cloud", 0}, Case{"stripes_releq", 1},
                                         Case{"stripes_paper", 0}, Case{"stripes_paper", 2}),
                         [](const auto& info) {
                           return info.param.variant + "_serial" +
                                  std::to_string(info.param.serial);
                         });

TEST(StripesStaggerTest, AFullyConnectedLayerTakesABrickACycle) {
  // 64 filter groups of 8 at 8 bits, 4 bricks: one brick of weights a cycle, as the paper has it.
  const StripesCore core(stripes_config(variant_of("stripes_edge")));
  Layer layer;
  layer.name = "fc";
  layer.kind = LayerKind::kLinear;
  layer.in_channels = 128;
  layer.out_channels = 512;
  for (const int bits : {1, 2, 4, 8}) {
    Precision precision;
    // One-bit weights come from memory as fast as they are used.
    precision.bits = {1, bits};
    const auto plan = core.plan(layer, precision, 1);
    EXPECT_EQ(dynamic_cast<const MatrixPlan&>(*plan).schedule.columns, bits);
    EXPECT_EQ(event(core.model(*plan), "exec_run"), 64 * 4) << bits;
  }
  // Eight images fill the columns as windows: no staggering is faster.
  Precision precision;
  const auto plan = core.plan(layer, precision, 8);
  EXPECT_EQ(dynamic_cast<const MatrixPlan&>(*plan).schedule.columns, 1);
  EXPECT_EQ(event(core.model(*plan), "exec_run"), 64 * 4 * 8);
}

TEST(StripesStaggerTest, FullyConnectedLayersFollowTheLawOfThePaper) {
  // max(S + p - 1, ceil(S / columns) * p) cycles for S bricks of all filter groups; p - 1 of them
  // are not steps. Where neither groups nor bricks divide, the columns cannot be kept full, and
  // where a column has only a brick, tiles are complete faster than they can be written.
  for (const std::string name : {"stripes_edge", "stripes_paper"}) {
    const Variant variant = variant_of(name);
    const StripesArray array = array_of(variant);
    const StripesCore core(stripes_config(variant));
    for (const int groups : {1, 2, 3, 5, 16, 40}) {
      for (const int bricks : {32, 48, 96}) {
        for (const int bits : {1, 2, 4, 8, 16}) {
          if (bits > core.max_bits()) continue;
          Layer layer;
          layer.name = "fc";
          layer.kind = LayerKind::kLinear;
          layer.in_channels = bricks * array.lanes;
          layer.out_channels = groups * array.filters;
          Precision precision;
          precision.bits = {1, bits};
          const ModelResult result = core.model(*core.plan(layer, precision, 1));
          const int most = std::min(bits, array.columns);
          EXPECT_EQ(event(result, "exec_run"), groups * bricks / most * bits)
              << name << " " << groups << " x " << bricks << " bricks, " << bits << " bits";
        }
      }
    }
  }
}

/// The machine of the paper with `tiles` tiles of 16 filters.
StripesCore paper(int tiles) {
  Variant variant = variant_of("stripes_paper");
  variant.rtl["Tiles"] = tiles;
  return StripesCore(stripes_config(variant));
}

class StripesPaperTest : public testing::TestWithParam<std::string> {};

TEST_P(StripesPaperTest, ConvolutionsTakeTheBitsOfActivationsInSteps) {
  const Network net = load_network(configs() + "networks/" + GetParam() + ".yaml");
  for (const int tiles : {1, 16}) {
    const StripesCore core = paper(tiles);
    int convolutions = 0;
    int exact = 0;
    for (const Layer& layer : net.layers) {
      if (layer.kind != LayerKind::kConv) continue;
      ++convolutions;
      // Bricks of 16 windows and all their filters, as DNNsim counts them.
      const auto parts = [](int value, int part) { return (value + part - 1) / part; };
      const std::int64_t bricks = static_cast<std::int64_t>(layer.groups) *
                                  parts(layer.out_height() * layer.out_width(), 16) *
                                  parts(layer.out_channels / layer.groups, 16 * tiles) *
                                  layer.kernel_h * layer.kernel_w *
                                  parts(layer.in_channels / layer.groups, 16);
      for (int bits = 1; bits <= 16; ++bits) {
        Precision precision;
        precision.bits = {16, bits};
        const auto plan = core.plan(layer, precision, 1);
        const ModelResult result = core.model(*plan);
        const std::int64_t steps = event(result, "exec_run");
        if (dynamic_cast<const MatrixPlan&>(*plan).schedule.columns == 1) {
          EXPECT_EQ(steps, bricks * bits) << layer.name << " " << bits;
          ++exact;
        } else {
          // Staggered columns leave none idle where the last round of windows has few.
          EXPECT_LT(steps, bricks * bits) << layer.name << " " << bits;
        }
        EXPECT_EQ(event(result, "array_planes") + event(result, "array_upper_planes"), 16 * steps);
      }
    }
    EXPECT_GE(convolutions, 2);
    EXPECT_GE(exact, 15 * convolutions);
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, StripesPaperTest, testing::Values("lenet", "alexnet_grouped"),
                         [](const auto& info) { return info.param; });

TEST(StripesPaperTest, ConvolutionsOfAlexNetAreBoundByTheArray) {
  // So that 16 / p is the speed-up of the whole layer, not only of its steps: besides these there
  // is no more than the first stripe of each operand of a group, latency and the last tile.
  const StripesCore core = paper(1);
  for (const Layer& layer : load_network(configs() + "networks/alexnet_grouped.yaml").layers) {
    if (layer.kind != LayerKind::kConv) continue;
    const int bricks = layer.groups * layer.kernel_h * layer.kernel_w *
                       ((layer.in_channels / layer.groups + 15) / 16);
    for (const int bits : {16, 8, 5, 2}) {
      Precision precision;
      precision.bits = {16, bits};
      const ModelResult result = core.model(*core.plan(layer, precision, 1));
      const auto steps = static_cast<std::uint64_t>(event(result, "exec_run"));
      EXPECT_LE(result.cycles, steps + bricks * (16 + bits) + 300) << layer.name << " " << bits;
    }
  }
}

TEST(StripesPaperTest, SixteenStaggeredColumnsTakeABrickACycle) {
  const StripesCore core = paper(1);
  Layer layer;
  layer.name = "fc";
  layer.kind = LayerKind::kLinear;
  layer.in_channels = 64;
  layer.out_channels = 1024;
  Precision precision;
  precision.bits = {1, 16};
  const auto plan = core.plan(layer, precision, 1);
  EXPECT_EQ(dynamic_cast<const MatrixPlan&>(*plan).schedule.columns, 16);
  EXPECT_EQ(event(core.model(*plan), "exec_run"), 1024 / 16 * 64 / 16);
}

/// Steps of a network on stripes_releq with `filters` filters, as the closed form of the whole core
/// counts them, layer by layer.
std::int64_t network_steps(const std::string& network, int filters, const std::vector<int>& bits,
                           std::size_t layers = 1000) {
  Variant variant = variant_of("stripes_releq");
  variant.rtl["Rows"] = filters;
  // Any number of filters: a plane of weights is as narrow as 16 filters.
  variant.rtl["FetchLanes"] = 1;
  variant.rtl["NumReadPorts"] = 2;
  variant.rtl["NumWritePorts"] = 1;
  const StripesCore core(stripes_config(variant));
  const Network net = load_network(configs() + "networks/" + network + ".yaml");
  std::int64_t steps = 0;
  for (std::size_t i = 0; i < std::min(layers, net.layers.size()); ++i) {
    Precision precision;
    precision.bits = {bits.size() == 1 ? bits[0] : bits.at(i), 8};
    const auto plan = core.plan(net.layers[i], precision, 1);
    steps += event(core.model(*plan), "exec_run");
  }
  return steps;
}

/// Of two counts, as printed with three decimals.
double ratio(std::int64_t a, std::int64_t b) {
  return std::round(1000.0 * static_cast<double>(a) / static_cast<double>(b)) / 1000.0;
}

struct Published {
  std::string network;
  std::vector<int> bits;
  std::int64_t steps[4];  ///< at 8 bits, for 16, 64, 128, 256 filters
  double speed_up[4];
};

class StripesReleqTest : public testing::TestWithParam<Published> {};

TEST_P(StripesReleqTest, StepsAndSpeedUpsAreTheComputedOnes) {
  const Published& want = GetParam();
  const int filters[4] = {16, 64, 128, 256};
  for (int i = 0; i < 4; ++i) {
    const std::int64_t eight = network_steps(want.network, filters[i], {8});
    EXPECT_EQ(eight, want.steps[i]) << filters[i];
    EXPECT_DOUBLE_EQ(ratio(eight, network_steps(want.network, filters[i], want.bits)),
                     want.speed_up[i])
        << filters[i];
  }
}

// 22 of the 23 bits that are printed for ResNet-20: it has 22 layers.
INSTANTIATE_TEST_SUITE_P(
    Networks, StripesReleqTest,
    testing::Values(
        Published{"lenet", {2, 2, 3, 2}, {33856, 12256, 10656, 9856}, {3.364, 3.538, 3.721, 3.844}},
        Published{"resnet20",
                  {8, 2, 2, 3, 2, 2, 2, 3, 2, 3, 3, 3, 2, 2, 2, 2, 3, 2, 2, 2, 2, 8},
                  {83488, 51488, 51488, 51488},
                  {3.159, 2.914, 2.914, 2.914}},
        Published{"vgg11",
                  {8, 5, 8, 5, 6, 6, 6, 6, 8},
                  {424192, 106240, 55552, 32512},
                  {1.333, 1.332, 1.313, 1.299}},
        Published{"alexnet",
                  {8, 4, 4, 4, 4, 4, 4, 8},
                  {3745216, 936816, 578768, 386096},
                  {1.625, 1.624, 1.486, 1.335}},
        Published{"svhn8",
                  {8, 4, 4, 4, 4, 4, 4, 8},
                  {92288, 30080, 25472, 24896},
                  {1.816, 1.728, 1.686, 1.680}}),
    [](const auto& info) { return info.param.network; });

TEST(StripesReleqTest, ReleqAgainstAdmm) {
  const int filters[4] = {16, 64, 128, 256};
  const double lenet[4] = {1.460, 1.731, 1.954, 2.105};
  const double alexnet[4] = {0.971, 0.971, 0.985, 0.992};
  const double convolutions[4] = {1.111, 1.111, 1.078, 1.048};
  const std::vector<int> admm = {8, 5, 5, 5, 5, 3, 3, 8};
  const std::vector<int> releq = {8, 4, 4, 4, 4, 4, 4, 8};
  for (int i = 0; i < 4; ++i) {
    const int f = filters[i];
    EXPECT_DOUBLE_EQ(
        ratio(network_steps("lenet", f, {5, 3, 2, 3}), network_steps("lenet", f, {2, 2, 3, 2})),
        lenet[i]);
    EXPECT_DOUBLE_EQ(ratio(network_steps("alexnet", f, admm), network_steps("alexnet", f, releq)),
                     alexnet[i]);
    EXPECT_DOUBLE_EQ(
        ratio(network_steps("alexnet", f, admm, 5), network_steps("alexnet", f, releq, 5)),
        convolutions[i]);
  }
}

TEST(StripesReleqTest, SimpleNetAtFiveBitsIsExactlyEightFifthsAsFast) {
  for (const int filters : {16, 32, 64, 128, 256}) {
    EXPECT_EQ(5 * network_steps("simplenet", filters, {8}),
              8 * network_steps("simplenet", filters, {5}))
        << filters;
  }
}

TEST(StripesReleqTest, MobileNetCountsDepthwiseFiltersWithChannelsOfTheirOwn) {
  // The first 28 of the 30 bits that are printed.
  const std::vector<int> bits = {8, 5, 6, 6, 4, 4, 7, 8, 4, 6, 8, 5, 5, 8,
                                 6, 7, 7, 7, 6, 8, 6, 8, 8, 6, 7, 5, 5, 7};
  const Network net = load_network(configs() + "networks/mobilenet_v1.yaml");
  ASSERT_EQ(net.layers.size(), bits.size());
  const int filters[4] = {16, 64, 128, 256};
  const double want[4] = {1.277, 1.272, 1.267, 1.275};
  for (int i = 0; i < 4; ++i) {
    const StripesArray array{16, filters[i], 16, 1};
    std::int64_t eight = 0;
    std::int64_t mixed = 0;
    std::int64_t packed = 0;
    for (std::size_t l = 0; l < bits.size(); ++l) {
      const auto steps = [&](int b, StripesDepthwise reading) {
        return stripes_steps(net.layers[l], 1, {b, 8}, array, reading);
      };
      eight += steps(8, StripesDepthwise::kOwnChannel);
      mixed += steps(bits[l], StripesDepthwise::kOwnChannel);
      packed += steps(8, StripesDepthwise::kPacked);
    }
    EXPECT_DOUBLE_EQ(ratio(eight, mixed), want[i]) << filters[i];
    // What the core really takes: the same with no more filters than lanes.
    EXPECT_EQ(packed, network_steps("mobilenet_v1", filters[i], {8}));
    if (filters[i] == 16) {
      EXPECT_EQ(packed, eight);
    } else {
      EXPECT_GT(packed, eight);
    }
  }
}

}  // namespace
}  // namespace bittern
