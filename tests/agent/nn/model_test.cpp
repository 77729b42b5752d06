#include "agent/nn/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "agent/nn/engine.h"
#include "agent/nn/folding.h"
#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/yaml.h"
#include "host/network/ops.h"
#include "tests/host/base/message_of.h"
#include "tests/host/network/naive.h"
#include "tests/host/network/random_graph.h"
#include "tests/host/network/tiny_network.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

torch::Tensor random_images(std::int64_t count, int channels, int height, int width, Rng& rng) {
  torch::Tensor images = torch::empty({count, channels, height, width}, torch::kUInt8);
  for (std::int64_t i = 0; i < images.numel(); ++i) {
    images.data_ptr<std::uint8_t>()[i] = static_cast<std::uint8_t>(rng.integer(0, 255));
  }
  return images;
}

/// Weights from 0.1 to 1 away from 0, variances above 0: nothing is so small that errors hide.
Weights drawn_weights(const Model& model, Rng& rng) {
  Weights weights = model.random_weights(rng.split(7));
  for (NodeWeights& node : weights) {
    for (torch::Tensor* tensor : {&node.bias, &node.mean, &node.variance}) {
      if (!tensor->defined()) continue;
      for (std::int64_t i = 0; i < tensor->numel(); ++i) {
        tensor->data_ptr<float>()[i] = static_cast<float>(0.1 + 0.9 * rng.uniform());
      }
    }
  }
  return weights;
}

TEST(Model, ComputesWhatTheDefinitionsSay) {
  Rng rng(1);
  std::set<Op> seen;
  for (int round = 0; round < 60; ++round) {
    const Network network = RandomGraph(rng).draw(7, 5);
    SCOPED_TRACE(graph_key(network.graph));
    for (const Node& node : network.graph.nodes) seen.insert(node.op);
    const Model model(network);
    const Weights weights = drawn_weights(model, rng);
    NamedTensors named;
    for (const auto& [name, tensor] : model.write_weights(weights).tensors) {
      named[name] = {tensor.shape, tensor.to_floats()};
    }
    const NaiveExecutor naive(network.graph, named);
    const Shape& input = network.graph.input;
    const torch::Tensor images = random_images(2, input.channels, input.height, input.width, rng);
    const torch::NoGradGuard no_gradient;
    const torch::Tensor logits = model.forward(images, weights);
    ASSERT_EQ(logits.sizes(), (std::vector<std::int64_t>{2, 5}));
    // The same with batch norms in the layers' weights, where that can be.
    const FoldedNetwork folded = bittern::folded(network, model.write_weights(weights), "");
    const Model folded_model(folded.network);
    const torch::Tensor folded_logits =
        folded_model.forward(images, folded_model.read_weights(folded.weights, ""));
    for (int n = 0; n < 2; ++n) {
      NaiveMap map{input.channels, input.height, input.width, {}};
      const torch::Tensor image = images[n].flatten();
      for (std::int64_t i = 0; i < image.numel(); ++i) {
        map.values.push_back(image[i].item<double>() / 255.0);
      }
      const std::vector<double> expected = naive.answer(map);
      for (int o = 0; o < 5; ++o) {
        const double value = expected[static_cast<std::size_t>(o)];
        const double tolerance = 1e-4 * std::max(1.0, std::abs(value));
        EXPECT_NEAR(logits[n][o].item<double>(), value, tolerance) << "round " << round;
        EXPECT_NEAR(folded_logits[n][o].item<double>(), value, 5 * tolerance) << "round " << round;
      }
    }
  }
  // All but the one that stands for what a file leaves open.
  EXPECT_EQ(seen.size(), all_ops().size() - 1);
  EXPECT_EQ(seen.count(Op::kGiven), 0u);
}

