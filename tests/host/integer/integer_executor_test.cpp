#include "host/integer/integer_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "host/base/error.h"
#include "tests/host/integer/naive_integers.h"
#include "tests/host/integer/random_integers.h"
#include "tests/host/network/random_graph.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

TEST(IntegerExecutor, EqualsTheSlowReferenceOnRandomGraphsAndBits) {
  std::set<Op> seen;
  int widths = 0;  // bit i: a layer with i weight bits was there
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    Rng rng(seed);
    const Network network = RandomGraph::on_codes(rng).draw(8, 5);
    const QuantisedNetwork integers = random_integers(network, rng);
    for (const Node& node : integers.graph.nodes) seen.insert(node.op);
    for (const Precision& precision : integers.precision) widths |= 1 << precision.bits.weight;
    const IntegerExecutor executor(integers);
    NaiveIntegers naive(integers);
    const std::vector<std::uint8_t> image = random_image(network.graph.input, rng);
    const std::vector<NaiveIntegers::Map> expected = naive.run(image);
    IntegerValues values = executor.begin(image);
    for (std::size_t node = 0; node < integers.graph.nodes.size(); ++node) {
      const int layer = executor.layer_of_node(node);
      if (layer < 0) {
        executor.compute(node, values);
      } else {
        const auto place = static_cast<std::size_t>(layer);
        const auto sums = executor.layer_sums(place, executor.layer_input(place, values));
        ASSERT_EQ(sums, naive.layer_sums[place]) << "seed " << seed << " layer " << layer;
        executor.finish_layer(place, sums, values);
      }
      ASSERT_EQ(values.nodes[node], expected[node]) << "seed " << seed << " node " << node << " "
                                                    << op_info(integers.graph.nodes[node].op).name;
    }
    ASSERT_EQ(values.answer, naive.answer) << "seed " << seed;
    ASSERT_FALSE(naive.answer.empty());
    ASSERT_EQ(executor.logits(image), executor.answer(values));
    ASSERT_EQ(executor.answer(values).size(), 5u);
  }
  // The property is of all operations, not of those that happened to be drawn.
  for (const OpInfo& info : all_ops()) {
    if (info.op != Op::kGiven && info.op != Op::kQuantise && info.op != Op::kFlatten) {
      EXPECT_TRUE(seen.count(info.op)) << info.name;
    }
  }
  EXPECT_EQ(widths, 0x1fe);
}

Layer layer_with(int channels, int filters, int kernel, int groups, int width) {
  Layer layer;
  layer.name = "layer";
  layer.in_channels = channels;
  layer.out_channels = filters;
  layer.in_height = 5;
  layer.in_width = width;
  layer.kernel_h = kernel;
  layer.kernel_w = kernel;
  layer.groups = groups;
  layer.pad_top = layer.pad_left = kernel - 1;
  return layer;
}

TEST(LayerKernel, EqualsTheReferenceWithExtremeCodesAndOddSizes) {
  Rng rng(7);
  for (const auto& [channels, filters, kernel, groups] :
       std::vector<std::array<int, 4>>{{1, 1, 1, 1},
                                       {3, 5, 3, 1},
                                       {16, 7, 3, 1},
                                       {17, 4, 2, 1},
                                       {8, 8, 3, 8},
                                       {8, 16, 3, 8},
                                       {6, 9, 2, 3},
                                       {64, 6, 3, 2}}) {
    for (const int width : {5, 8, 11}) {
      Layer layer = layer_with(channels, filters, kernel, groups, width);
      layer.stride_w = width == 8 ? 2 : 1;
      layer.dilation_w = width == 11 ? 2 : 1;
      layer.dilation_h = width == 8 ? 2 : 1;
      layer.validate();
      LayerData data;
      for (std::int64_t i = 0; i < layer.inputs(); ++i) {
        data.activations.push_back(
            static_cast<std::int16_t>(rng.uniform() < 0.5 ? 255 : rng.integer(-255, 255)));
      }
      for (std::int64_t i = 0; i < layer.weights(); ++i) {
        data.weights.push_back(
            static_cast<std::int16_t>(rng.uniform() < 0.5 ? -255 : rng.integer(-255, 255)));
      }
      std::vector<std::int32_t> sums(static_cast<std::size_t>(layer.outputs()), 77);
      LayerKernel(layer, data.weights).sums(data.activations, sums);
      EXPECT_EQ(sums, reference_outputs(layer, 1, data)) << layer.key();
    }
  }
}

TEST(IntegerExecutor, ImageOfAnotherSizeIsRefused) {
  Rng rng(3);
  const QuantisedNetwork integers = random_integers(
      network_of("  - linear: {name: out, out: 2, relu: false}\n", "[1, 2, 3]"), rng);
  const IntegerExecutor executor(integers);
  const std::vector<std::uint8_t> image(5);
  try {
    executor.logits(image);
    FAIL() << "an image of 5 bytes";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("an image of 5 bytes, expected 6"));
  }
}

TEST(IntegerExecutor, SumsOfALayerTakeTheLayersActivationsOnly) {
  Rng rng(3);
  const QuantisedNetwork integers = random_integers(
      network_of("  - linear: {name: out, out: 2, relu: false}\n", "[1, 2, 3]"), rng);
  const IntegerExecutor executor(integers);
  EXPECT_THROW(executor.layer_sums(0, std::vector<std::int16_t>(7)), Error);
  IntegerValues values = executor.begin(std::vector<std::uint8_t>(6));
  EXPECT_THROW(executor.finish_layer(0, std::vector<std::int32_t>(3), values), Error);
  EXPECT_THROW(executor.compute(1, values), Error);  // a layer's node
}

}  // namespace
}  // namespace bittern
