#include "host/network/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "host/base/error.h"
#include "host/network/network.h"
#include "host/network/ops.h"
#include "host/network/passes/fold_batch_norm.h"
#include "host/network/passes/fuse_relu.h"
#include "host/network/passes/ranges.h"
#include "host/network/passes/relu_behind_pool.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Network load(const std::string& layers, const std::string& input = "[1, 28, 28]") {
  return parse_network(
      YamlNode::parse("name: n\ninput: " + input + "\nlayers:\n" + layers, "n.yaml"));
}

std::string error_of(const std::string& layers) {
  return message_of(ExitStatus::kUsage, [&] { load(layers); });
}

std::string shape_of(const std::string& layers, const std::string& input) {
  const Graph graph = load(layers, input).graph;
  const Shape& shape = graph.shape_of(graph.output);
  return std::to_string(shape.channels) + "x" + std::to_string(shape.height) + "x" +
         std::to_string(shape.width);
}

std::vector<std::string> ops_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.emplace_back(op_info(node.op).name);
  return names;
}

const std::string kConv = "  - conv: {name: a, out: 4, kernel: 3, pad: 1}\n";

TEST(OpTable, HasEveryOpInItsPlace) {
  for (std::size_t i = 0; i < all_ops().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(all_ops()[i].op), i) << all_ops()[i].name;
    EXPECT_EQ(&op_info(all_ops()[i].op), &all_ops()[i]);
  }
}

TEST(Graph, EntriesTakeWhatTheFileSays) {
  const Graph graph = load(
                          "  - conv: {name: stem, out: 2, kernel: 3}\n"
                          "  - pool: {name: small, kernel: 2}\n"
                          "  - conv: {name: left, out: 2, kernel: 3, relu: false}\n"
                          "  - conv: {name: right, from: small, out: 2, kernel: 3, relu: false}\n"
                          "  - add: {name: sum, from: [left, right], relu: true}\n"
                          "  - concat: {from: [sum, left, sum]}\n"
                          "  - linear: {name: head, out: 2, relu: false, in: [6, 11, 11]}\n")
                          .graph;
  EXPECT_THAT(ops_of(graph), ElementsAre("conv", "relu", "max_pool", "conv", "conv", "add", "relu",
                                         "concat", "flatten", "linear"));
  EXPECT_THAT(graph.nodes[0].inputs, ElementsAre(kImage));
  EXPECT_THAT(graph.nodes[4].inputs, ElementsAre(2));
  EXPECT_THAT(graph.nodes[5].inputs, ElementsAre(3, 4));
  EXPECT_THAT(graph.nodes[7].inputs, ElementsAre(6, 3, 6));
  EXPECT_EQ(graph.output, 9);
  EXPECT_THAT(graph.nodes[2].where, HasSubstr("n.yaml:5"));
}

TEST(Graph, ShapesFollowTheRules) {
  EXPECT_EQ(shape_of(kConv + "  - pool: {kernel: 3, stride: 2}\n", "[1, 8, 7]"), "4x3x3");
  EXPECT_EQ(shape_of(kConv + "  - pool: {kernel: 3, stride: 2, ceil: true}\n", "[1, 8, 7]"),
            "4x4x3");
  // A last window that would begin behind the map does not count (PyTorch's rule).
  EXPECT_EQ(shape_of(kConv + "  - pool: {kernel: 2, stride: 3, pad: [1, 1, 0, 0], ceil: true}\n",
                     "[1, 5, 5]"),
            "4x2x2");
  EXPECT_EQ(shape_of(kConv + "  - pool: {global: true, kind: average}\n", "[1, 8, 7]"), "4x1x1");
  EXPECT_EQ(shape_of(kConv + "  - slice: {step: 2}\n", "[1, 8, 7]"), "4x4x4");
  EXPECT_EQ(shape_of(kConv + "  - upsample: {factor: [2, 3]}\n", "[1, 8, 7]"), "4x16x21");
  EXPECT_EQ(shape_of(kConv + "  - pad_channels: {before: 1, after: 2}\n", "[1, 8, 7]"), "7x8x7");
  EXPECT_EQ(shape_of(kConv + "  - flatten: {}\n", "[1, 8, 7]"), "224x1x1");
  EXPECT_EQ(shape_of("  - conv: {name: a, out: 4, kernel: 3, dilation: 2, pad: 4}\n", "[1, 8, 7]"),
            "4x12x11");
  EXPECT_EQ(
      shape_of("  - conv: {name: a, out: 4, kernel: 3, dilation: 2, pad: same}\n", "[1, 8, 7]"),
      "4x8x7");
}

