#include "agent/nn/prefix_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/nn/engine.h"
#include "agent/torch.h"
#include "host/base/random.h"
#include "tests/host/network/random_graph.h"
#include "tests/host/network/tiny_network.h"

namespace bittern {
namespace {

PrefixValues values_of(std::int64_t floats) {
  Values values;
  values.nodes = {torch::Tensor(), torch::zeros({floats})};
  return {values};
}

TEST(PrefixCache, DropsWhatWasNotUsedForLongest) {
  PrefixCache cache(3 * 400);
  cache.insert(1, "a", values_of(100));
  cache.insert(1, "b", values_of(100));
  cache.insert(2, "a", values_of(100));
  EXPECT_EQ(cache.bytes(), 1200u);
  EXPECT_NE(cache.find(1, "a"), nullptr);  // used again
  cache.insert(1, "c", values_of(100));
  EXPECT_EQ(cache.find(1, "b"), nullptr);
  EXPECT_NE(cache.find(1, "a"), nullptr);
  EXPECT_NE(cache.find(2, "a"), nullptr);
  EXPECT_NE(cache.find(1, "c"), nullptr);
  cache.insert(3, "large", values_of(301));
  EXPECT_EQ(cache.find(3, "large"), nullptr) << "more than is allowed altogether";
  EXPECT_EQ(cache.bytes(), 1200u);
  PrefixCache none(0);
  none.insert(1, "a", values_of(1));
  EXPECT_EQ(none.find(1, "a"), nullptr);
}

TEST(PrefixCuts, LieWhereASingleMapGoesOn) {
  const Network network = network_of(
      "  - conv: {name: a, out: 4, kernel: 3, pad: 1}\n"
      "  - conv: {name: b, out: 4, kernel: 3, pad: 1, relu: false}\n"
      "  - add: {name: sum, from: [b, a]}\n"
      "  - conv: {name: c, out: 4, kernel: 3, pad: 1}\n"
      "  - linear: {name: last, out: 2, relu: false}\n",
      "[4, 6, 6]");
  const std::vector<PrefixCut> cuts = prefix_cuts(network.graph, 8);
  // Between b and the sum a second map is alive.
  for (const PrefixCut& cut : cuts) {
    EXPECT_NE(network.graph.nodes[cut.node].op, Op::kAdd);
    EXPECT_GE(cut.layers, 1u);
    EXPECT_LE(cut.layers, 3u);
    EXPECT_GT(cut.work, 0.0);
    EXPECT_LT(cut.work, 1.0);
  }
  ASSERT_GE(cuts.size(), 2u);
  for (std::size_t i = 1; i < cuts.size(); ++i) EXPECT_LT(cuts[i - 1].node, cuts[i].node);
  EXPECT_TRUE(prefix_cuts(network.graph, 0).empty());
}

TEST(SharedPrefixes, GiveTheScoreOfTheWholeNetworkBitForBit) {
  int shared = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Rng rng(seed);
    const Network network = RandomGraph(rng).draw(7, 5);
    Engine engine(network, 2, TensorDevice::kCpu);
    const Shape& shape = network.graph.input;
    const torch::Tensor images =
        torch::randint(0, 256, {150, shape.channels, shape.height, shape.width}, torch::kUInt8);
    const TensorData data{images, torch::randint(0, 5, {150}, torch::kInt64)};
    const Weights weights = engine.model().random_weights(rng.split(1));
    PrefixCache cache(std::size_t{1} << 30);
    SharedPrefixes prefixes{&cache, {}};
    for (const PrefixCut& cut : prefix_cuts(engine.model().graph(), 3)) {
      prefixes.cuts.emplace_back(cut.node, "the weights before");
    }
    // The first fills the cache, the second takes from it, with another last layer.
    for (int round = 0; round < 2; ++round) {
      Weights changed = weights;
      const std::size_t last = engine.model().slot_of_layer(network.layers.size() - 1);
      changed[last].weight = weights[last].weight * (1.0f + static_cast<float>(round));
      const Score whole = engine.score(changed, {}, data);
      const Score parts = engine.score(changed, {}, data, prefixes);
      ASSERT_EQ(parts.loss_sum, whole.loss_sum) << "seed " << seed << " round " << round;
      ASSERT_EQ(parts.predictions, whole.predictions);
    }
    if (prefixes.cuts.empty()) continue;
    ++shared;
    // That it was taken shows in what it hides: the first layer's weights no longer matter.
    Weights changed = weights;
    const std::size_t first = engine.model().slot_of_layer(0);
    changed[first].weight = weights[first].weight * 3.0f + 1.0f;
    EXPECT_EQ(engine.score(changed, {}, data, prefixes).loss_sum,
              engine.score(weights, {}, data).loss_sum);
  }
  EXPECT_GT(shared, 5);
}

}  // namespace
}  // namespace bittern
