#include "host/integer/stated_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/integer/integer_executor.h"
#include "tests/host/integer/stated_tensors.h"
#include "tests/host/network/naive.h"
#include "tests/host/network/tiny_network.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

/// The answers of loops over real numbers, which quantise as Quantiser says.
std::vector<float> naive_answers(const Graph& graph, const NamedTensors& tensors,
                                 const std::vector<std::uint8_t>& image) {
  NaiveMap map{graph.input.channels, graph.input.height, graph.input.width, {}};
  for (const std::uint8_t pixel : image) {
    map.values.push_back(static_cast<double>(1.0F / 255.0F) * pixel);
  }
  const std::vector<double> answers = NaiveExecutor(graph, tensors).answer(map);
  return {answers.begin(), answers.end()};
}

void expect_answers(const Network& network, bool halves = false) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Rng rng(seed);
    const NamedTensors tensors = stated_tensors(network.graph, rng, halves);
    const QuantisedNetwork integers = stated_network(network.name, network.graph, tensors);
    const IntegerExecutor executor(integers);
    for (int i = 0; i < 4; ++i) {
      const std::vector<std::uint8_t> image = random_image(network.graph.input, rng);
      const std::vector<float> found = executor.logits(image);
      const std::vector<float> expected = naive_answers(network.graph, tensors, image);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t k = 0; k < found.size(); ++k) {
        if (halves) {
          EXPECT_EQ(found[k], expected[k]) << "seed " << seed << " answer " << k;
        } else {
          EXPECT_NEAR(found[k], expected[k], 1e-5 * (1 + std::abs(expected[k]))) << "seed " << seed;
        }
      }
    }
  }
}

