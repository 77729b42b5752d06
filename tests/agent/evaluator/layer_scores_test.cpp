#include "agent/evaluator/layer_scores.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "agent/torch.h"
#include "host/base/random.h"
#include "tests/host/network/tiny_network.h"

namespace bittern {
namespace {

constexpr int kImages = 24;

/// Without ReLUs: the loss is smooth, so that differences of it are derivatives.
Network smooth_network() {
  return network_of(
      "  - conv: {name: conv, out: 2, kernel: 5, stride: 4, relu: false}\n"
      "  - linear: {name: fc, out: 10, relu: false}\n");
}

class LayerScoresTest : public ::testing::Test {
 protected:
  explicit LayerScoresTest(const Network& network = smooth_network())
      : engine_(network, 2, TensorDevice::kCpu), weights_(engine_.model().random_weights(Rng(5))) {
    DataOptions options;
    options.train_images = kImages;
    options.validation_images = 1;
    options.test_images = 1;
    data_ = TensorData::from(load_data(options).train, torch::kCPU);
    for (std::size_t layer = 0; layer < network.layers.size(); ++layer) {
      for (int bits = 2; bits <= 8; ++bits) {
        weight_quantisers_.emplace(
            std::pair(layer, bits),
            weight_quantiser(weight(layer), bits, {ThresholdMethod::kMax, false}));
        activation_quantisers_.emplace(std::pair(layer, bits),
                                       LinearQuantiser(activation_range(bits, true), 2.0f));
      }
    }
  }

  const torch::Tensor& weight(std::size_t layer) const {
    return weights_[engine_.model().slot_of_layer(layer)].weight;
  }
  static QuantiserOf lookup(const std::map<std::pair<std::size_t, int>, LinearQuantiser>& all) {
    return [&all](std::size_t layer, int bits) -> const LinearQuantiser* {
      const auto found = all.find({layer, bits});
      return found == all.end() ? nullptr : &found->second;
    };
  }
  LayerScores scores(ScoreKind kind, std::uint64_t seed = 1, int probes = 4) {
    return layer_scores(kind, engine_, weights_, data_, lookup(weight_quantisers_),
                        lookup(activation_quantisers_), seed, probes);
  }
  /// Loss of every image with `change` added to a layer's weights.
  torch::Tensor losses_with(std::size_t layer, const torch::Tensor& change) const {
    const torch::NoGradGuard no_gradient;
    Weights moved = weights_;
    torch::Tensor& tensor = moved[engine_.model().slot_of_layer(layer)].weight;
    tensor = tensor + change;
    return losses(moved, {});
  }
  torch::Tensor losses(const Weights& weights, const Hooks& hooks) const {
    const torch::Tensor logits =
        engine_.model().forward(data_.images, weights, hooks).to(torch::kFloat64);
    return -logits.log_softmax(1).gather(1, data_.labels.unsqueeze(1)).squeeze(1);
  }

