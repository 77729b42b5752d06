#include "agent/nn/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "agent/torch.h"
#include "host/base/error.h"
#include "tests/agent/nn/tiny_network.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

template <typename Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

/// A plane-major feature map of one image.
struct Map {
  int channels;
  int height;
  int width;
  std::vector<double> values;
  double at(int c, int y, int x) const {
    if (y < 0 || x < 0 || y >= height || x >= width) return 0;
    return values[static_cast<std::size_t>((c * height + y) * width + x)];
  }
};

/// Convolution straight from the definition.
Map convolve(const Layer& layer, const Map& in, const LayerWeights& weights) {
  Map out{layer.out_channels, layer.out_height(), layer.out_width(), {}};
  const auto w = weights.weight.accessor<float, 4>();
  const int group_in = layer.in_channels / layer.groups;
  const int group_out = layer.out_channels / layer.groups;
  for (int o = 0; o < out.channels; ++o) {
    for (int y = 0; y < out.height; ++y) {
      for (int x = 0; x < out.width; ++x) {
        double sum = weights.bias[o].item<double>();
        for (int c = 0; c < group_in; ++c) {
          for (int ky = 0; ky < layer.kernel_h; ++ky) {
            for (int kx = 0; kx < layer.kernel_w; ++kx) {
              sum += static_cast<double>(w[o][c][ky][kx]) *
                     in.at(o / group_out * group_in + c, y * layer.stride_h - layer.pad_top + ky,
                           x * layer.stride_w - layer.pad_left + kx);
            }
          }
        }
        out.values.push_back(sum);
      }
    }
  }
  return out;
}

Map pool_and_relu(const Map& in, int pool, bool relu) {
  Map out{in.channels, in.height / pool, in.width / pool, {}};
  for (int c = 0; c < out.channels; ++c) {
    for (int y = 0; y < out.height; ++y) {
      for (int x = 0; x < out.width; ++x) {
        double best = in.at(c, y * pool, x * pool);
        for (int dy = 0; dy < pool; ++dy) {
          for (int dx = 0; dx < pool; ++dx) {
            best = std::max(best, in.at(c, y * pool + dy, x * pool + dx));
          }
        }
        out.values.push_back(relu ? std::max(best, 0.0) : best);
      }
    }
  }
  return out;
}

torch::Tensor random_images(std::int64_t count, int channels, int height, int width, Rng& rng) {
  torch::Tensor images = torch::empty({count, channels, height, width}, torch::kUInt8);
  for (std::int64_t i = 0; i < images.numel(); ++i) {
    images.data_ptr<std::uint8_t>()[i] = static_cast<std::uint8_t>(rng.integer(0, 255));
  }
  return images;
}

/// Two random convolutions (stride, uneven padding, groups) and a linear layer, joined by random
/// pooling and ReLU.
Network random_chain(Rng& rng) {
  Network network;
  network.name = "random";
  Layer previous;
  for (int i = 0; i < 2; ++i) {
    Layer layer;
    layer.name = "conv" + std::to_string(i);
    layer.kind = LayerKind::kConv;
    layer.groups = i == 0 ? 1 : static_cast<int>(rng.integer(1, 2));
    const int pool = i == 0 ? 1 : static_cast<int>(rng.integer(1, 2));
    layer.in_channels = i == 0 ? static_cast<int>(rng.integer(1, 3)) : previous.out_channels;
    layer.in_height = i == 0 ? static_cast<int>(rng.integer(12, 17)) : previous.out_height() / pool;
    layer.in_width = i == 0 ? static_cast<int>(rng.integer(12, 17)) : previous.out_width() / pool;
    layer.out_channels = 2 * static_cast<int>(rng.integer(1, 4));
    layer.kernel_h = static_cast<int>(rng.integer(1, 3));
    layer.kernel_w = static_cast<int>(rng.integer(1, 3));
    layer.stride_h = static_cast<int>(rng.integer(1, 2));
    layer.stride_w = static_cast<int>(rng.integer(1, 2));
    layer.pad_top = static_cast<int>(rng.integer(0, 2));
    layer.pad_bottom = static_cast<int>(rng.integer(0, 2));
    layer.pad_left = static_cast<int>(rng.integer(0, 2));
    layer.pad_right = static_cast<int>(rng.integer(0, 2));
    layer.signed_input = rng.uniform() < 0.3;
    network.layers.push_back(layer);
    previous = layer;
  }
  Layer linear;
  linear.name = "linear";
  linear.kind = LayerKind::kLinear;
  linear.in_channels = previous.out_channels * previous.out_height() * previous.out_width();
  linear.out_channels = 5;
  linear.signed_input = rng.uniform() < 0.5;
  network.layers.push_back(linear);
  return network;
}