std::string refusal(const Network& network) {
  Rng rng(1);
  const NamedTensors tensors = stated_tensors(network.graph, rng);
  try {
    stated_network(network.name, network.graph, tensors);
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

const std::string kTernary = "weight_quantiser: {bits: 2, narrow: true, scale: 0.3}";

TEST(StatedNetwork, FullyConnectedWithNarrowSignedCodesAndBatchNormsBetween) {
  expect_answers(
      network_of("  - normalise: {mean: [0.5], deviation: [0.5]}\n"
                 "  - quantise: {bits: 2, narrow: true, scale: 1}\n"
                 "  - flatten: {}\n"
                 "  - linear: {name: a, out: 6, batch_norm: true, bias: true, relu: false, " +
                     kTernary +
                     "}\n"
                     "  - quantise: {bits: 3, narrow: true, scale: 0.7}\n"
                     "  - linear: {name: b, out: 5, relu: false, " +
                     kTernary +
                     "}\n"
                     "  - batch_norm: {name: last}\n",
                 "[1, 4, 5]"));
}

TEST(StatedNetwork, BipolarWeightsAndActivationsWithPaddingAndPooling) {
  expect_answers(
      network_of("  - quantise: {bits: 8, signed: false, scale: 0.00390625}\n"
                 "  - conv: {name: a, out: 4, kernel: 3, pad: 1, batch_norm: true, relu: false,\n"
                 "           weight_quantiser: {bits: 1, bipolar: true, scale: 0.5}}\n"
                 "  - quantise: {bits: 1, bipolar: true, scale: 1}\n"
                 "  - pool: {kernel: 2}\n"
                 "  - conv: {name: b, out: 4, kernel: 3, pad: 1, batch_norm: true, relu: false,\n"
                 "           weight_quantiser: {bits: 1, bipolar: true, scale: 0.25}}\n"
                 "  - pool: {kernel: 2, stride: 1}\n"
                 "  - quantise: {bits: 1, bipolar: true, scale: 1}\n"
                 "  - linear: {name: c, out: 3, relu: false, weight_quantiser: {bits: 1, bipolar: "
                 "true, scale: 1}}\n",
                 "[2, 6, 6]"));
}

TEST(StatedNetwork, ZeroPointsOfBothOperandsWithPadding) {
  expect_answers(network_of(
      "  - quantise: {bits: 8, signed: false, scale: 0.01, zero_point: 37}\n"
      "  - conv: {name: a, out: 4, kernel: 3, pad: 1, stride: 2,\n"
      "           weight_quantiser: {bits: 8, signed: false, scale: 0.02, zero_point: 100}}\n"
      "  - quantise: {bits: 6, signed: false, scale: 0.3, zero_point: 5}\n"
      "  - conv: {name: b, out: 4, kernel: 2, pad: [0, 1, 1, 0], groups: 2, relu: false,\n"
      "           weight_quantiser: {bits: 4, scale: [0.1, 0.2, 0.3, 0.4], zero_point: [-3, 0, 2, "
      "7]}}\n"
      "  - quantise: {bits: 4, scale: 2, zero_point: -3}\n"
      "  - linear: {name: c, out: 3, relu: false, weight_quantiser: {bits: 3, scale: 0.1}}\n",
      "[2, 5, 7]"));
}

TEST(StatedNetwork, EveryRoundingIsTheFilesOwnAlsoForTies) {
  for (const std::string& rounding : rounding_names()) {
    expect_answers(network_of("  - quantise: {bits: 1, signed: false, scale: 1}\n"
                              "  - conv: {name: a, out: 6, kernel: 2, bias: true, relu: true,\n"
                              "           weight_quantiser: {bits: 3, scale: 0.25}}\n"
                              "  - batch_norm: {name: n, epsilon: 1e-12}\n"
                              "  - quantise: {bits: 4, scale: 0.5, rounding: " +
                                  rounding +
                                  "}\n"
                                  "  - linear: {name: b, out: 4, relu: false, weight_quantiser: "
                                  "{bits: 2, scale: 0.5}}\n",
                              "[2, 4, 4]"),
                   /*halves=*/true);
  }
}

TEST(StatedNetwork, ScalesOfChannelsInFrontOfADepthwiseLayer) {
  expect_answers(network_of(
      "  - quantise: {bits: 4, signed: false, scale: [0.05, 0.1, 0.02], zero_point: [0, 3, 7]}\n"
      "  - depthwise: {name: a, kernel: 3, pad: 1, batch_norm: true, relu: 6,\n"
      "                weight_quantiser: {bits: 5, scale: [0.1, 0.2, 0.3]}}\n"
      "  - quantise: {bits: 4, signed: false, scale: 0.2}\n"
      "  - linear: {name: b, out: 3, relu: false, weight_quantiser: {bits: 3, scale: 0.1}}\n",
      "[3, 5, 5]"));
}

TEST(StatedNetwork, ShortcutsConcatenationsAveragesAndBordersBetweenQuantisers) {
  expect_answers(network_of(
      "  - quantise: {name: in, bits: 4, signed: false, scale: 0.0625}\n"
      "  - conv: {name: a, from: in, out: 2, kernel: 3, pad: 1, batch_norm: true, relu: true, " +
          kTernary +
          "}\n"
          "  - add: {name: unlike, from: [a, in], relu: true}\n"
          "  - quantise: {name: q, bits: 4, signed: false, scale: 0.25}\n"
          "  - add: {name: twice, from: [q, q]}\n"
          "  - concat: {name: both, from: [twice, in]}\n"
          "  - pool: {kernel: 2, pad: 1, kind: average}\n"
          "  - relu: {}\n"
          "  - pool: {kernel: 2, stride: 1, kind: average}\n"
          "  - quantise: {bits: 5, scale: 0.125, rounding: floor}\n"
          "  - pad: {pad: 1}\n"
          "  - slice: {begin: [1, 0, 0], end: [4, 4, 5]}\n"
          "  - upsample: {factor: 2}\n"
          "  - conv: {name: b, out: 3, kernel: 3, relu: false, " +
          kTernary +
          "}\n"
          "  - pool: {global: true, kind: average}\n"
          "  - flatten: {}\n",
      "[2, 6, 8]"));
}

TEST(StatedNetwork, LayersHaveTheBitsAndSignsOfTheFile) {
  const Network network = network_of(
      "  - quantise: {bits: 1, bipolar: true, scale: 1}\n"
      "  - conv: {name: a, out: 2, kernel: 1, relu: false, weight_quantiser: {bits: 1, bipolar: "
      "true, scale: 1}}\n"
      "  - quantise: {bits: 5, signed: false, scale: 1, zero_point: 9}\n"
      "  - conv: {name: b, out: 2, kernel: 1, relu: false, weight_quantiser: {bits: 3, signed: "
      "false, scale: 1, zero_point: 1}}\n"
      "  - quantise: {bits: 4, scale: 1}\n"
      "  - conv: {name: c, out: 2, kernel: 1, relu: false, weight_quantiser: {bits: 2, narrow: "
      "true, scale: 1}}\n",
      "[2, 1, 1]");
  Rng rng(3);
  NamedTensors tensors = stated_tensors(network.graph, rng);
  tensors["b.weight"].values = {6, -1, 0, 2};  // codes 7, 0, 1, 3
  const QuantisedNetwork integers = stated_network("n", network.graph, tensors);
  EXPECT_EQ(integers.precision[0].bits, (BitPair{1, 1}));
  EXPECT_FALSE(integers.precision[0].activation_signed);
  EXPECT_EQ(integers.device_codes[0], (DeviceCodes{2, {1}, 2, {1}}));
  EXPECT_EQ(integers.precision[1].bits, (BitPair{3, 5}));
  EXPECT_FALSE(integers.precision[1].activation_signed);
  EXPECT_EQ(integers.device_codes[1], (DeviceCodes{1, {9}, 1, {3, 3}}));
  EXPECT_TRUE(integers.precision[2].activation_signed);
  EXPECT_EQ(integers.device_codes[2], DeviceCodes());
}

TEST(StatedNetwork, WhatHasNoIntegersIsRefusedByName) {
  const std::string q = "  - quantise: {bits: 4, signed: false, scale: 0.1}\n";
  const std::string out = "  - linear: {name: out, out: 2, relu: false, " + kTernary + "}\n";
  EXPECT_THAT(refusal(network_of(q + "  - linear: {name: out, out: 2, relu: false}\n")),
              HasSubstr("layer out has no quantiser of its weights"));
  EXPECT_THAT(refusal(network_of(out)), HasSubstr("layer out has no quantiser of its input"));
  EXPECT_THAT(refusal(network_of(q + "  - clip: {high: 0.5}\n" + out)),
              HasSubstr("layer out has no quantiser of its input"));
  EXPECT_THAT(refusal(network_of("  - quantise: {bits: 9, scale: 0.1}\n" + out)),
              HasSubstr("2 weight bits and 9 activation bits, expected at most 8"));
  EXPECT_THAT(refusal(network_of("  - quantise: {name: q, bits: 13, scale: 0.1}\n" + out)),
              HasSubstr("q: a quantiser of 13 bits: integers take at most 12"));
  EXPECT_THAT(
      refusal(network_of("  - quantise: {bits: 4, scale: [0.1, 0.2]}\n" + out, "[2, 3, 3]")),
      HasSubstr("layer out: the scales of its input differ"));
  EXPECT_THAT(refusal(network_of("  - quantise: {bits: 1, bipolar: true, scale: 1}\n"
                                 "  - pad: {name: edge, pad: 1}\n" +
                                     out,
                                 "[2, 3, 3]")),
              HasSubstr("edge: a border of 0 is no code"));
  const Network fits = network_of(q + out, "[1, 2, 2]");
  Rng rng(1);
  NamedTensors tensors = stated_tensors(fits.graph, rng);
  tensors["out.weight"].values[3] = 0.4F;
  EXPECT_THROW(stated_network("n", fits.graph, tensors), Error);
}

}  // namespace
}  // namespace bittern
