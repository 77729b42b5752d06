#include "host/network/passes/equalise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.h"
#include "host/base/random.h"
#include "host/network/clip.h"
#include "host/network/passes/fold_batch_norm.h"
#include "tests/host/integer/random_integers.h"
#include "tests/host/network/naive.h"
#include "tests/host/network/random_graph.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

NaiveMap image_of(const Shape& shape, Rng& rng) {
  NaiveMap map{shape.channels, shape.height, shape.width, {}};
  for (std::int64_t i = 0; i < shape.elements(); ++i) map.values.push_back(rng.uniform());
  return map;
}

void expect_same(const Graph& graph, const NamedTensors& before, const Graph& equalised,
                 const NamedTensors& behind, Rng& rng) {
  const NaiveMap image = image_of(graph.input, rng);
  const std::vector<double> a = NaiveExecutor(graph, before).answer(image);
  const std::vector<double> b = NaiveExecutor(equalised, behind).answer(image);
  ASSERT_EQ(a.size(), b.size());
  double size = 1.0;
  for (const double value : a) size = std::max(size, std::abs(value));
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4 * size);
}

/// Layers of all kinds one behind the other, with what may and may not stand between them.
Network random_chain(Rng& rng) {
  const std::vector<std::string> relus = {"true", "true", "false", "6"};
  std::string text;
  for (int i = 0; i < 6; ++i) {
    const std::string name = "n" + std::to_string(i);
    const std::string& relu = relus[static_cast<std::size_t>(rng.integer(0, 3))];
    const std::string norm = rng.uniform() < 0.5 ? "true" : "false";
    switch (rng.integer(0, 3)) {
      case 0:
        text += fmt::format(
            "  - depthwise: {{name: {}, kernel: 3, pad: 1, relu: {}, batch_norm: {}}}\n", name,
            relu, norm);
        break;
      case 1:
        text += "  - pool: {kernel: 2, stride: 1, kind: average}\n";
        break;
      default:
        text += fmt::format(
            "  - conv: {{name: {}, out: {}, kernel: {}, groups: {}, relu: {}, batch_norm: {}}}\n",
            name, 2 * rng.integer(1, 3), rng.integer(1, 2), i == 0 ? 1 : rng.integer(1, 2), relu,
            norm);
    }
  }
  text += rng.uniform() < 0.5 ? "  - pool: {global: true}\n" : "";
  text += "  - linear: {name: hidden, out: 6}\n  - linear: {name: out, out: 4, relu: false}\n";
  return network_of(text, "[2, 12, 12]");
}

TEST(Equalise, ChangesNoAnswerOfRandomChainsAndGraphs) {
  std::size_t pairs = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    const Network network = seed % 3 == 0 ? RandomGraph(rng).draw(8, 4) : random_chain(rng);
    NamedTensors tensors = random_tensors(network.graph, rng);
    Graph graph = fold_batch_norm(network.graph, tensors);
    const NamedTensors before = tensors;
    const Graph original = graph;
    pairs += equalise_layers(graph, tensors);
    expect_same(original, before, graph, tensors, rng);
  }
  EXPECT_GT(pairs, 60u);
}

TEST(Equalise, MakesTheChannelsOfBothLayersAlike) {
  Graph graph = network_of(
                    "  - conv: {name: a, out: 3, kernel: 1}\n"
                    "  - depthwise: {name: b, kernel: 3, pad: 1}\n"
                    "  - pool: {global: true, kind: average}\n"
                    "  - linear: {name: out, out: 4, relu: false}\n",
                    "[2, 5, 5]")
                    .graph;
  Rng rng(3);
  NamedTensors tensors = random_tensors(graph, rng);
  // What a folded batch norm can leave behind.
  for (std::size_t i = 0; i < 9; ++i) {
    tensors["b.weight"].values[i] *= 1000.0f;
    tensors["b.weight"].values[9 + i] *= 0.001f;
  }
  const NamedTensors before = tensors;
  const Graph original = graph;
  EXPECT_EQ(equalise_layers(graph, tensors, {}, 60), 2u);
  expect_same(original, before, graph, tensors, rng);
  const auto greatest = [&](const char* name, std::size_t first, std::size_t count) {
    float most = 0.0f;
    for (std::size_t i = first; i < first + count; ++i) {
      most = std::max(most, std::abs(tensors[name].values[i]));
    }
    return most;
  };
  for (std::size_t c = 0; c < 3; ++c) {
    const float of_a = greatest("a.weight", 2 * c, 2);
    const float of_b = greatest("b.weight", 9 * c, 9);
    EXPECT_NEAR(of_a / of_b, 1.0f, 0.01f) << c;
  }
  EXPECT_LT(greatest("b.weight", 0, 9) / greatest("b.weight", 9, 9), 1000.0f) << "10^6 before";
}

