#include "host/network/passes/joined_layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/network/network.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Graph graph_of(const std::string& layers) {
  return parse_network(YamlNode::parse("name: n\ninput: [3, 8, 8]\nlayers:\n" + layers, "n.yaml"))
      .graph;
}

TEST(JoinedLayers, AreThoseWhoseOutputsAreAdded) {
  const Graph graph = graph_of(
      "  - conv: {name: a, out: 4, kernel: 3, pad: same, batch_norm: true}\n"
      "  - conv: {name: b, out: 4, kernel: 3, pad: same}\n"
      "  - add: {name: x, from: [a, b], relu: true}\n"
      "  - conv: {name: c, out: 4, kernel: 3, pad: same, relu: false}\n"
      "  - conv: {name: d, out: 4, kernel: 3, pad: same, relu: false}\n"
      "  - add: {from: [x, d]}\n"
      "  - conv: {name: e, out: 4, kernel: 3, pad: same}\n");
  EXPECT_THAT(joined_layers(graph, Op::kAdd), ElementsAre(ElementsAre(0u, 1u, 3u)));
  EXPECT_THAT(joined_layers(graph, Op::kConcat), IsEmpty());
}

TEST(JoinedLayers, OfBranchesThatAreConcatenatedAreGroupsOfTheirOwn) {
  const Graph graph = graph_of(
      "  - conv: {name: a, out: 4, kernel: 1}\n"
      "  - conv: {name: left, out: 4, kernel: 1}\n"
      "  - conv: {name: right, from: a, out: 2, kernel: 3, pad: same}\n"
      "  - concat: {name: x, from: [left, right, input]}\n"
      "  - conv: {name: b, out: 2, kernel: 1}\n"
      "  - conv: {name: c, from: x, out: 2, kernel: 1}\n"
      "  - concat: {from: [c, b]}\n");
  EXPECT_THAT(joined_layers(graph, Op::kConcat),
              ElementsAre(ElementsAre(1u, 2u), ElementsAre(3u, 4u)));
}

}  // namespace
}  // namespace bittern
