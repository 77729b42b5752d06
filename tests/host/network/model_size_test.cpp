#include "host/network/model_size.h"

#include <gtest/gtest.h>

#include <string>

#include "host/base/error.h"

namespace bittern {
namespace {

Layer fully_connected(int in, int out) {
  Layer layer;
  layer.name = "fc";
  layer.kind = LayerKind::kLinear;
  layer.in_channels = in;
  layer.out_channels = out;
  return layer;
}

/// A network of shapes alone.
Network shapes() {
  Network network;
  network.name = "shapes";
  network.layers = {fully_connected(100, 10), fully_connected(10, 3)};
  return network;
}

struct Row {
  std::string network;
  double two, three, four, original;  ///< MiB
};

class Table6 : public ::testing::TestWithParam<Row> {};

/// Table 6 of HAQ (Wang et al., CVPR 2019), rows of Deep Compression and of the original, in units
/// of 2^20 bytes. For ResNet-50 the table has 6.32, 9.36 and 12.40, for MobileNet-V1
/// at 3 bits 1.60: more than layers, codebooks, biases and batch norms make.
TEST_P(Table6, CountsSizesAsThePaperDoes) {
  const Row& row = GetParam();
  const Network network = load_network(row.network);
  const auto mib = [&](int bits) {
    return codebook_model_bytes(network, uniform_policy(network, {bits, 8})) / (1 << 20);
  };
  EXPECT_NEAR(mib(2), row.two, 0.005);
  EXPECT_NEAR(mib(3), row.three, 0.005);
  EXPECT_NEAR(mib(4), row.four, 0.005);
  EXPECT_NEAR(float_model_bytes(network) / (1 << 20), row.original, 0.005);
}

INSTANTIATE_TEST_SUITE_P(Networks, Table6,
                         ::testing::Values(Row{"mobilenet_v1", 1.09, 1.59, 2.10, 16.14},
                                           Row{"mobilenet_v2", 0.96, 1.38, 1.79, 13.37},
                                           Row{"resnet50", 6.29, 9.33, 12.37, 97.49}),
                         [](const auto& info) { return info.param.network; });

TEST(ModelSize, CountsIndicesAndCodebookOfALayer) {
  const Layer layer = fully_connected(100, 10);
  EXPECT_EQ(codebook_layer_bytes(layer, 3), 1000 * 3 / 8.0 + 8 * 4);
  EXPECT_EQ(codebook_layer_bytes(layer, 8), 1000 + 256 * 4);
}

TEST(ModelSize, HasNothingButWeightsWhereThereAreOnlyShapes) {
  const Network network = shapes();
  EXPECT_EQ(float_model_bytes(network), 4.0 * static_cast<double>(network.weights()));
}

TEST(ModelSize, RefusesAPolicyOfAnotherNetwork) {
  EXPECT_THROW(codebook_model_bytes(shapes(), Policy(3, {4, 4})), Error);
}

}  // namespace
}  // namespace bittern