TEST(Equalise, LeavesSharedMapsAlone) {
  Graph graph = network_of(
                    "  - conv: {name: b, out: 2, kernel: 1, relu: false}\n"
                    "  - conv: {name: c, from: b, out: 2, kernel: 1, relu: false}\n"
                    "  - add: {from: [c, b]}\n"
                    "  - pool: {global: true, kind: average}\n"
                    "  - linear: {name: out, out: 4, relu: false}\n",
                    "[2, 3, 3]")
                    .graph;
  Rng rng(3);
  NamedTensors tensors = random_tensors(graph, rng);
  const NamedTensors before = tensors;
  EXPECT_EQ(equalise_layers(graph, tensors), 0u);
  EXPECT_EQ(tensors["b.weight"].values, before.at("b.weight").values);
}

TEST(Equalise, BoundsOfReLU6AreDividedLikeTheirChannels) {
  Graph graph = network_of(
                    "  - conv: {name: a, out: 3, kernel: 1, relu: 6}\n"
                    "  - depthwise: {name: b, kernel: 3, pad: 1, relu: 6}\n"
                    "  - linear: {name: out, out: 4, relu: false}\n",
                    "[2, 3, 3]")
                    .graph;
  Rng rng(3);
  NamedTensors tensors = random_tensors(graph, rng);
  // Far above and below the bound.
  for (float& value : tensors["a.weight"].values) value *= 20.0f;
  const NamedTensors before = tensors;
  const Graph original = graph;
  EXPECT_EQ(equalise_layers(graph, tensors), 1u);
  expect_same(original, before, graph, tensors, rng);
  EXPECT_NE(graph_key(graph), graph_key(original));
  const Node& clip = graph.nodes[1];
  ASSERT_EQ(clip.op, Op::kClip);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(clip_high(clip.attributes, c) / 6.0,
                tensors["a.bias"].values[c] / before.at("a.bias").values[c], 1e-4);
  }
}

TEST(Equalise, NoChannelBecomesGreaterThanTheGreatestWas) {
  Graph graph = network_of(
                    "  - conv: {name: a, out: 2, kernel: 1}\n"
                    "  - conv: {name: b, out: 2, kernel: 1, relu: false}\n",
                    "[2, 3, 3]")
                    .graph;
  Rng rng(3);
  NamedTensors tensors = random_tensors(graph, rng);
  // Almost nothing but its bias.
  tensors["a.weight"].values = {1.0f, 1.0f, 1e-6f, 1e-6f};
  tensors["a.bias"].values = {0.0f, 1.0f};
  tensors["b.weight"].values = {1.0f, 1.0f, 1.0f, 1.0f};
  const NamedTensors before = tensors;
  const Graph original = graph;
  EXPECT_EQ(equalise_layers(graph, tensors, {{"b", {2.0f, 1.0f}}}), 1u);
  expect_same(original, before, graph, tensors, rng);
  EXPECT_NEAR(tensors["a.bias"].values[1], 2.0f, 1e-5) << "1000 without the limit";
  EXPECT_THROW(equalise_layers(graph, tensors, {{"b", {2.0f}}}), Error);
}

TEST(Equalise, AChannelOfZerosStaysOne) {
  Graph graph = network_of(
                    "  - conv: {name: a, out: 2, kernel: 1}\n"
                    "  - conv: {name: b, out: 2, kernel: 1}\n"
                    "  - pool: {global: true, kind: average}\n"
                    "  - linear: {name: out, out: 4, relu: false}\n",
                    "[2, 3, 3]")
                    .graph;
  Rng rng(3);
  NamedTensors tensors = random_tensors(graph, rng);
  tensors["a.weight"].values[0] = tensors["a.weight"].values[1] = 0.0f;
  const NamedTensors before = tensors;
  const Graph original = graph;
  equalise_layers(graph, tensors);
  expect_same(original, before, graph, tensors, rng);
  for (const auto& [name, tensor] : tensors) {
    for (const float value : tensor.values) EXPECT_TRUE(std::isfinite(value)) << name;
  }
}

TEST(Equalise, TensorThatIsMissingIsNamed) {
  Graph graph = network_of(
                    "  - conv: {name: a, out: 2, kernel: 1}\n"
                    "  - pool: {global: true, kind: average}\n"
                    "  - linear: {name: out, out: 4, relu: false}\n",
                    "[2, 3, 3]")
                    .graph;
  Rng rng(3);
  NamedTensors tensors = random_tensors(graph, rng);
  tensors.erase("a.weight");
  try {
    equalise_layers(graph, tensors);
    FAIL() << "a tensor is missing";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("there is no tensor 'a.weight'"));
  }
}

}  // namespace
}  // namespace bittern
