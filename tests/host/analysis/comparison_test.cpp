#include "host/analysis/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/cores/cores.h"
#include "tests/host/run/fake_bismo.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using testing::fake_options;
using testing::FakeDevice;
using ::testing::HasSubstr;
using testing::small_network;
using testing::tiny_variant;

ComparisonVariant shipped(const std::string& name) {
  const Variant variant =
      load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/" + name + ".yaml");
  return {variant, load_energy_table(std::string(BITTERN_SOURCE_DIR) + "/configs/energy/" +
                                     variant.energy + ".yaml")};
}

LayerSource closed_form() {
  LayerSource source;
  source.model = LayerModel::kClosed;
  return source;
}

/// The three layers of small_network() under two policies on two variants.
Comparison sample() {
  const Network network = small_network();
  return compare(
      network, {0, 1, 2},
      {{"bismo_tiny", uniform_policy(network, {2, 3})}, {"bismo_cloud", {{2, 3}, {8, 8}, {1, 1}}}},
      {shipped("bismo_tiny"), shipped("bismo_cloud")}, closed_form());
}

TEST(Comparison, HasEveryLayerOfEveryPolicyOnEveryVariant) {
  const Comparison c = sample();
  ASSERT_EQ(c.variants.size(), 2u);
  for (const ComparedVariant& on : c.variants) {
    ASSERT_EQ(on.policies.size(), 2u);
    for (std::size_t p = 0; p < 2; ++p) {
      const ComparedPolicy& policy = on.policies[p];
      ASSERT_EQ(policy.layers.size(), 3u);
      ASSERT_EQ(policy.roofline.size(), 3u);
      std::uint64_t cycles = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(policy.layers[i].name, c.network.layers[i].name);
        EXPECT_EQ(policy.layers[i].bits, c.policies[p].policy[i]);
        // The same as when the layer is measured alone.
        const MeasuredLayers alone =
            measure_layers(on.variant, on.energy, {{&c.network.layers[i], c.policies[p].policy[i]}},
                           closed_form());
        EXPECT_EQ(policy.layers[i].cycles, alone.layers.at(0).cycles);
        EXPECT_DOUBLE_EQ(policy.layers[i].energy_j, alone.layers.at(0).energy_j);
        cycles += policy.layers[i].cycles;
      }
      EXPECT_EQ(policy.total.cycles, cycles);
      EXPECT_EQ(policy.total.origin, Origin::kModel);
    }
  }
}

TEST(Comparison, MeasuresOnlyTheLayersThatWereChosen) {
  const Network network = small_network();
  const Comparison c = compare(network, {2}, {{"p", uniform_policy(network, {4, 4})}},
                               {shipped("bismo_tiny")}, closed_form());
  ASSERT_EQ(c.variants[0].policies[0].layers.size(), 1u);
  EXPECT_EQ(c.variants[0].policies[0].layers[0].name, network.layers[2].name);
}

TEST(Comparison, RunsEveryPointOnceHoweverManyPoliciesShareIt) {
  const TemporaryFolder folder;
  FakeDevice device(folder, "a");
  const Network network = small_network();
  LayerSource source;
  source.measurer = fake_options(folder, {&device});
  source.measurer.use_store = false;  // the store would hide a second run
  const Comparison c = compare(network, {0, 2},
                               {{"a", uniform_policy(network, {4, 4})},
                                {"b", {{4, 4}, {8, 8}, {2, 4}}},
                                {"c", uniform_policy(network, {4, 4})}},
                               {{tiny_variant(), shipped("bismo_tiny").energy}}, source);
  EXPECT_EQ(device.backend.runs, 3);
  EXPECT_EQ(c.variants[0].simulated, 3u);
  EXPECT_EQ(c.variants[0].policies[0].total.origin, Origin::kRtl);
  EXPECT_EQ(c.variants[0].rtl_hash, std::string(64, 'a'));
}

TEST(Comparison, SplitHeadingsAreAllPartsOnceAndOtherLast) {
  const auto headings = sample().split_headings();
  EXPECT_THAT(headings, ElementsAre("run", "wait_lhs", "wait_rhs", "wait_result", "other"));
}

TEST(ImageCost, DividesByTheBatchAndMultipliesEnergyWithDelay) {
  LayerReport report;
  report.latency_s = 8e-3;
  report.energy_j = 4e-3;
  report.energy_high_j = 12e-3;
  const Cost cost = image_cost(report, 4);
  EXPECT_DOUBLE_EQ(cost.latency_s, 2e-3);
  EXPECT_DOUBLE_EQ(cost.energy_j, 1e-3);
  EXPECT_DOUBLE_EQ(cost.edp(), 2e-6);
  EXPECT_DOUBLE_EQ(cost.edp_high(), 6e-6);
}

TEST(TransferMatrix, RefersToThePolicyNamedLikeTheVariant) {
  const Comparison c = sample();
  const auto matrix = transfer_matrix(c);
  ASSERT_EQ(matrix.size(), 2u);
  ASSERT_EQ(matrix[0].size(), 2u);
  EXPECT_DOUBLE_EQ(matrix[0][0].penalty.value(), 1.0);
  EXPECT_DOUBLE_EQ(matrix[1][1].penalty.value(), 1.0);
  const auto cycles = [&](std::size_t policy, std::size_t variant) {
    return static_cast<double>(c.variants[variant].policies[policy].total.cycles);
  };
  EXPECT_NEAR(matrix[1][0].penalty.value(), cycles(1, 0) / cycles(0, 0), 1e-12);
  EXPECT_NEAR(matrix[0][1].penalty.value(), cycles(0, 1) / cycles(1, 1), 1e-12);
  // bismo_cloud has a batch of 16 and runs at 200 MHz.
  EXPECT_NEAR(matrix[0][1].latency_s, cycles(0, 1) / 200e6 / 16, 1e-15);
}

TEST(TransferMatrix, HasNoPenaltyWithoutAPolicyMadeForTheVariant) {
  const Network network = small_network();
  const Comparison c = compare(network, {0}, {{"any", uniform_policy(network, {4, 4})}},
                               {shipped("bismo_tiny")}, closed_form());
  EXPECT_FALSE(transfer_matrix(c)[0][0].penalty.has_value());
}

TEST(Comparison, RefusesWhatCannotBeCompared) {
  const Network network = small_network();
  const NamedPolicy good{"p", uniform_policy(network, {4, 4})};
  const ComparisonVariant tiny = shipped("bismo_tiny");
  const auto message = [&](std::vector<std::size_t> layers, std::vector<NamedPolicy> policies,
                           std::vector<ComparisonVariant> variants) {
    return message_of<Error>([&] { compare(network, layers, policies, variants, closed_form()); });
  };
  EXPECT_THAT(message({0}, {good}, {}), HasSubstr("no variants"));
  EXPECT_THAT(message({0}, {}, {tiny}), HasSubstr("no policies"));
  EXPECT_THAT(message({}, {good}, {tiny}), HasSubstr("no layers"));
  EXPECT_THAT(message({3}, {good}, {tiny}), HasSubstr("layer 3"));
  EXPECT_THAT(message({0}, {good}, {tiny, tiny}), HasSubstr("bismo_tiny is given twice"));
  EXPECT_THAT(message({0}, {good, good}, {tiny}), HasSubstr("two policies are called 'p'"));
  EXPECT_THAT(message({0}, {{"short", Policy(2)}}, {tiny}), HasSubstr("short has 2 layers"));
}

}  // namespace
}  // namespace bittern
