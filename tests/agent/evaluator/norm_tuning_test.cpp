#include "agent/evaluator/norm_tuning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "agent/evaluator/fake_quant_evaluator.h"
#include "agent/nn/folding.h"
#include "agent/nn/training.h"
#include "agent/torch.h"
#include "tests/agent/evaluator/trained_network.h"
#include "tests/host/network/random_graph.h"

namespace bittern {
namespace {

Dataset noise(const Shape& shape, int images, Rng& rng) {
  Dataset data;
  data.name = "noise";
  data.channels = shape.channels;
  data.height = shape.height;
  data.width = shape.width;
  data.classes = 10;
  for (int i = 0; i < images; ++i) {
    for (std::size_t k = 0; k < data.image_bytes(); ++k) {
      data.images.push_back(static_cast<std::uint8_t>(rng.integer(0, 255)));
    }
    data.labels.push_back(static_cast<std::uint8_t>(i % 10));
  }
  return data;
}

std::vector<std::vector<float>> ones(const Network& network) {
  std::vector<std::vector<float>> gains;
  for (const Layer& layer : network.layers) {
    gains.emplace_back(static_cast<std::size_t>(layer.out_channels), 1.0f);
  }
  return gains;
}

/// Folded and normed again, a network of any operations computes what it did, and folds to itself.
TEST(NormTuning, PutsBatchNormsBackWithoutAChange) {
  int norms = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const Network network = RandomGraph::on_codes(rng).draw(7, 10);
    const FoldedNetwork flat = folded(network, random_checkpoint(network, seed), "random");
    const std::vector<bool> normed = layers_with_norm(network.graph, flat.network);
    norms += static_cast<int>(std::count(normed.begin(), normed.end(), true));
    Engine engine(flat.network, 1, TensorDevice::kCpu);
    const Weights weights = engine.model().read_weights(flat.weights, "folded");
    const TensorData data = TensorData::from(noise(network.graph.input, 32, rng), engine.device());
    const NetworkQuantisers quantisers(engine, weights, {});
    NormTuning tuning(engine, normed);
    std::vector<std::vector<float>> gains = ones(flat.network);
    const Weights begun = tuning.begin(weights, quantisers.output_statistics(data.images), gains);
    const torch::NoGradGuard no_gradient;
    const torch::Tensor expected = engine.model().forward(data.images, weights);
    const torch::Tensor found = tuning.engine().model().forward(data.images, begun);
    const float size = expected.abs().max().item<float>();
    EXPECT_LE((expected - found).abs().max().item<float>(), 1e-3f * size + 1e-6f);

    Weights again = weights;
    tuning.end(begun, again, gains);
    const torch::Tensor after = engine.model().forward(data.images, again);
    EXPECT_LE((expected - after).abs().max().item<float>(), 1e-3f * size + 1e-6f);
    for (const auto& channels : gains) {
      for (const float gain : channels) EXPECT_NEAR(gain, 1.0f, 1e-2f);
    }
  }
  EXPECT_GT(norms, 10);
}

TEST(NormTuning, AChannelThatTrainingTurnsRoundIsFoldedWithItsSign) {
  const Network network = network_of(
      "  - conv: {name: a, out: 3, kernel: 3, batch_norm: true}\n"
      "  - pool: {global: true, kind: average}\n"
      "  - linear: {name: out, out: 10, relu: false}\n",
      "[2, 8, 8]");
  Rng rng(3);
  const FoldedNetwork flat = folded(network, random_checkpoint(network, 3), "random");
  Engine engine(flat.network, 1, TensorDevice::kCpu);
  const Weights weights = engine.model().read_weights(flat.weights, "folded");
  const TensorData data = TensorData::from(noise(network.graph.input, 32, rng), engine.device());
  const NetworkQuantisers quantisers(engine, weights, {});
  NormTuning tuning(engine, layers_with_norm(network.graph, flat.network));
  std::vector<std::vector<float>> gains = ones(flat.network);
  Weights trained = tuning.begin(weights, quantisers.output_statistics(data.images), gains);
  const auto norm = static_cast<std::size_t>(tuning.engine().model().slot_of_node(1));
  trained[norm].weight[1] = -trained[norm].weight[1];
  trained[norm].weight[2] = 0.0f;
  Weights after = weights;
  tuning.end(trained, after, gains);
  const torch::NoGradGuard no_gradient;
  const torch::Tensor expected = tuning.engine().model().forward(data.images, trained);
  EXPECT_LE((engine.model().forward(data.images, after) - expected).abs().max().item<float>(),
            1e-3f);
  for (const float gain : gains[0]) EXPECT_GT(gain, 0.0f) << "scales are positive";
}

/// Networks with trained batch norms, made once.
class NormedEvaluator : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    TrainedNetwork trained = trained_on_digits(network(), 2000, 500, 300, 3);
    data_ = std::move(trained.data);
    checkpoint_ = std::move(trained.checkpoint);
  }
  static void TearDownTestSuite() {
    data_.reset();
    checkpoint_.reset();
  }
  static Network network() {
    return network_of(
        "  - conv: {name: stem, out: 6, kernel: 5, stride: 3, batch_norm: true}\n"
        "  - conv: {name: a, out: 6, kernel: 3, pad: 1, batch_norm: true, relu: false}\n"
        "  - add: {from: [a, stem], relu: true}\n"
        "  - pool: {kernel: 2, kind: average}\n"
        "  - linear: {name: out, out: 10, relu: false}\n");
  }
  static FakeQuantOptions options(double rate) {
    FakeQuantOptions options;
    options.threads = 2;
    options.device = TensorDevice::kCpu;
    options.weights.per_channel = true;
    options.fine_tune.epochs = 1;
    options.fine_tune.max_batches = 20;
    options.fine_tune.optimiser.learning_rate = rate;
    return options;
  }
  static FakeQuantEvaluator evaluator(const FakeQuantOptions& options) {
    return {network(), *checkpoint_, *data_, options};
  }
  static Policy uniform(int weight, int activation) {
    return uniform_policy(network(), {weight, activation});
  }

  static std::optional<DataSplits> data_;
  static std::optional<TensorFile> checkpoint_;
};