TEST(Graph, WhatDoesNotFitIsAnErrorWithTheLine) {
  EXPECT_THAT(error_of(kConv + "  - conv: {name: b, out: 3, kernel: 1}\n"
                               "  - add: {from: [a, b]}\n"),
              HasSubstr("n.yaml:6: layers[2].add: an addition takes maps of one shape, got "
                        "4x28x28 and 3x28x28"));
  EXPECT_THAT(error_of(kConv + "  - pool: {name: p, kernel: 2}\n  - concat: {from: [a, p]}\n"),
              HasSubstr("got 4x28x28 and 4x14x14"));
  EXPECT_THAT(error_of(kConv + "  - add: {from: [a]}\n"),
              HasSubstr("expected a list of 2 to 256 elements, got 1"));
  EXPECT_THAT(error_of(kConv + "  - add: {from: [a, bb]}\n"), HasSubstr("no earlier entry"));
  EXPECT_THAT(error_of(kConv + "  - pool: {kernel: 2, pad: 2}\n"),
              HasSubstr("padding, expected less than its kernel"));
  EXPECT_THAT(error_of(kConv + "  - pool: {kernel: 29}\n"), HasSubstr("larger than the padded"));
  EXPECT_THAT(error_of(kConv + "  - pool: {kernel: 2, kind: median}\n"), HasSubstr("average"));
  EXPECT_THAT(error_of(kConv + "  - pool: {kernel: 2, count_padding: true}\n"),
              HasSubstr("for kind: average only"));
  EXPECT_THAT(error_of(kConv + "  - clip: {low: 1, high: 1}\n"), HasSubstr("expected low < high"));
  EXPECT_THAT(error_of(kConv + "  - upsample: {factor: 16777216}\n"),
              HasSubstr("the output would be"));
  EXPECT_THAT(error_of("  - normalise: {mean: [0.5, 0.5], deviation: [1, 1]}\n" + kConv),
              HasSubstr("2 means and 2 deviations for 1 channels"));
  EXPECT_THAT(error_of("  - normalise: {mean: [0.5], deviation: [0]}\n" + kConv),
              HasSubstr("expected more than 0"));
  EXPECT_THAT(error_of("  - conv: {name: a, out: 4, kernel: 3, batch_norm: a}\n"),
              HasSubstr("a second entry called 'a'"));
  EXPECT_THAT(error_of(kConv + "  - batch_norm: {}\n"), HasSubstr("missing key 'name'"));
  EXPECT_THAT(error_of(kConv + "  - conv: {name: b, out: 4, kernel: 1, relu: 7}\n"),
              HasSubstr("relu"));
}

TEST(Graph, InputsAreSignedWhereTheyCanBeNegative) {
  const auto is_signed = [](const std::string& layers, const std::string& head = "") {
    return load(head + layers + "  - linear: {name: last, out: 2}\n").layers.back().signed_input;
  };
  const std::string open = "  - conv: {name: o, out: 4, kernel: 3, pad: 1, relu: false}\n";
  EXPECT_FALSE(is_signed(kConv));
  EXPECT_TRUE(is_signed(open));
  EXPECT_FALSE(is_signed("  - conv: {name: o, out: 4, kernel: 3, relu: 6}\n"));
  EXPECT_TRUE(is_signed(open + "  - add: {name: s, from: [a, o]}\n", kConv));
  EXPECT_FALSE(is_signed(open + "  - add: {name: s, from: [a, o], relu: true}\n", kConv));
  EXPECT_TRUE(is_signed(open + "  - concat: {name: s, from: [a, o]}\n", kConv));
  EXPECT_FALSE(
      is_signed("  - add: {from: [a, a]}\n  - pool: {kind: average, kernel: 2}\n"
                "  - pad_channels: {after: 2}\n  - slice: {step: 2}\n",
                kConv));
  EXPECT_TRUE(is_signed("  - batch_norm: {name: b}\n", kConv));
  EXPECT_TRUE(is_signed("  - normalise: {mean: [0.5], deviation: [0.5]}\n"));
  EXPECT_FALSE(is_signed("  - normalise: {mean: [0], deviation: [0.5]}\n"));
  EXPECT_FALSE(is_signed("  - clip: {low: 0, high: 2}\n", open));
  EXPECT_TRUE(is_signed("  - clip: {low: -1, high: 1}\n", open));
}

