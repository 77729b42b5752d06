// bismo_cloud and bismo_edge against what is known of the machines that HAQ (Wang et al., CVPR
// 2019) measured: the leading term of its published latency table, layer by layer, and the
// milliseconds of its Table 3. docs/reproduction.md says where both come from.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "host/base/ceil_div.h"
#include "host/cores/cores.h"
#include "host/network/network.h"

namespace bittern {
namespace {

/// Cycles of a layer on an array of rows x rows dot products of 256 bits: one image after the
/// other; activations and weights come as a word of 256 bits a cycle each; the slowest of compute,
/// activations and weights counts. `pack` depthwise channels share a word.
std::int64_t law(const Layer& layer, int bits, std::int64_t rows, std::int64_t pack,
                 std::int64_t batch) {
  const std::int64_t pixels = std::int64_t{layer.out_height()} * layer.out_width();
  if (layer.kind == LayerKind::kDepthwise) {
    return batch * bits * pixels * ceil_div(layer.in_channels, pack);
  }
  const std::int64_t words = ceil_div(layer.reduction(), 256);
  if (layer.kind == LayerKind::kLinear) return bits * layer.out_channels * words;
  return batch * std::max({bits * bits * ceil_div(pixels, rows) *
                               ceil_div(layer.out_channels, rows) * words,
                           bits * pixels * words, bits * layer.out_channels * words});
}

struct Sums {
  std::int64_t ours = 0;
  std::int64_t law = 0;
};

class HaqLawTest : public testing::Test {
 protected:
  void load(const std::string& variant) {
    variant_ = load_variant(variant);
    core_ = make_core(variant_);
  }
  /// All layers but the first and the last; each within `low` and `high` of the law.
  Sums middle(const std::string& network, int bits, double low, double high) {
    const Network loaded = load_network(network);
    const bool cloud = variant_.batch > 1;
    // Shapes come again, within a network and from test to test.
    static std::map<std::string, std::int64_t> known;
    Sums sums;
    for (std::size_t i = 1; i + 1 < loaded.layers.size(); ++i) {
      const Layer& layer = loaded.layers[i];
      const auto [at, fresh] =
          known.try_emplace(variant_.name + std::to_string(bits) + layer.key());
      if (fresh) {
        const Precision precision{{bits, bits}, true, layer.signed_input};
        const auto plan = core_->plan(layer, precision, variant_.batch);
        at->second = static_cast<std::int64_t>(core_->model(*plan).cycles);
      }
      const std::int64_t expected =
          law(layer, bits, cloud ? 16 : 8, cloud ? 16 : 1, variant_.batch);
      const double ratio = static_cast<double>(at->second) / static_cast<double>(expected);
      EXPECT_GE(ratio, low) << network << " " << layer.name << " at " << bits << " bits";
      EXPECT_LE(ratio, high) << network << " " << layer.name << " at " << bits << " bits";
      sums.ours += at->second;
      sums.law += expected;
    }
    return sums;
  }
  double milliseconds(std::int64_t cycles) const {
    return 1e3 * variant_.seconds(static_cast<std::uint64_t>(cycles));
  }

  Variant variant_;
  std::unique_ptr<Core> core_;
};

TEST_F(HaqLawTest, EveryCloudLayerFollowsTheLawOfThePublishedTable) {
  load("bismo_cloud");
  const std::map<int, std::int64_t> known = {{3, 10305600}, {4, 14595584}, {5, 19504960},
                                             {6, 24918528}, {7, 30836288}, {8, 37258240}};
  for (const auto& [bits, law] : known) {
    const Sums sums = middle("mobilenet_v2", bits, 1.0, 1.05);
    EXPECT_EQ(sums.law, law) << bits << " bits";
    EXPECT_LE(sums.ours, law + law / 500) << bits << " bits";
  }
}

TEST_F(HaqLawTest, OutputsHoldUpTwoBitLayersOnTheCloudOnly) {
  // A tile of 4 cycles cannot be followed by the next one before 5: a result slot is in use for
  // ten, from the last step of its tile until its last beat has left, and there are two.
  load("bismo_cloud");
  const Sums sums = middle("mobilenet_v2", 2, 1.0, 1.27);
  EXPECT_EQ(sums.law, 6556288);
  EXPECT_LE(sums.ours, sums.law + sums.law / 40);
}

TEST_F(HaqLawTest, CloudLatenciesAreWithinTwoPercentOfThePublishedOnes) {
  load("bismo_cloud");
  const std::map<std::string, std::map<int, double>> published = {
      {"mobilenet_v1", {{4, 57.49}, {5, 77.52}, {6, 99.86}, {8, 151.09}}},
      {"mobilenet_v2", {{4, 74.46}, {5, 99.43}, {6, 127.07}, {8, 189.82}}}};
  for (const auto& [network, rows] : published) {
    for (const auto& [bits, expected] : rows) {
      const double ours = milliseconds(middle(network, bits, 1.0, 1.05).ours);
      EXPECT_NEAR(ours / expected, 1.0, 0.02) << network << " at " << bits << " bits";
    }
  }
}

TEST_F(HaqLawTest, RatiosBetweenBitsOnTheEdgeAreWithinFivePercentOfThePublishedOnes) {
  load("bismo_edge");
  const std::map<std::string, std::map<int, double>> published = {
      {"mobilenet_v1", {{4, 45.45}, {5, 57.75}, {6, 70.67}, {8, 96.20}}},
      {"mobilenet_v2", {{4, 52.15}, {5, 66.94}, {6, 82.49}, {8, 115.84}}}};
  for (const auto& [network, rows] : published) {
    // Depthwise layers of 7 x 7 pixels have tiles of 8 rows: at 8/8 bits they compute for 8/7.
    const double at8 = milliseconds(middle(network, 8, 1.0, 1.16).ours);
    for (const auto& [bits, expected] : rows) {
      const double ours = milliseconds(middle(network, bits, 1.0, 1.16).ours);
      EXPECT_NEAR(at8 / ours / (rows.at(8) / expected), 1.0, 0.05)
          << network << " at " << bits << " bits";
    }
  }
}

}  // namespace
}  // namespace bittern
