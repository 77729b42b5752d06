#include "host/integer/quantised_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "host/base/error.h"
#include "host/integer/integer_executor.h"
#include "host/integer/quantise_network.h"
#include "host/network/network.h"
#include "host/network/passes/fuse_relu.h"
#include "tests/host/base/message_of.h"
#include "tests/host/integer/random_integers.h"
#include "tests/host/network/tiny_network.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = CodePoint::Kind;

QuantisationScheme scheme_of(const std::string& layers, const std::string& input) {
  return quantisation_scheme(fuse_relu(network_of(layers, input).graph));
}

TEST(QuantisationScheme, AChainIsRoundedToTheCodesOfTheNextLayerAndEndsInSums) {
  const QuantisationScheme scheme = scheme_of(
      "  - conv: {name: a, out: 2, kernel: 3}\n"
      "  - pool: {kernel: 2}\n"
      "  - linear: {name: b, out: 3, relu: false}\n",
      "[1, 6, 6]");
  EXPECT_THAT(scheme.points, ElementsAre(CodePoint{}, CodePoint{Kind::kLayer, 0, false},
                                         CodePoint{Kind::kLayer, 1, false}));
  EXPECT_TRUE(scheme.stored().empty());
  EXPECT_EQ(scheme.point_of_node.front(), scheme.point_of_layer[1]);
  EXPECT_EQ(scheme.point_of_node.back(), QuantisationScheme::kSums);
}

TEST(QuantisationScheme, WhatAShortcutTakesIsStoredBehindItsReluWithItsOwnSign) {
  // Nodes: a (ReLU in it), b, add (ReLU in it), pool, out.
  const QuantisationScheme scheme = scheme_of(
      "  - conv: {name: a, out: 2, kernel: 1}\n"
      "  - conv: {name: b, out: 2, kernel: 1, relu: false}\n"
      "  - add: {name: sum, from: [b, a], relu: true}\n"
      "  - pool: {global: true, kind: average}\n"
      "  - linear: {name: out, out: 3, relu: false}\n",
      "[1, 4, 4]");
  const auto point = [&](std::size_t node) {
    return scheme.points[static_cast<std::size_t>(scheme.point_of_node[node])];
  };
  EXPECT_EQ(point(0), (CodePoint{Kind::kStored, 0, false}));
  EXPECT_EQ(point(1), (CodePoint{Kind::kStored, 1, true}));
  EXPECT_EQ(point(2), (CodePoint{Kind::kStored, 2, false}));
  EXPECT_EQ(point(3), (CodePoint{Kind::kLayer, 2, false}));
}

TEST(QuantisationScheme, AConcatenationIsOneScaleForWhatOnlyItTakes) {
  const QuantisationScheme scheme = scheme_of(
      "  - conv: {name: a, from: input, out: 2, kernel: 1}\n"
      "  - conv: {name: b, from: input, out: 2, kernel: 1, relu: false}\n"
      "  - concat: {name: both, from: [a, b]}\n"
      "  - conv: {name: c, from: both, out: 2, kernel: 1}\n"
      "  - conv: {name: d, from: both, out: 2, kernel: 1}\n"
      "  - concat: {name: all, from: [c, d, a]}\n"
      "  - linear: {name: out, out: 3, relu: false}\n",
      "[1, 2, 2]");
  const auto point = [&](std::size_t node) { return scheme.point_of_node[node]; };
  EXPECT_EQ(scheme.points[static_cast<std::size_t>(point(0))].kind, Kind::kStored);  // two take it
  EXPECT_EQ(point(1), point(2));
  EXPECT_EQ(scheme.points[static_cast<std::size_t>(point(2))], (CodePoint{Kind::kStored, 2, true}));
  EXPECT_EQ(point(3), scheme.point_of_layer[4]);  // through the second one, to `out`
  EXPECT_EQ(point(5), scheme.point_of_layer[4]);
}

/// One layer, 2 inputs, 2 outputs, whose tensors the test sets.
struct OneLayer {
  Network network = network_of("  - linear: {name: out, out: 2, relu: false}\n", "[2, 1, 1]");
  NamedTensors tensors = {{"out.weight", {{2, 2}, {1.0f, -0.5f, 0.25f, 0.1f}}},
                          {"out.bias", {{2}, {0.5f, -0.25f}}}};
  Policy policy = {{8, 8}};
  std::vector<WeightFormat> weights = {{weight_range(8), {1.0f / 127.0f}}};
  std::vector<CodeFormat> activations = {{activation_range(8, false), 1.0f / 255.0f}};

  QuantisedNetwork quantised() const {
    return quantise_network("one", network.graph, tensors, policy, weights, activations);
  }
  std::string refusal() const {
    return message_of(ExitStatus::kUsage, [&] { quantised(); });
  }
};