TEST(GraphKey, OfChainsIsWhatItAlwaysWas) {
  EXPECT_EQ(graph_key(load_network("lenet").graph),
            "from -1 relu; from 0 pool k2x2 s2x2 p0,0,0,0 relu; from 1 pool k2x2 s2x2 p0,0,0,0 "
            "relu; from 2; from 3");
}

TEST(GraphKey, NetworksThatComputeSomethingElseHaveOtherKeys) {
  const std::string head = "  - linear: {name: h, out: 2}\n";
  const std::vector<std::string> all = {
      kConv + head,
      "  - conv: {name: a, out: 4, kernel: 3, pad: 1, relu: false}\n" + head,
      "  - conv: {name: a, out: 4, kernel: 3, pad: 1, relu: 6}\n" + head,
      "  - conv: {name: a, out: 4, kernel: 3, pad: 1, batch_norm: true}\n" + head,
      "  - conv: {name: a, out: 4, kernel: 3, pad: 1, bias: false}\n" + head,
      kConv + "  - linear: {name: h, from: input, out: 2}\n",
      kConv + head + "  - pool: {from: a, kernel: 2}\n",
      kConv + "  - pool: {kernel: 2}\n" + head,
      kConv + "  - pool: {kernel: 2, ceil: true}\n" + head,
      kConv + "  - pool: {kernel: 3, stride: 2, pad: [0, 1, 0, 1]}\n" + head,
      kConv + "  - pool: {kernel: 2, kind: average}\n" + head,
      kConv + "  - pool: {kernel: 3, stride: 2, pad: 1, kind: average}\n" + head,
      kConv + "  - pool: {kernel: 3, stride: 2, pad: 1, kind: average, count_padding: true}\n" +
          head,
      kConv + "  - slice: {step: 2}\n" + head,
      kConv + "  - add: {from: [a, a]}\n" + head,
      kConv + "  - add: {from: [a, a, a]}\n" + head,
      "  - normalise: {mean: [0.5], deviation: [0.5]}\n" + kConv + head,
      "  - normalise: {mean: [0.25], deviation: [0.5]}\n" + kConv + head,
      kConv + "  - relu: {}\n  - relu: {}\n" + head,
      kConv + "  - pool: {kernel: 2}\n  - relu: {}\n" + head,
  };
  std::set<std::string> keys;
  for (const std::string& layers : all) keys.insert(graph_key(load(layers).graph));
  EXPECT_EQ(keys.size(), all.size());
  EXPECT_EQ(graph_key(load(kConv + "  - pool: {kernel: 2}\n" + head).graph),
            graph_key(load(kConv + "  - pool: {kernel: 2, stride: 2, pad: 0}\n" + head).graph));
}

TEST(Passes, ReluGoesBehindPoolingAndIntoWhatIsBefore) {
  const Graph graph = load(kConv +
                           "  - pool: {kernel: 2}\n  - pool: {kernel: 2}\n"
                           "  - conv: {name: b, out: 4, kernel: 3, pad: 1}\n"
                           "  - add: {from: [b, b]}\n  - linear: {name: h, out: 2}\n")
                          .graph;
  const Graph moved = relu_behind_pool(graph);
  EXPECT_THAT(ops_of(moved), ElementsAre("conv", "max_pool", "max_pool", "relu", "conv", "relu",
                                         "add", "flatten", "linear", "relu"));
  EXPECT_EQ(moved.nodes[3].shape.height, 7);
  const Graph fused = fuse_relu(moved);
  EXPECT_THAT(ops_of(fused),
              ElementsAre("conv", "max_pool", "max_pool", "conv", "add", "flatten", "linear"));
  EXPECT_TRUE(fused.nodes[2].attributes.relu);
  EXPECT_TRUE(fused.nodes[3].attributes.relu);
  EXPECT_EQ(fused.output, 6);
  // What is known of signs stays.
  const auto before = layers(graph);
  const auto after = layers(fused);
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].signed_input, after[i].signed_input) << i;
    EXPECT_EQ(before[i].key(), after[i].key());
  }
}

