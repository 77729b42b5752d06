#include "host/integer/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "host/base/error.h"
#include "host/cores/core.h"
#include "tests/host/cores/random_layers.h"

namespace bittern {
namespace {

/// The definition, one multiplication at a time, in 64 bits.
std::vector<std::int32_t> slow_outputs(const Layer& layer, int batch, const LayerData& data) {
  std::vector<std::int32_t> outputs;
  const int group_inputs = layer.in_channels / layer.groups;
  const int group_outputs = layer.out_channels / layer.groups;
  for (int b = 0; b < batch; ++b) {
    for (int o = 0; o < layer.out_channels; ++o) {
      for (int y = 0; y < layer.out_height(); ++y) {
        for (int x = 0; x < layer.out_width(); ++x) {
          std::int64_t sum = 0;
          for (int c = 0; c < group_inputs; ++c) {
            for (int i = 0; i < layer.kernel_h; ++i) {
              for (int j = 0; j < layer.kernel_w; ++j) {
                const int in_y = y * layer.stride_h + i * layer.dilation_h - layer.pad_top;
                const int in_x = x * layer.stride_w + j * layer.dilation_w - layer.pad_left;
                if (in_y < 0 || in_y >= layer.in_height || in_x < 0 || in_x >= layer.in_width) {
                  continue;
                }
                const int channel = o / group_outputs * group_inputs + c;
                const auto a =
                    data.activations[((static_cast<std::size_t>(b) * layer.in_channels + channel) *
                                          layer.in_height +
                                      in_y) *
                                         layer.in_width +
                                     in_x];
                const auto w = data.weights[((static_cast<std::size_t>(o) * group_inputs + c) *
                                                 layer.kernel_h +
                                             i) *
                                                layer.kernel_w +
                                            j];
                sum += static_cast<std::int64_t>(a) * w;
              }
            }
          }
          outputs.push_back(static_cast<std::int32_t>(sum));
        }
      }
    }
  }
  return outputs;
}

TEST(ReferenceTest, EqualsTheDefinitionOnRandomLayers) {
  Rng rng(4);
  for (int i = 0; i < 100; ++i) {
    const Layer layer = random_layer(rng);
    const int batch = static_cast<int>(rng.integer(1, 3));
    const LayerData data = random_layer_data(layer, random_precision(rng), batch, i);
    ASSERT_EQ(reference_outputs(layer, batch, data), slow_outputs(layer, batch, data))
        << layer.name;
  }
}

TEST(RandomDataTest, CoversTheRangeWithCornersAndDependsOnTheSeedOnly) {
  Layer layer;
  layer.kind = LayerKind::kLinear;
  layer.in_channels = 1000;
  layer.out_channels = 4;
  for (int bits = 1; bits <= 8; ++bits) {
    Precision precision;
    precision.bits = {bits, bits};
    const LayerData data = random_layer_data(layer, precision, 4, 9);
    const auto [low, high] = std::minmax_element(data.weights.begin(), data.weights.end());
    EXPECT_EQ(*low, -(1 << (bits - 1)));
    EXPECT_EQ(*high, (1 << (bits - 1)) - 1);
    const auto [least, most] =
        std::minmax_element(data.activations.begin(), data.activations.end());
    EXPECT_EQ(*least, 0);
    EXPECT_EQ(*most, (1 << bits) - 1);
    EXPECT_EQ(data.weights, random_layer_data(layer, precision, 4, 9).weights);
    EXPECT_NE(data.weights, random_layer_data(layer, precision, 4, 10).weights);
  }
}

TEST(CheckPrecision, LayersBeyondAllCountingAreRefused) {
  Layer layer;
  layer.name = "huge";
  layer.in_height = 8192;
  layer.in_width = 65536;
  layer.kernel_h = layer.kernel_w = 8192;
  layer.pad_top = layer.pad_bottom = layer.pad_left = layer.pad_right = 8191;
  ASSERT_NO_THROW(layer.validate());
  try {
    check_precision(layer, {{8, 8}}, 1, 8);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("layer huge: batch 1 has 8.11e+16 values"),
              std::string::npos)
        << error.what();
  }
  layer.kernel_h = layer.kernel_w = 3;
  layer.pad_top = layer.pad_bottom = layer.pad_left = layer.pad_right = 0;
  EXPECT_NO_THROW(check_precision(layer, {{8, 8}}, 4096, 8));
}

}  // namespace
}  // namespace bittern