TEST(QuantiseNetwork, CodesBiasesAndScalesAreThoseOfTheDefinition) {
  const QuantisedNetwork network = OneLayer().quantised();
  EXPECT_THAT(network.nodes[0].weights, ElementsAre(127, -64, 32, 13));
  const double unit = double{1.0f / 127.0f} * double{1.0f / 255.0f};
  EXPECT_THAT(network.nodes[0].bias,
              ElementsAre(std::lround(0.5 / unit), std::lround(-0.25 / unit)));
  EXPECT_TRUE(network.nodes[0].input.identity());
  const IntegerExecutor executor(network);
  const std::vector<std::uint8_t> image = {255, 51};
  EXPECT_THAT(
      executor.logits(image),
      ElementsAre(static_cast<float>((127 * 255 - 64 * 51 + network.nodes[0].bias[0]) * unit),
                  static_cast<float>((32 * 255 + 13 * 51 + network.nodes[0].bias[1]) * unit)));
}

TEST(QuantiseNetwork, OddCodesAreTheNextOnes) {
  EXPECT_EQ(code_of(0.0f, 1.0f, weight_range(1)), 1);
  EXPECT_EQ(code_of(-1e-6f, 1.0f, weight_range(1)), -1);
  const CodeRange odd{-7, 7, true};
  EXPECT_EQ(code_of(0.9f, 1.0f, odd), 1);
  EXPECT_EQ(code_of(2.1f, 1.0f, odd), 3);
  EXPECT_EQ(code_of(-2.1f, 1.0f, odd), -3);
  EXPECT_EQ(code_of(100.0f, 1.0f, odd), 7);
}

TEST(QuantiseNetwork, AChannelThatIsAllBiasGetsALargerScale) {
  OneLayer one;
  one.tensors["out.weight"].values = {1e-12f, 2e-12f, 0.25f, 0.1f};
  one.weights = {{weight_range(8), {2e-12f / 127.0f, 0.25f / 127.0f}}};
  const QuantisedNetwork network = one.quantised();
  EXPECT_THAT(network.nodes[0].weights, ElementsAre(0, 0, 127, 51));
  EXPECT_NEAR(network.nodes[0].bias[0] * network.nodes[0].sum_scales[0], 0.5, 1e-6);
  one.weights = {{weight_range(8), {2e-12f / 127.0f}}};
  EXPECT_THAT(one.refusal(), HasSubstr("per channel"));
}

TEST(QuantiseNetwork, SumsThatCouldLeave32BitsAreRefusedWithTheirChannel) {
  OneLayer one;
  one.network = network_of("  - linear: {name: out, out: 1, relu: false}\n", "[70000, 1, 1]");
  one.tensors = {{"out.weight", {{1, 70000}, std::vector<float>(70000, 1.0f)}},
                 {"out.bias", {{1}, {0.0f}}}};
  EXPECT_THAT(one.refusal(), HasSubstr("layer out: sums of output channel 0 can reach 2266950000"));
  one.tensors["out.weight"].values.assign(70000, 0.9f);
  EXPECT_NO_THROW(one.quantised());
}

TEST(QuantiseNetwork, WhatDoesNotFitIsNamed) {
  OneLayer one;
  one.tensors.erase("out.bias");
  EXPECT_THAT(one.refusal(), HasSubstr("no tensor 'out.bias'"));
  one = {};
  one.tensors["out.weight"].values.pop_back();
  EXPECT_THAT(one.refusal(), HasSubstr("tensor 'out.weight' has 3 values, expected 4"));
  one = {};
  one.tensors["out.weight"].values[0] = std::nanf("");
  EXPECT_THAT(one.refusal(), HasSubstr("a value is nan"));
  one = {};
  one.weights[0].scales = {1.0f, 1.0f, 1.0f};
  EXPECT_THAT(one.refusal(), HasSubstr("3 scales of weights, expected 1 or 2"));
  one = {};
  one.weights[0].scales = {0.0f};
  EXPECT_THAT(one.refusal(), HasSubstr("a scale is 0"));
  one = {};
  one.weights[0].range = {-128, 127};
  EXPECT_THAT(one.refusal(), HasSubstr("weights of 8 bits with codes -128 to 127"));
  one = {};
  one.activations[0].range = activation_range(7, false);
  EXPECT_THAT(one.refusal(), HasSubstr("activations of 8 bits with codes 0 to 127"));
  one = {};
  one.policy[0].activation = 9;
  EXPECT_THAT(one.refusal(), HasSubstr("expected 1..8"));
  one = {};
  one.policy.clear();
  EXPECT_THAT(one.refusal(), HasSubstr("bits of 0"));
  one = {};
  one.activations.clear();
  EXPECT_THAT(one.refusal(), HasSubstr("0 formats of activations, expected 1"));
}

TEST(QuantiseNetwork, HashTellsWhatDecidesAnAnswer) {
  OneLayer one;
  const std::string before = one.quantised().hash();
  EXPECT_EQ(one.quantised().hash(), before);
  one.tensors["out.bias"].values[1] += 0.1f;
  EXPECT_NE(one.quantised().hash(), before);
  one = {};
  one.activations[0].scale *= 1.5f;
  EXPECT_NE(one.quantised().hash(), before);
}

}  // namespace
}  // namespace bittern