TEST(Model, ComputesWhatTheDefinitionsSay) {
  Rng rng(1);
  for (int round = 0; round < 30; ++round) {
    const Network network = random_chain(rng);
    const Model model(network);
    const Weights weights = model.random_weights(rng.split(static_cast<std::uint64_t>(round)));
    const Layer& first = network.layers[0];
    const torch::Tensor images =
        random_images(2, first.in_channels, first.in_height, first.in_width, rng);
    const torch::NoGradGuard no_gradient;
    const torch::Tensor logits = model.forward(images, weights);
    ASSERT_EQ(logits.sizes(), (std::vector<std::int64_t>{2, 5}));
    for (int n = 0; n < 2; ++n) {
      Map map{first.in_channels, first.in_height, first.in_width, {}};
      const torch::Tensor image = images[n].flatten();
      for (std::int64_t i = 0; i < image.numel(); ++i) {
        map.values.push_back(image[i].item<double>() / 255.0);
      }
      for (std::size_t i = 0; i < 2; ++i) {
        const Layer& next = network.layers[i + 1];
        map = convolve(network.layers[i], map, weights[i]);
        const int pool = i == 0 ? map.height / next.in_height : 1;
        map = pool_and_relu(map, pool, !next.signed_input);
      }
      for (int o = 0; o < 5; ++o) {
        double sum = weights[2].bias[o].item<double>();
        for (std::size_t i = 0; i < map.values.size(); ++i) {
          sum += weights[2].weight[o][static_cast<std::int64_t>(i)].item<double>() * map.values[i];
        }
        EXPECT_NEAR(logits[n][o].item<double>(), sum, 1e-4) << "round " << round;
      }
    }
  }
}

TEST(Model, HookSeesEveryLayersInputAndReplacesIt) {
  const Model model(tiny_network());
  const Weights weights = model.random_weights(Rng(1));
  Rng rng(2);
  const torch::Tensor images = random_images(3, 1, 28, 28, rng);
  std::vector<std::int64_t> elements;
  const torch::Tensor logits =
      model.forward(images, weights, [&](std::size_t layer, const torch::Tensor& input) {
        EXPECT_EQ(layer, elements.size());
        elements.push_back(input.numel() / 3);
        EXPECT_GE(input.min().item<float>(), 0.0f);
        return layer == 2 ? torch::zeros_like(input) : input;
      });
  EXPECT_EQ(elements, (std::vector<std::int64_t>{784, 144, 16}));
  EXPECT_TRUE(torch::allclose(logits[0], weights[2].bias));
}

TEST(Model, LeNetOfTheZooIsAChain) {
  const Model model(load_network("lenet"));
  EXPECT_EQ(model.classes(), 10);
  const Weights weights = model.random_weights(Rng(1));
  EXPECT_EQ(weights[2].weight.sizes(), (std::vector<std::int64_t>{500, 800}));
}

TEST(Model, NetworkThatIsNoChainIsRefusedWithTheLayers) {
  Network network = tiny_network();
  network.layers[1].in_channels = 145;
  EXPECT_THAT(message_of([&] { Model model(network); }),
              ::testing::AllOf(HasSubstr("layer conv gives 4x12x12"), HasSubstr("layer hidden")));
  network.layers.clear();
  EXPECT_THROW(Model model(network), Error);
}

TEST(Model, WeightsGoThroughAFileUnchanged) {
  const Model model(tiny_network());
  const Weights weights = model.random_weights(Rng(3));
  const Weights back = model.read_weights(model.write_weights(weights), "file");
  for (std::size_t i = 0; i < weights.size(); ++i) {
    EXPECT_TRUE(torch::equal(weights[i].weight, back[i].weight));
    EXPECT_TRUE(torch::equal(weights[i].bias, back[i].bias));
  }
}

TEST(Model, MissingOrMisshapenWeightsAreNamed) {
  const Model model(tiny_network());
  TensorFile file = model.write_weights(model.random_weights(Rng(3)));
  TensorFile less = file;
  less.tensors.erase("hidden.bias");
  EXPECT_THAT(message_of([&] { model.read_weights(less, "w.st"); }),
              ::testing::AllOf(HasSubstr("w.st"), HasSubstr("hidden.bias")));
  file.tensors["out.weight"] = StoredTensor::from_floats({16, 10}, std::vector<float>(160));
  EXPECT_THAT(message_of([&] { model.read_weights(file, "w.st"); }),
              HasSubstr("'out.weight' has shape 16x10, network tiny needs 10x16"));
}

}  // namespace
}  // namespace bittern
