#include "agent/nn/model.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
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
  double at(int c, int y, int x, double outside = 0) const {
    if (y < 0 || x < 0 || y >= height || x >= width) return outside;
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

/// Maximum over windows, straight from the definition.
Map pooled(const Pool& pool, const Map& in) {
  const auto size = [](int in_size, int before, int behind, int kernel, int stride) {
    return (in_size + before + behind - kernel) / stride + 1;
  };
  Map out{in.channels,
          size(in.height, pool.pad_top, pool.pad_bottom, pool.kernel_h, pool.stride_h),
          size(in.width, pool.pad_left, pool.pad_right, pool.kernel_w, pool.stride_w),
          {}};
  for (int c = 0; c < out.channels; ++c) {
    for (int y = 0; y < out.height; ++y) {
      for (int x = 0; x < out.width; ++x) {
        double best = -1e300;
        for (int dy = 0; dy < pool.kernel_h; ++dy) {
          for (int dx = 0; dx < pool.kernel_w; ++dx) {
            best = std::max(best, in.at(c, y * pool.stride_h - pool.pad_top + dy,
                                        x * pool.stride_w - pool.pad_left + dx, -1e300));
          }
        }
        out.values.push_back(best);
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

/// One number or two, as network files have them.
std::string random_pair(Rng& rng, std::int64_t low, std::int64_t high) {
  return fmt::format("[{}, {}]", rng.integer(low, high), rng.integer(low, high));
}

/// None, one or two poolings of any window, stride and padding.
std::string random_pools(Rng& rng) {
  std::string text;
  for (std::int64_t i = rng.integer(0, 2); i > 0; --i) {
    const std::int64_t kernel = rng.integer(1, 3);
    text += fmt::format("  - pool: {{kernel: [{}, {}], stride: {}, pad: [{}, {}, {}, {}]}}\n",
                        kernel, kernel, random_pair(rng, 1, 2), rng.integer(0, kernel - 1),
                        rng.integer(0, kernel - 1), rng.integer(0, kernel - 1),
                        rng.integer(0, kernel - 1));
  }
  return text;
}

/// Two random convolutions (stride, uneven padding, groups) and a linear layer, with random pooling
/// and ReLU between them.
std::string random_chain_text(Rng& rng) {
  std::string text = fmt::format("name: n\ninput: [{}, {}, {}]\nlayers:\n", rng.integer(1, 3),
                                 rng.integer(16, 20), rng.integer(16, 20));
  for (int i = 0; i < 2; ++i) {
    if (i > 0) text += random_pools(rng);
    text += fmt::format(
        "  - conv: {{name: conv{}, out: {}, groups: {}, kernel: [3, 2], stride: {}, pad: [{}, {}, "
        "{}, "
        "{}], relu: {}}}\n",
        i, 2 * rng.integer(1, 4), i == 0 ? 1 : rng.integer(1, 2), random_pair(rng, 1, 2),
        rng.integer(0, 2), rng.integer(0, 2), rng.integer(0, 1), rng.integer(0, 1),
        rng.uniform() < 0.6);
  }
  return text + random_pools(rng) + "  - linear: {name: linear, out: 5, relu: false}\n";
}

Network random_chain(Rng& rng) {
  const TemporaryFolder folder;
  // Now and then the maps become smaller than a window.
  for (int tries = 0; tries < 50; ++tries) {
    write_file(folder / "n.yaml", random_chain_text(rng));
    try {
      return load_network((folder / "n.yaml").string());
    } catch (const Error&) {
    }
  }
  throw std::logic_error("no random network has legal shapes");
}

TEST(Model, ComputesWhatTheDefinitionsSay) {
  Rng rng(1);
  for (int round = 0; round < 30; ++round) {
    const Network network = random_chain(rng);
    SCOPED_TRACE(network.layers[0].key() + ", " + network.layers[1].key() + ", " +
                 network.layers[2].key() + "; " + wiring_key(network));
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
      for (std::size_t i = 0; i < 3; ++i) {
        for (const Pool& pool : network.wiring[i].input.pools) map = pooled(pool, map);
        if (i == 2) break;
        map = convolve(network.layers[i], map, weights[i]);
        if (!network.wiring[i].relu) continue;
        for (double& value : map.values) value = std::max(value, 0.0);
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