TEST(Passes, ASharedReluStaysWhereItIs) {
  const Graph graph = load(
                          "  - conv: {name: a, out: 4, kernel: 3, pad: 1, relu: false}\n"
                          "  - relu: {name: r}\n  - pool: {name: p, kernel: 2}\n"
                          "  - upsample: {factor: 2}\n  - conv: {name: u, out: 4, kernel: 1}\n"
                          "  - add: {from: [a, u, r]}\n")
                          .graph;
  const Graph fused = fuse_relu(relu_behind_pool(graph));
  EXPECT_THAT(ops_of(fused), ElementsAre("conv", "relu", "max_pool", "upsample", "conv", "add"));
  EXPECT_FALSE(fused.nodes[0].attributes.relu);
}

TEST(Passes, FoldedBatchNormIsInWeightAndBias) {
  const Graph graph = load(
                          "  - conv: {name: a, out: 2, kernel: 1, batch_norm: bn, relu: false}\n"
                          "  - batch_norm: {name: other}\n",
                          "[1, 1, 1]")
                          .graph;
  NamedTensors weights = {{"a.weight", {{2, 1, 1, 1}, {3, 5}}},
                          {"bn.weight", {{2}, {2, 1}}},
                          {"bn.bias", {{2}, {10, 20}}},
                          {"bn.running_mean", {{2}, {1, -1}}},
                          {"bn.running_var", {{2}, {4, 1}}}};
  const NamedTensors all = weights;
  const Graph folded = fold_batch_norm(graph, weights);
  EXPECT_THAT(ops_of(folded), ElementsAre("conv", "batch_norm"));
  EXPECT_TRUE(folded.nodes[0].attributes.bias);
  EXPECT_EQ(weights.size(), 2u);
  EXPECT_NEAR(weights.at("a.weight").values[0], 3.0, 1e-4);  // 3 * 2 / sqrt(4)
  EXPECT_NEAR(weights.at("a.bias").values[0], 9.0, 1e-4);    // (0 - 1) * 1 + 10
  EXPECT_NEAR(weights.at("a.bias").values[1], 21.0, 1e-4);
  NamedTensors less = all;
  less.erase("bn.running_var");
  try {
    fold_batch_norm(graph, less);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no tensor 'bn.running_var'"));
  }
}

TEST(Trainable, NetworksThatAnswerNothingAreRefusedWithLineAndCure) {
  const auto fault = [](const std::string& layers) -> std::string {
    try {
      require_trainable(load(layers));
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      return error.what();
    }
    return "";
  };
  const std::string head = "  - linear: {name: h, out: 2, relu: false}\n";
  EXPECT_EQ(fault(kConv + head), "");
  EXPECT_EQ(fault(kConv + "  - pool: {global: true, kind: average}\n"), "");
  EXPECT_THAT(fault(kConv + "  - linear: {name: h, out: 2}\n"),
              testing::AllOf(HasSubstr("n.yaml:5"), HasSubstr("relu: false")));
  EXPECT_THAT(fault(kConv), HasSubstr("a map of 4x28x28"));
  EXPECT_THAT(
      fault(kConv + "  - conv: {name: side, from: input, out: 2, kernel: 1}\n" +
            "  - linear: {name: h, from: a, out: 2, relu: false}\n"),
      testing::AllOf(HasSubstr("n.yaml:5"), HasSubstr("nothing uses the output of 'side'")));
  Network shapes = load(kConv + head);
  shapes.graph = {};
  EXPECT_THROW(require_trainable(shapes), Error);
}

TEST(Network, TooMuchToCountIsAnErrorAndNoNegativeNumber) {
  std::string layers;
  for (int i = 0; i < 200; ++i) {
    layers += "  - conv: {name: c" + std::to_string(i) +
              ", from: input, out: 1, kernel: 8192, pad: 8191}\n";
  }
  Network n = load(layers, "[1, 8192, 65536]");
  EXPECT_EQ(n.layers[0].macs(), std::int64_t{16383} * 73727 * 8192 * 8192);  // 8.1e16
  try {
    ADD_FAILURE() << n.macs();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("multiply-accumulates of network n: more than 64 bits"));
  }
  n.layers.resize(100);
  EXPECT_EQ(n.macs(), 100 * n.layers[0].macs());
}

}  // namespace
}  // namespace bittern