TEST(Gradients, OfABatchInPiecesAreThoseOfTheWholeBatch) {
  const Network network = network_of(
      "  - conv: {name: a, out: 3, kernel: 3, pad: 1, batch_norm: an}\n"
      "  - conv: {name: b, out: 3, kernel: 3, pad: 1, batch_norm: bn, relu: false}\n"
      "  - add: {from: [b, a], relu: true}\n"
      "  - pool: {kernel: 4, kind: average}\n"
      "  - linear: {name: c, out: 5, relu: false, batch_norm: cn, bias: true}\n",
      "[2, 8, 8]");
  Engine engine(network, 2, TensorDevice::kCpu);
  Rng rng(3);
  Weights weights = drawn_weights(engine.model(), rng);
  // Pieces of 32, 32 and 6.
  TensorData batch{random_images(70, 2, 8, 8, rng), torch::arange(70).remainder(5)};
  Weights found;
  const Score score = engine.gradients(weights, {}, batch, found);

  for (NodeWeights& node : weights) {
    node.weight.requires_grad_(true);
    if (node.bias.defined()) node.bias.requires_grad_(true);
  }
  const auto norm = [&](const torch::Tensor& x, std::size_t slot) {
    return at::batch_norm(x, weights[slot].weight, weights[slot].bias, {}, {}, true, 0.1, 1e-5,
                          false);
  };
  const auto conv = [&](const torch::Tensor& x, std::size_t slot) {
    return at::conv2d(x, weights[slot].weight, {}, {1, 1}, {1, 1});
  };
  const torch::Tensor pixels = batch.images.to(torch::kFloat32) / 255.0;
  const torch::Tensor first = conv(pixels, 0);
  const torch::Tensor a = at::relu(norm(first, 1));
  const torch::Tensor sum = at::relu(norm(conv(a, 2), 3) + a);
  const torch::Tensor flat = at::avg_pool2d(sum, {4, 4}).flatten(1);
  const torch::Tensor logits = norm(at::linear(flat, weights[4].weight, weights[4].bias), 5);
  const torch::Tensor loss = at::cross_entropy_loss(logits, batch.labels);
  EXPECT_NEAR(score.loss(), loss.item<double>(), 1e-5);
  loss.backward();
  // What comes before a batch norm has a bias gradient of zero, up to rounding of what cancels.
  double largest = 0.0;
  for (const NodeWeights& node : weights) {
    largest = std::max(largest, node.weight.grad().abs().max().item<double>());
  }
  for (std::size_t slot = 0; slot < weights.size(); ++slot) {
    for (const auto tensor : {&NodeWeights::weight, &NodeWeights::bias}) {
      if (!(weights[slot].*tensor).defined()) continue;
      const torch::Tensor expected = (weights[slot].*tensor).grad();
      EXPECT_TRUE(torch::allclose(found[slot].*tensor, expected, 1e-3, 1e-5 * largest))
          << slot << "\n"
          << found[slot].*tensor << "\n"
          << expected;
    }
  }
  EXPECT_TRUE(torch::allclose(found[1].mean, first.mean({0, 2, 3})));
  EXPECT_TRUE(torch::allclose(found[1].variance, first.var({0, 2, 3}, true), 1e-4));
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

TEST(Model, LeNetOfTheZooHasItsClassesAndWeights) {
  const Model model(load_network("lenet"));
  EXPECT_EQ(model.classes(), 10);
  const Weights weights = model.random_weights(Rng(1));
  EXPECT_EQ(weights[2].weight.sizes(), (std::vector<std::int64_t>{500, 800}));
}

/// A stack of ten convolutions without batch norm.
Network deep_network() {
  std::string text = "name: deep\ninput: [16, 8, 8]\nlayers:\n";
  for (int i = 0; i < 10; ++i) {
    text += "  - conv: {name: c" + std::to_string(i) + ", out: 64, kernel: 3, pad: 1}\n";
  }
  text += "  - linear: {name: fc, out: 10, relu: false}\n";
  return parse_network(YamlNode::parse(text, "deep.yaml"));
}

TEST(Model, HesFirstWeightsKeepTheSpreadThroughReLUs) {
  const Model model(deep_network());
  Rng rng(5);
  const torch::Tensor images = random_images(4, 16, 8, 8, rng);
  const auto fades = [&](FirstWeights first) {
    const Weights weights = model.random_weights(Rng(1), first);
    std::vector<double> spread;
    model.forward(images, weights, [&](std::size_t, const torch::Tensor& input) {
      spread.push_back(input.to(torch::kFloat32).std().item<double>());
      return input;
    });
    return spread.back() / spread[1];
  };
  // Each layer of PyTorch's leaves a sixth of the variance, but for what the biases bring.
  EXPECT_LT(fades(FirstWeights::kDefault), 0.1);
  EXPECT_GT(fades(FirstWeights::kHe), 0.3);
  for (const NodeWeights& node : model.random_weights(Rng(1), FirstWeights::kHe)) {
    EXPECT_EQ(node.bias.abs().max().item<float>(), 0.0f);
  }
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
