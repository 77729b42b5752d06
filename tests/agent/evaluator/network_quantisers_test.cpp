#include "agent/evaluator/network_quantisers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "agent/nn/training.h"
#include "agent/torch.h"
#include "tests/host/network/tiny_network.h"

namespace bittern {
namespace {

TensorData noise(std::int64_t count, const Shape& shape) {
  torch::manual_seed(5);
  return {torch::randint(0, 256, {count, shape.channels, shape.height, shape.width}, torch::kUInt8),
          torch::randint(0, 10, {count}, torch::kInt64)};
}

/// What the linear layer behind the pooling takes: means over a channel of the first layer.
torch::Tensor pooled(const Model& model, const TensorData& data, const Weights& weights,
                     const InputHook& input) {
  torch::Tensor means;
  const torch::NoGradGuard no_gradient;
  model.forward(data.images, weights, [&](std::size_t layer, const torch::Tensor& x) {
    if (layer == 1) means = x.flatten(1).mean(0);
    return input && layer == 0 ? input(layer, x) : x;
  });
  return means;
}

TEST(NetworkQuantisers, ReEstimationTakesTheErrorOfAChannelsMeanOffItsBias) {
  const Network network = network_of(
      "  - conv: {name: a, out: 3, kernel: 3, relu: false}\n"
      "  - pool: {global: true, kind: average}\n"
      "  - linear: {name: out, out: 10, relu: false}\n",
      "[2, 8, 8]");
  Engine engine(network, 1, TensorDevice::kCpu);
  const Weights weights = engine.model().read_weights(random_checkpoint(network, 3), "random");
  const TensorData data = noise(96, network.graph.input);
  NetworkQuantisers quantisers(engine, weights, {});
  quantisers.calibrate(data);
  const Policy policy = uniform_policy(network, {2, 3});
  const Adjustments calibrated;
  const InputHook input = quantisers.hooks(policy, calibrated).input;
  const torch::Tensor exact = pooled(engine.model(), data, weights, {});
  const auto error = [&](const Weights& master) {
    const Weights view = quantisers.weight_view(policy, calibrated)(master);
    return (pooled(engine.model(), data, view, input) - exact).abs().max().item<float>();
  };
  Weights corrected = weights;
  Adjustments adjustments;
  quantisers.re_estimate(data.images, quantisers.output_statistics(data.images), policy, corrected,
                         adjustments);
  EXPECT_TRUE(adjustments.gains.empty()) << "one scale for all channels";
  // Half a unit of the bias is what may be left.
  const float unit = quantisers.weight(0, 2).scales()[0] * quantisers.activation(0, 3).scales()[0];
  EXPECT_LE(error(corrected), 0.51f * unit);
  EXPECT_GT(error(weights), 2 * error(corrected));
}

TEST(NetworkQuantisers, ReEstimationWithAScaleForEachChannelBringsItsDeviationBack) {
  const Network network = network_of(
      "  - conv: {name: a, out: 4, kernel: 3, relu: false}\n"
      "  - conv: {name: b, out: 3, kernel: 3}\n"
      "  - pool: {global: true, kind: average}\n"
      "  - linear: {name: out, out: 10, relu: false}\n",
      "[2, 12, 12]");
  Engine engine(network, 1, TensorDevice::kCpu);
  const Weights weights = engine.model().read_weights(random_checkpoint(network, 3), "random");
  const TensorData data = noise(96, network.graph.input);
  QuantiserOptions options;
  options.weights.per_channel = true;
  NetworkQuantisers quantisers(engine, weights, options);
  quantisers.calibrate(data);
  const Policy policy = uniform_policy(network, {2, 8});
  // Mean and deviation of every channel that the second layer takes.
  const auto statistics = [&](const Weights& view, const InputHook& input) {
    torch::Tensor found;
    const torch::NoGradGuard no_gradient;
    engine.model().forward(data.images, view, [&](std::size_t layer, const torch::Tensor& x) {
      if (layer == 1) {
        const torch::Tensor map = x.transpose(0, 1).flatten(1);
        found = torch::stack({map.mean(1), map.std(1, /*unbiased=*/false)});
      }
      return input && layer == 0 ? input(layer, x) : x;
    });
    return found;
  };
  const torch::Tensor exact = statistics(weights, {});
  const auto error = [&](const Weights& master, const Adjustments& adjustments) {
    const Weights view = quantisers.weight_view(policy, adjustments)(master);
    return (statistics(view, quantisers.hooks(policy, adjustments).input) - exact).abs().max();
  };
  Weights corrected = weights;
  Adjustments adjustments;
  quantisers.re_estimate(data.images, quantisers.output_statistics(data.images), policy, corrected,
                         adjustments);
  ASSERT_EQ(adjustments.gains.size(), 3u);
  ASSERT_EQ(adjustments.gains[0].size(), 4u);
  EXPECT_GT(error(weights, {}).item<float>(), 10 * error(corrected, adjustments).item<float>());
  // The codes are the same: only what they are worth has changed.
  const LinearQuantiser before = quantisers.weight(0, 2);
  const LinearQuantiser after = quantisers.weight(0, policy, adjustments);
  EXPECT_TRUE(torch::equal(before.codes(weights[0].weight), after.codes(corrected[0].weight)));
  for (std::size_t channel = 0; channel < 4; ++channel) {
    EXPECT_FLOAT_EQ(after.scales()[channel],
                    before.scales()[channel] * adjustments.gains[0][channel]);
    EXPECT_NE(adjustments.gains[0][channel], 1.0f);
  }
}

TEST(NetworkQuantisers, CalibrationInPiecesIsThatOfAllImages) {
  const Network network = tiny_network();
  Engine engine(network, 1, TensorDevice::kCpu);
  const Weights weights = engine.model().read_weights(random_checkpoint(network, 3), "random");
  const TensorData data = noise(150, network.graph.input);  // three pieces
  NetworkQuantisers quantisers(engine, weights, {});
  quantisers.calibrate(data);
  std::vector<float> inputs;
  const torch::NoGradGuard no_gradient;
  engine.model().forward(data.images, weights, [&](std::size_t layer, const torch::Tensor& x) {
    if (layer == 1) {
      const torch::Tensor values = x.contiguous();
      inputs.assign(values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
    }
    return x;
  });
  EXPECT_FLOAT_EQ(quantisers.activation(1, 8).scales()[0] * 255,
                  find_threshold(inputs, activation_range(8, false), 8, ThresholdMethod::kMse));
}

/// What a layer takes from a stored map at fewer bits never lies in the middle of two codes.
TEST(NetworkQuantisers, StoredCodesDoNotFallOnHalvesOfALayersCodes) {
  const Network network = network_of(
      "  - conv: {name: a, out: 3, kernel: 3, pad: 1}\n"
      "  - conv: {name: b, out: 3, kernel: 3, pad: 1, relu: false}\n"
      "  - add: {from: [b, a], relu: true}\n"
      "  - pool: {global: true, kind: average}\n"
      "  - linear: {name: out, out: 10, relu: false}\n",
      "[2, 8, 8]");
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Engine engine(network, 1, TensorDevice::kCpu);
    const Weights weights = engine.model().read_weights(random_checkpoint(network, seed), "random");
    NetworkQuantisers quantisers(engine, weights, {});
    quantisers.calibrate(noise(64, network.graph.input));
    const float from = quantisers.stored(0, {}).scales()[0];
    for (int bits = 1; bits < 8; ++bits) {
      const float to = quantisers.activation(1, bits).scales()[0];
      for (int code = 0; code < 256; ++code) {
        const double steps = double{from} * code / to;
        EXPECT_GT(std::abs(steps - std::floor(steps) - 0.5), 1e-5) << bits << " " << code;
      }
    }
  }
}

}  // namespace
}  // namespace bittern