  Engine engine_;
  Weights weights_;
  TensorData data_;
  std::map<std::pair<std::size_t, int>, LinearQuantiser> weight_quantisers_;
  std::map<std::pair<std::size_t, int>, LinearQuantiser> activation_quantisers_;
};

TEST_F(LayerScoresTest, FisherIsTheSquaredSlopeTowardsTheQuantisedValues) {
  const LayerScores found = scores(ScoreKind::kFisher);
  for (const std::size_t layer : {0u, 1u}) {
    for (const int bits : {2, 4}) {
      const LinearQuantiser& quantiser = weight_quantisers_.at({layer, bits});
      const torch::Tensor error = quantiser.fake_quantise(weight(layer)) - weight(layer);
      const double step = 0.02;
      const torch::Tensor slope =
          (losses_with(layer, error * step) - losses_with(layer, error * -step)) / (2 * step);
      const double expected = 0.5 * slope.square().mean().item<double>();
      EXPECT_NEAR(found.weights[layer][static_cast<std::size_t>(bits)], expected, 0.01 * expected)
          << layer << " " << bits;

      const LinearQuantiser& inputs = activation_quantisers_.at({layer, bits});
      const auto moved = [&](double factor) {
        return losses(weights_, [&](std::size_t at, const torch::Tensor& input) {
          return at == layer ? input + factor * (inputs.fake_quantise(input) - input) : input;
        });
      };
      const torch::NoGradGuard no_gradient;
      const torch::Tensor by_inputs = (moved(step) - moved(-step)) / (2 * step);
      const double of_inputs = 0.5 * by_inputs.square().mean().item<double>();
      EXPECT_NEAR(found.activations[layer][static_cast<std::size_t>(bits)], of_inputs,
                  0.01 * of_inputs)
          << layer << " " << bits;
    }
  }
  EXPECT_EQ(found.backward_images, kImages);
}

TEST_F(LayerScoresTest, HessianIsTheTraceOverTheValuesTimesTheSquaredError) {
  const LayerScores found = scores(ScoreKind::kHessian, 1, 400);
  EXPECT_EQ(found.backward_images, kImages * (1 + 2 * 2 * 400));
  // By the second differences of the mean loss, one weight after the other.
  const torch::Tensor& values = weight(0);
  const double step = 0.02;
  const double here = losses_with(0, torch::zeros_like(values)).mean().item<double>();
  double trace = 0.0;
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    torch::Tensor change = torch::zeros_like(values);
    change.view(-1)[i] = step;
    trace += (losses_with(0, change).mean().item<double>() +
              losses_with(0, -change).mean().item<double>() - 2 * here) /
             (step * step);
  }
  const LinearQuantiser& quantiser = weight_quantisers_.at({0u, 3});
  const double error = (quantiser.fake_quantise(values) - values).square().sum().item<double>();
  const double expected = 0.5 * trace / static_cast<double>(values.numel()) * error;
  EXPECT_NEAR(found.weights[0][3], expected, 0.1 * expected);

  // Of softmax behind a linear layer the trace is known: sum of p (1 - p), times the squared norm
  // of the weights' columns for the layer's inputs.
  const torch::NoGradGuard no_gradient;
  torch::Tensor input;
  const torch::Tensor logits =
      engine_.model().forward(data_.images, weights_, [&](std::size_t layer, const auto& x) {
        if (layer == 1) input = x;
        return x;
      });
  const torch::Tensor p = logits.softmax(1);
  // H = W^T (diag(p) - p p^T) W for each image.
  const torch::Tensor& w = weight(1);
  const torch::Tensor traces = p.matmul(w.square().sum(1)) - p.matmul(w).square().sum(1);
  const torch::Tensor errors =
      (activation_quantisers_.at({1u, 3}).fake_quantise(input) - input).square().flatten(1).sum(1);
  const double of_inputs =
      0.5 * (traces * errors).mean().item<double>() / static_cast<double>(input.flatten(1).size(1));
  EXPECT_NEAR(found.activations[1][3], of_inputs, 0.05 * of_inputs);
}

TEST_F(LayerScoresTest, FewerBitsAreWorseAndThreadsChangeNothing) {
  for (const ScoreKind kind : {ScoreKind::kFisher, ScoreKind::kHessian}) {
    const LayerScores found = scores(kind);
    for (const auto& layer : found.weights) {
      EXPECT_GT(layer[2], layer[4]);
      EXPECT_GT(layer[4], layer[8]);
      EXPECT_EQ(layer[1], 0.0) << "no quantiser";
    }
    Engine one(smooth_network(), 1, TensorDevice::kCpu);
    const LayerScores alone = layer_scores(kind, one, weights_, data_, lookup(weight_quantisers_),
                                           lookup(activation_quantisers_), 1);
    EXPECT_EQ(found.weights, alone.weights);
    EXPECT_EQ(found.activations, alone.activations);
  }
  EXPECT_NE(scores(ScoreKind::kHessian, 1).weights, scores(ScoreKind::kHessian, 2).weights);
}

}  // namespace
}  // namespace bittern