std::optional<DataSplits> NormedEvaluator::data_;
std::optional<TensorFile> NormedEvaluator::checkpoint_;

TEST_F(NormedEvaluator, TrainsFewBitsBackToMostOfWhatTheyLost) {
  FakeQuantOptions none = options(0);
  none.fine_tune.epochs = 0;
  const double before = evaluator(none).evaluate(uniform(2, 4)).top1;
  const double full = evaluator(none).baseline().top1;
  // What a training makes of a processor's rounding moves one run by some points.
  double after = 0.0;
  constexpr int kSeeds = 4;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    FakeQuantOptions longer = options(0.02);
    longer.fine_tune.epochs = 4;
    longer.fine_tune.max_batches = 0;
    longer.seed = static_cast<std::uint64_t>(seed);
    after += evaluator(longer).evaluate(uniform(2, 4)).top1 / kSeeds;
  }
  EXPECT_GT(after, before + 0.5 * (full - before)) << before << " of " << full;
}

TEST_F(NormedEvaluator, SideBySideIsOneByOne) {
  for (const bool re_estimate : {false, true}) {
    for (const bool trained_ranges : {false, true}) {
      FakeQuantOptions one = options(0.01);
      one.re_estimate = re_estimate;
      one.trained_ranges = trained_ranges;
      FakeQuantOptions several = one;
      several.threads = 3;
      FakeQuantEvaluator alone = evaluator(one);
      FakeQuantEvaluator together = evaluator(several);
      const std::vector<Policy> policies = {uniform(3, 4), uniform(2, 2), uniform(8, 8)};
      const std::vector<Accuracy> found = together.evaluate_all(policies);
      for (std::size_t i = 0; i < policies.size(); ++i) {
        const Accuracy expected = alone.evaluate(policies[i]);
        EXPECT_EQ(found[i].top1, expected.top1) << re_estimate << trained_ranges << i;
        EXPECT_EQ(found[i].loss, expected.loss) << re_estimate << trained_ranges << i;
      }
    }
  }
}

TEST_F(NormedEvaluator, WhatTrainingLeavesHasIntegersThatAgree) {
  FakeQuantOptions settings = options(0.01);
  settings.fine_tune.epochs = 0;
  settings.integers = true;
  for (const bool re_estimate : {false, true}) {
    settings.re_estimate = re_estimate;
    FineTuneOptions fine_tune;
    fine_tune.epochs = 2;
    fine_tune.optimiser.learning_rate = 0.01;
    FakeQuantEvaluator evaluator = this->evaluator(settings);
    const FinalNetwork found = evaluator.finish(uniform(3, 4), fine_tune, {});
    EXPECT_GE(found.test_agreement, 99.0) << re_estimate;
    EXPECT_NEAR(found.test.top1, found.fake_quant_test->top1, 1.0) << re_estimate;
    // Codes times scale of the stored network are its quantised weights.
    const StoredTensor& scales = found.checkpoint.at("a.weight_scale", "found");
    EXPECT_EQ(scales.elements(), 6u);
    for (const float scale : scales.to_floats()) EXPECT_GT(scale, 0.0f);
  }
}

TEST_F(NormedEvaluator, AFineTuneIsAnotherEvaluator) {
  FakeQuantOptions tensor = options(0.01);
  tensor.weights.per_channel = false;
  EXPECT_NE(evaluator(options(0.01)).fingerprint(), evaluator(tensor).fingerprint());
}

}  // namespace
}  // namespace bittern
