#include "agent/evaluator/fake_quant_evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/nn/checkpoint.h"
#include "host/base/error.h"
#include "host/base/random.h"
#include "host/base/stop.h"
#include "host/base/temporary_folder.h"
#include "host/network/io/safetensors.h"
#include "tests/agent/evaluator/trained_network.h"
#include "tests/host/base/message_of.h"
#include "tests/host/network/random_graph.h"
#include "tests/host/network/tiny_network.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// A trained tiny network with its data, made once.
class FakeQuantEvaluatorTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    TrainedNetwork trained = trained_on_digits(tiny_network(), 2000, 500, 300, 8);
    data_ = std::move(trained.data);
    checkpoint_ = std::move(trained.checkpoint);
  }
  static void TearDownTestSuite() {
    data_.reset();
    checkpoint_.reset();
  }

  static FakeQuantOptions options(int fine_tune_batches = 0) {
    FakeQuantOptions options;
    options.threads = 2;
    options.device = TensorDevice::kCpu;
    if (fine_tune_batches > 0) {
      options.fine_tune.epochs = 1;
      options.fine_tune.max_batches = fine_tune_batches;
      options.fine_tune.optimiser.learning_rate = 0.01;
    }
    return options;
  }

  static FakeQuantEvaluator evaluator(const FakeQuantOptions& options) {
    return {tiny_network(), *checkpoint_, *data_, options};
  }

  static Policy uniform(int weight, int activation) {
    return uniform_policy(tiny_network(), {weight, activation});
  }

  static std::optional<DataSplits> data_;
  static std::optional<TensorFile> checkpoint_;
};

std::optional<DataSplits> FakeQuantEvaluatorTest::data_;
std::optional<TensorFile> FakeQuantEvaluatorTest::checkpoint_;

TEST_F(FakeQuantEvaluatorTest, PoliciesSideBySideGetTheAccuraciesOfOneByOne) {
  const std::vector<Policy> policies = {uniform(3, 4), uniform(2, 2), uniform(3, 4), uniform(8, 8),
                                        uniform(2, 8)};
  FakeQuantEvaluator alone = evaluator(options(5));
  FakeQuantOptions several = options(5);
  several.threads = 4;
  FakeQuantEvaluator together = evaluator(several);
  EXPECT_EQ(together.at_once(), 4);
  const std::vector<Accuracy> found = together.evaluate_all(policies);
  ASSERT_EQ(found.size(), policies.size());
  EXPECT_EQ(together.computed(), 4) << "one of them twice";
  for (std::size_t i = 0; i < policies.size(); ++i) {
    const Accuracy expected = alone.evaluate(policies[i]);
    EXPECT_EQ(found[i].top1, expected.top1) << i;
    EXPECT_EQ(found[i].loss, expected.loss) << i;
  }
  together.evaluate_all(policies);
  EXPECT_EQ(together.computed(), 4) << "known by now";
}

TEST_F(FakeQuantEvaluatorTest, WhatPoliciesShareChangesNoAccuracy) {
  FakeQuantOptions separate = options();
  separate.prefix_bytes = 0;
  FakeQuantEvaluator alone = evaluator(separate);
  FakeQuantEvaluator sharing = evaluator(options());
  Policy policy = uniform(8, 8);
  Rng rng(3);
  for (int i = 0; i < 30; ++i) {
    const auto layer =
        static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(policy.size()) - 1));
    policy[layer] = {static_cast<int>(rng.integer(2, 8)), static_cast<int>(rng.integer(2, 8))};
    const Accuracy expected = alone.evaluate(policy);
    const Accuracy found = sharing.evaluate(policy);
    EXPECT_EQ(found.top1, expected.top1) << i;
    EXPECT_EQ(found.loss, expected.loss) << i;
  }
}

TEST_F(FakeQuantEvaluatorTest, WhatPoliciesShareIsNotTakenByTrainedNetworks) {
  FineTuneOptions longer;
  longer.epochs = 1;
  longer.optimiser.learning_rate = 0.02;
  const Policy policy = uniform(3, 3);
  const FinalNetwork fresh = evaluator(options()).finish(policy, longer, {});
  FakeQuantEvaluator used = evaluator(options());
  used.evaluate(policy);
  const FinalNetwork after = used.finish(policy, longer, {});
  EXPECT_EQ(after.validation.loss, fresh.validation.loss);
  EXPECT_EQ(after.validation.top1, fresh.validation.top1);
  EXPECT_NE(after.validation.loss, used.evaluate(policy).loss) << "it was trained";
}

TEST_F(FakeQuantEvaluatorTest, AFinishedNetworkIsACheckpointOfTheNetworkWithItsBatchNorms) {
  const Network network = network_of(
      "  - conv: {name: first, out: 4, kernel: 3, stride: 4, relu: false, bias: false}\n"
      "  - batch_norm: {name: norm}\n"
      "  - relu: {name: active}\n"
      "  - linear: {name: last, out: 10, relu: false}\n",
      "[1, 28, 28]");
  TrainOptions train;
  train.epochs = 3;
  train.threads = 2;
  train.device = TensorDevice::kCpu;
  const TensorFile weights = train_network(network, *data_, train, {}).checkpoint;
  FakeQuantEvaluator before(network, weights, *data_, options());
  const Policy policy = uniform_policy(network, {4, 4});
  const FinalNetwork finished = before.finish(policy, FineTuneOptions(), {});
  const TemporaryFolder folder;
  write_safetensors(folder / "best.safetensors", finished.checkpoint);
  const TensorFile read = read_checkpoint(network, (folder / "best.safetensors").string());
  FakeQuantEvaluator after(network, read, *data_, options());
  EXPECT_NEAR(after.baseline().loss, before.baseline().loss, 1e-5);
  EXPECT_EQ(after.evaluate(policy).top1, finished.validation.top1);
}

TEST_F(FakeQuantEvaluatorTest, PoliciesThatLoseMuchAreRejectedByTheFirstImages) {
  FakeQuantOptions screened = options();
  screened.screen = {128, 10.0};
  FakeQuantEvaluator screening = evaluator(screened);
  FakeQuantEvaluator plain = evaluator(options());
  EXPECT_NE(screening.fingerprint(), plain.fingerprint());

  const Accuracy good = screening.evaluate(uniform(8, 8));
  EXPECT_EQ(good.screened_images, 0);
  EXPECT_EQ(good.top1, plain.evaluate(uniform(8, 8)).top1);

  const Policy bad = uniform(1, 1);
  const Accuracy rejected = screening.evaluate(bad);
  ASSERT_EQ(rejected.screened_images, 128);
  DataSplits first = *data_;
  std::vector<int> places(128);
  std::iota(places.begin(), places.end(), 0);
  first.validation = subset(data_->validation, places);
  EXPECT_EQ(rejected.top1,
            FakeQuantEvaluator(tiny_network(), *checkpoint_, first, options()).evaluate(bad).top1);
  // On all images when that is asked for, and the answer of the search stays what it was.
  EXPECT_EQ(screening.evaluate_whole(bad).top1, plain.evaluate(bad).top1);
  EXPECT_EQ(screening.evaluate_whole(bad).screened_images, 0);
  EXPECT_EQ(screening.evaluate(bad).screened_images, 128);
  EXPECT_EQ(screening.evaluate_all({bad, uniform(8, 8)})[0].screened_images, 128);

  for (const ScreenOptions wrong : {ScreenOptions{500, 10.0}, {-1, 10.0}, {64, 0.0}, {64, 101.0}}) {
    screened.screen = wrong;
    EXPECT_THAT(message_of(ExitStatus::kUsage, [&] { evaluator(screened); }),
                HasSubstr("evaluator: policies are"));
  }
}

TEST_F(FakeQuantEvaluatorTest, SideBySideIsOneByOneInIntegersAndWithTrainedRanges) {
  const std::vector<Policy> policies = {uniform(3, 4), uniform(2, 2), uniform(8, 8)};
  for (const bool integers : {false, true}) {
    for (const bool trained_ranges : {false, true}) {
      if (!integers && !trained_ranges) continue;
      FakeQuantOptions one = options(5);
      one.integers = integers;
      one.trained_ranges = trained_ranges;
      FakeQuantOptions several = one;
      several.threads = 3;
      FakeQuantEvaluator alone = evaluator(one);
      FakeQuantEvaluator together = evaluator(several);
      EXPECT_EQ(together.at_once(), 3);
      const std::vector<Accuracy> found = together.evaluate_all(policies);
      for (std::size_t i = 0; i < policies.size(); ++i) {
        const Accuracy expected = alone.evaluate(policies[i]);
        EXPECT_EQ(found[i].top1, expected.top1) << integers << trained_ranges << i;
        EXPECT_EQ(found[i].loss, expected.loss) << integers << trained_ranges << i;
      }
    }
  }
}

TEST_F(FakeQuantEvaluatorTest, EqualisedWeightsBearChannelsOfUnlikeSizeAtOneScale) {
  // The same network with channels of very unlike size on both sides of the hidden layer.
  TensorFile unlike = *checkpoint_;
  std::vector<float> hidden = unlike.tensors.at("hidden.weight").to_floats();
  std::vector<float> bias = unlike.tensors.at("hidden.bias").to_floats();
  std::vector<float> out = unlike.tensors.at("out.weight").to_floats();
  const std::size_t inputs = hidden.size() / 16;
  for (std::size_t c = 0; c < 16; ++c) {
    const float factor = c % 2 == 0 ? 64.0F : 1.0F / 64.0F;
    for (std::size_t i = 0; i < inputs; ++i) hidden[c * inputs + i] *= factor;
    bias[c] *= factor;
    for (std::size_t o = 0; o < 10; ++o) out[o * 16 + c] /= factor;
  }
  const auto store = [&](const std::string& name, const std::vector<float>& values) {
    unlike.tensors[name] = StoredTensor::from_floats(unlike.tensors.at(name).shape, values);
  };
  store("hidden.weight", hidden);
  store("hidden.bias", bias);
  store("out.weight", out);
  FakeQuantOptions even = options();
  even.equalise = true;
  FakeQuantEvaluator before(tiny_network(), unlike, *data_, options());
  FakeQuantEvaluator after(tiny_network(), unlike, *data_, even);
  EXPECT_EQ(after.baseline().top1, before.baseline().top1) << "in full precision as it was";
  EXPECT_GT(after.evaluate(uniform(4, 8)).top1, before.evaluate(uniform(4, 8)).top1 + 10.0);
  EXPECT_NE(after.fingerprint(), before.fingerprint());
  const FinalNetwork found = after.finish(uniform(8, 8), {}, {});
  ASSERT_TRUE(found.equalised_validation);
  EXPECT_NEAR(found.equalised_validation->top1, before.baseline().top1, 0.5);
  EXPECT_EQ(found.checkpoint.metadata.count("equalised"), 1u);
}

TEST_F(FakeQuantEvaluatorTest, NothingToEqualiseIsRefused) {
  const Network one = network_of("  - linear: {name: only, out: 10, relu: false}\n");
  FakeQuantOptions even = options();
  even.equalise = true;
  const std::string message =
      message_of([&] { FakeQuantEvaluator(one, random_checkpoint(one, 1), *data_, even); });
  EXPECT_THAT(message, HasSubstr("no two layers to equalise"));
}

TEST_F(FakeQuantEvaluatorTest, BaselineIsTheFloatAccuracyOnTheValidationSet) {
  FakeQuantEvaluator evaluator = this->evaluator(options());
  const Score score =
      score_checkpoint(tiny_network(), *checkpoint_, data_->validation, 1, TensorDevice::kCpu);
  EXPECT_EQ(evaluator.baseline().top1, score.accuracy());
  EXPECT_NEAR(evaluator.baseline().loss, score.loss(), 1e-9);
}

TEST_F(FakeQuantEvaluatorTest, KnowsTheDeviationsOfTheFloatWeights) {
  FakeQuantEvaluator evaluator = this->evaluator(options());
  const std::vector<double> deviations = evaluator.weight_deviations();
  const Network network = tiny_network();
  ASSERT_EQ(deviations.size(), network.layers.size());
  for (std::size_t i = 0; i < deviations.size(); ++i) {
    const std::vector<float> weights =
        checkpoint_->tensors.at(network.layers[i].name + ".weight").to_floats();
    ASSERT_GT(weights.size(), 1u);
    double sum = 0.0;
    double squares = 0.0;
    for (const float w : weights) {
      sum += w;
      squares += static_cast<double>(w) * w;
    }
    const double mean = sum / weights.size();
    EXPECT_NEAR(deviations[i], std::sqrt(squares / weights.size() - mean * mean), 1e-6);
    EXPECT_GT(deviations[i], 1e-3);
  }
}

TEST_F(FakeQuantEvaluatorTest, EightBitsAreAsGoodAsFloatAndTwoAreWorse) {
  FakeQuantEvaluator evaluator = this->evaluator(options());
  const double base = evaluator.baseline().top1;
  EXPECT_GT(base, 60.0);
  EXPECT_NEAR(evaluator.evaluate(uniform(8, 8)).top1, base, 1.0);  // 5 images of 500
  EXPECT_LT(evaluator.evaluate(uniform(2, 2)).top1, base - 5.0);
  EXPECT_LT(evaluator.evaluate(uniform(8, 8)).loss, evaluator.evaluate(uniform(2, 2)).loss);
}

TEST_F(FakeQuantEvaluatorTest, EveryLayersBitsMatter) {
  FakeQuantEvaluator evaluator = this->evaluator(options());
  std::set<double> losses{evaluator.evaluate(uniform(8, 8)).loss};
  for (std::size_t layer = 0; layer < 3; ++layer) {
    Policy policy = uniform(8, 8);
    policy[layer].weight = 2;
    losses.insert(evaluator.evaluate(policy).loss);
    policy = uniform(8, 8);
    policy[layer].activation = 1;
    losses.insert(evaluator.evaluate(policy).loss);
  }
  EXPECT_EQ(losses.size(), 7u);
}

TEST_F(FakeQuantEvaluatorTest, ScoresLayersByGradientsAtAStatedPrice) {
  FakeQuantOptions some = options();
  some.calibration_images = 100;
  FakeQuantEvaluator evaluator = this->evaluator(some);
  for (const ScoreKind kind : {ScoreKind::kFisher, ScoreKind::kHessian}) {
    GradientScores* scores = evaluator.scores(kind);
    ASSERT_NE(scores, nullptr);
    EXPECT_EQ(scores->spent(), 0.0);
    for (std::size_t layer = 0; layer < 3; ++layer) {
      EXPECT_GT(scores->weight_score(layer, 2), scores->weight_score(layer, 8));
      EXPECT_GT(scores->activation_score(layer, 2), scores->activation_score(layer, 8));
    }
    // 100 images of 500 once, or 64 of them once and for four probes of six operands; each counts
    // as three forward passes.
    EXPECT_DOUBLE_EQ(scores->spent(), kind == ScoreKind::kFisher ? 0.6 : 0.384 * 25);
  }
}

TEST_F(FakeQuantEvaluatorTest, AnOperandInFloatingPointHasNoBits) {
  FakeQuantOptions some = options();
  some.float_activations = true;
  FakeQuantEvaluator evaluator = this->evaluator(some);
  EXPECT_EQ(evaluator.evaluate(uniform(3, 8)).loss, evaluator.evaluate(uniform(3, 1)).loss);
  EXPECT_NE(evaluator.evaluate(uniform(3, 8)).loss, evaluator.evaluate(uniform(4, 8)).loss);
  EXPECT_NE(evaluator.fingerprint(), this->evaluator(options()).fingerprint());
  // The same weights with the activations quantised are what another evaluator scores.
  const FinalNetwork found = evaluator.finish(uniform(3, 8), FineTuneOptions(), {});
  ASSERT_TRUE(found.test_quantised.has_value());
  EXPECT_EQ(found.test_quantised->loss,
            this->evaluator(options()).test_accuracy(uniform(3, 8)).loss);
  EXPECT_NE(found.test_quantised->loss, found.test.loss);
  // The file has what both are as codes.
  EXPECT_EQ(found.checkpoint.tensors.count("conv.activation_scale"), 1u);
  EXPECT_EQ(found.checkpoint.tensors.count("conv.weight_scale"), 1u);

  some.float_activations = false;
  some.float_weights = true;
  FakeQuantEvaluator other = this->evaluator(some);
  EXPECT_EQ(other.evaluate(uniform(8, 3)).loss, other.evaluate(uniform(1, 3)).loss);
  EXPECT_NE(other.evaluate(uniform(8, 3)).loss, other.evaluate(uniform(8, 2)).loss);
  some.float_activations = true;
  EXPECT_THAT(message_of([&] { this->evaluator(some); }), HasSubstr("nothing is left to quantise"));
}

TEST_F(FakeQuantEvaluatorTest, ResultsDoNotDependOnOrderOrThreads) {
  const std::vector<Policy> policies{uniform(2, 2), uniform(3, 4), uniform(8, 2)};
  std::vector<double> forward;
  FakeQuantOptions settings = options(5);
  {
    FakeQuantEvaluator evaluator = this->evaluator(settings);
    for (const Policy& policy : policies) forward.push_back(evaluator.evaluate(policy).loss);
  }
  settings.threads = 3;
  FakeQuantEvaluator evaluator = this->evaluator(settings);
  for (std::size_t i = policies.size(); i-- > 0;) {
    EXPECT_EQ(evaluator.evaluate(policies[i]).loss, forward[i]) << i;
  }
}

TEST_F(FakeQuantEvaluatorTest, ShortFineTuneHelpsAtFewBits) {
  FakeQuantEvaluator without = evaluator(options());
  FakeQuantEvaluator with = evaluator(options(30));
  // The loss is what a fine-tune lowers; the accuracy of one policy moves by some points with the
  // processor's rounding.
  for (const BitPair bits : {BitPair{2, 3}, BitPair{2, 4}, BitPair{2, 8}}) {
    const Policy policy = uniform(bits.weight, bits.activation);
    EXPECT_LT(with.evaluate(policy).loss, 0.8 * without.evaluate(policy).loss) << bits.activation;
  }
  EXPECT_EQ(with.baseline().top1, without.baseline().top1);
}

TEST_F(FakeQuantEvaluatorTest, CodebooksLoseLessAtFewBitsAndAreInTheCheckpoint) {
  FakeQuantOptions some = options();
  some.weights.kind = WeightKind::kKmeans;
  FakeQuantEvaluator shared = this->evaluator(some);
  FakeQuantEvaluator linear = this->evaluator(options());
  EXPECT_NE(shared.fingerprint(), linear.fingerprint());
  EXPECT_LT(shared.evaluate(uniform(2, 8)).loss, linear.evaluate(uniform(2, 8)).loss);
  EXPECT_EQ(shared.scores(ScoreKind::kFisher), nullptr);
  FineTuneOptions tune;
  tune.epochs = 1;
  tune.max_batches = 10;
  tune.optimiser.learning_rate = 0.01;
  const FinalNetwork found = shared.finish(uniform(2, 8), tune, {});
  EXPECT_LT(found.validation.loss, shared.evaluate(uniform(2, 8)).loss);
  EXPECT_EQ(found.checkpoint.tensors.count("conv.weight_scale"), 0u);
  EXPECT_EQ(found.checkpoint.tensors.at("conv.weight_codebook").shape,
            std::vector<std::int64_t>{4});
  EXPECT_EQ(found.checkpoint.tensors.at("conv.weight_codes").shape,
            found.checkpoint.tensors.at("conv.weight").shape);
}

TEST_F(FakeQuantEvaluatorTest, WrpnHasStepsFromTwoBitsOn) {
  FakeQuantOptions some = options();
  some.weights.kind = WeightKind::kWrpn;
  FakeQuantEvaluator evaluator = this->evaluator(some);
  EXPECT_NE(evaluator.fingerprint(), this->evaluator(options()).fingerprint());
  EXPECT_LT(evaluator.evaluate(uniform(8, 8)).loss, evaluator.evaluate(uniform(3, 8)).loss);
  EXPECT_THAT(message_of([&] { evaluator.evaluate(uniform(1, 8)); }), HasSubstr("WRPN"));
}

TEST_F(FakeQuantEvaluatorTest, TrainedRangesMoveAndAreInTheCheckpoint) {
  FakeQuantOptions some = options(20);
  some.activations = ThresholdMethod::kMax;
  some.threads = 1;
  const Policy policy = uniform(4, 2);
  FakeQuantEvaluator fixed = this->evaluator(some);
  some.trained_ranges = true;
  FakeQuantEvaluator trained = this->evaluator(some);
  EXPECT_NE(trained.fingerprint(), fixed.fingerprint());
  const double loss = trained.evaluate(policy).loss;
  EXPECT_NE(loss, fixed.evaluate(policy).loss);
  some.threads = 3;
  EXPECT_EQ(this->evaluator(some).evaluate(policy).loss, loss) << "it depends on the threads";

  const auto scales = [&](FakeQuantEvaluator& evaluator, const std::string& layer) {
    return evaluator.finish(policy, some.fine_tune, {})
        .checkpoint.tensors.at(layer + ".activation_scale")
        .data;
  };
  // The image keeps its range.
  EXPECT_EQ(scales(trained, tiny_network().layers[0].name),
            scales(fixed, tiny_network().layers[0].name));
  EXPECT_NE(scales(trained, tiny_network().layers[1].name),
            scales(fixed, tiny_network().layers[1].name));
  some.float_activations = true;
  EXPECT_THAT(message_of([&] { this->evaluator(some); }), HasSubstr("PACT"));
}

TEST_F(FakeQuantEvaluatorTest, PerChannelScalesBearChannelsOfUnlikeSize) {
  // The same function in float: filters shrink by powers of two, and the next layer's weights grow
  // by as much. One scale for all filters then rounds the small ones to nothing.
  TensorFile file = *checkpoint_;
  const auto scale = [&](const char* name, auto factor_of) {
    StoredTensor& tensor = file.tensors.at(name);
    std::vector<float> values = tensor.to_floats();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] *= factor_of(i);
    tensor = StoredTensor::from_floats(tensor.shape, values);
  };
  const auto shrink = [](std::size_t channel) { return std::ldexp(1.0f, -2 * int(channel)); };
  scale("conv.weight", [&](std::size_t i) { return shrink(i / 25); });
  scale("conv.bias", [&](std::size_t i) { return shrink(i); });
  scale("hidden.weight", [&](std::size_t i) { return 1.0f / shrink(i % 144 / 36); });
  Policy policy = uniform(8, 8);
  policy[0].weight = 3;
  FakeQuantOptions settings = options();
  FakeQuantEvaluator per_tensor(tiny_network(), file, *data_, settings);
  settings.weights.per_channel = true;
  FakeQuantEvaluator per_channel(tiny_network(), file, *data_, settings);
  EXPECT_NEAR(per_channel.baseline().top1, evaluator(options()).baseline().top1, 0.5);
  EXPECT_GT(per_channel.evaluate(policy).top1, per_tensor.evaluate(policy).top1 + 5.0);
}

TEST_F(FakeQuantEvaluatorTest, CacheOutlivesTheProcessAndIsUsed) {
  const fs::path path = fs::path(::testing::TempDir()) / "bittern_evaluator_cache.jsonl";
  fs::remove(path);
  FakeQuantOptions settings = options(3);
  settings.cache = path;
  Accuracy first;
  {
    FakeQuantEvaluator evaluator = this->evaluator(settings);
    first = evaluator.evaluate(uniform(4, 4));
    EXPECT_EQ(evaluator.evaluate(uniform(4, 4)).loss, first.loss);
    EXPECT_EQ(evaluator.computed(), 1);
  }
  FakeQuantEvaluator again = evaluator(settings);
  EXPECT_EQ(again.evaluate(uniform(4, 4)).top1, first.top1);
  EXPECT_EQ(again.evaluate(uniform(4, 4)).loss, first.loss);
  EXPECT_EQ(again.computed(), 0);
  settings.seed = 2;
  FakeQuantEvaluator other_seed = evaluator(settings);
  other_seed.evaluate(uniform(4, 4));
  EXPECT_EQ(other_seed.computed(), 1);
  fs::remove(path);
}

TEST_F(FakeQuantEvaluatorTest, TheChoiceIsKnownToTheNextProcess) {
  const TemporaryFolder folder;
  FakeQuantOptions settings = options();
  settings.cache = folder / "accuracies.jsonl";
  DataSplits data = *data_;
  std::vector<int> images(100);
  std::iota(images.begin(), images.end(), 0);
  data.choice = subset(data.validation, images);
  const auto evaluator = [&] {
    return FakeQuantEvaluator(tiny_network(), *checkpoint_, data, settings);
  };
  const Policy policy = uniform(3, 3);
  FakeQuantEvaluator first = evaluator();
  const std::optional<Accuracy> choice = first.choice(policy);
  ASSERT_TRUE(choice);
  EXPECT_EQ(first.computed(), 1);
  EXPECT_NE(choice->loss, first.evaluate(policy).loss) << "other images";
  FakeQuantEvaluator again = evaluator();
  EXPECT_EQ(again.choice(policy)->loss, choice->loss);
  EXPECT_EQ(again.computed(), 0);
  images.resize(60);
  data.choice = subset(data.validation, images);
  FakeQuantEvaluator fewer = evaluator();
  fewer.choice(policy);
  EXPECT_EQ(fewer.computed(), 1) << "other images";
}

TEST_F(FakeQuantEvaluatorTest, FingerprintCoversWhatDecidesTheResultAndNothingElse) {
  std::set<std::string> seen;
  const auto add = [&](const FakeQuantOptions& settings) {
    return seen.insert(evaluator(settings).fingerprint()).second;
  };
  EXPECT_TRUE(add(options()));
  EXPECT_TRUE(add(options(5)));
  EXPECT_TRUE(add(options(6)));
  FakeQuantOptions settings = options();
  settings.seed = 9;  // without a fine-tune nothing is random
  settings.threads = 1;
  EXPECT_FALSE(add(settings));
  settings = options(5);
  settings.seed = 9;
  EXPECT_TRUE(add(settings));
  settings.fine_tune.optimiser.momentum = 0.5;
  EXPECT_TRUE(add(settings));
  settings = options();
  settings.weights.per_channel = true;
  EXPECT_TRUE(add(settings));
  settings = options();
  settings.weights.method = ThresholdMethod::kMax;
  EXPECT_TRUE(add(settings));
  settings = options();
  settings.activations = ThresholdMethod::kKl;
  EXPECT_TRUE(add(settings));
  settings = options();
  settings.calibration_images = 100;
  EXPECT_TRUE(add(settings));
  TensorFile other = *checkpoint_;
  other.tensors.at("out.bias").data[2] ^= 1;
  EXPECT_TRUE(
      seen.insert(FakeQuantEvaluator(tiny_network(), other, *data_, options()).fingerprint())
          .second);
  other = *checkpoint_;
  other.metadata["note"] = "the same weights";
  EXPECT_FALSE(
      seen.insert(FakeQuantEvaluator(tiny_network(), other, *data_, options()).fingerprint())
          .second);
}

TEST_F(FakeQuantEvaluatorTest, FinishImprovesAndStoresWhatItScored) {
  FakeQuantEvaluator evaluator = this->evaluator(options());
  FineTuneOptions fine_tune;
  fine_tune.epochs = 2;
  fine_tune.optimiser.learning_rate = 0.01;
  fine_tune.optimiser.cosine = true;
  std::int64_t images = 0;
  const FinalNetwork result = evaluator.finish(
      uniform(2, 3), fine_tune, [&](const TrainProgress& progress) { images += progress.images; });
  EXPECT_EQ(images, 2 * 31 * 64);
  EXPECT_GT(result.validation.top1, evaluator.evaluate(uniform(2, 3)).top1);
  EXPECT_GT(result.test.top1, 50.0);

  // The stored codes and scales, put back as weights, are the network that was scored.
  TensorFile dequantised = result.checkpoint;
  for (const Layer& layer : tiny_network().layers) {
    const StoredTensor& codes = result.checkpoint.at(layer.name + ".weight_codes", "");
    const float scale = result.checkpoint.at(layer.name + ".weight_scale", "").to_floats().at(0);
    std::vector<float> values;
    for (const std::uint8_t code : codes.data) {
      EXPECT_LE(std::abs(static_cast<std::int8_t>(code)), 1);
      values.push_back(static_cast<float>(static_cast<std::int8_t>(code)) * scale);
    }
    dequantised.tensors[layer.name + ".weight"] = StoredTensor::from_floats(codes.shape, values);
  }
  FakeQuantOptions settings = options();
  settings.weights.method = ThresholdMethod::kMax;  // finds the scale again
  FakeQuantEvaluator stored(tiny_network(), dequantised, *data_, settings);
  // Activation thresholds are calibrated anew, on other weights: nearly, not quite the same.
  EXPECT_NEAR(stored.evaluate(uniform(2, 3)).top1, result.validation.top1, 10.0);
  EXPECT_THAT(result.checkpoint.metadata.at("policy"), HasSubstr("\"weight_bits\":2"));
}

TEST_F(FakeQuantEvaluatorTest, BranchesAndBatchNormsAreQuantisedAsTheGraphHasThem) {
  const Network network = network_of(
      "  - conv: {name: stem, out: 4, kernel: 5, stride: 3, batch_norm: true}\n"
      "  - conv: {name: a, out: 4, kernel: 3, pad: 1, batch_norm: true, relu: false}\n"
      "  - conv: {name: b, from: stem, out: 4, kernel: 1, batch_norm: true, relu: false}\n"
      "  - add: {from: [a, b, stem], relu: true}\n"
      "  - pool: {kernel: 2, kind: average}\n"
      "  - linear: {name: out, out: 10, relu: false}\n");
  TrainOptions train;
  train.epochs = 3;
  train.threads = 2;
  const TensorFile checkpoint = train_network(network, *data_, train, {}).checkpoint;
  FakeQuantEvaluator evaluator(network, checkpoint, *data_, options());
  const auto policy = [&](BitPair stem, BitPair a, BitPair b, BitPair out) {
    return Policy{stem, a, b, out};
  };
  const double full = evaluator.baseline().top1;
  EXPECT_GT(full, 50.0);  // by chance: 10
  // Folded batch norms change nothing but roundings.
  EXPECT_NEAR(
      full,
      score_checkpoint(network, checkpoint, data_->validation, 1, TensorDevice::kCpu).accuracy(),
      0.5);
  EXPECT_NEAR(evaluator.evaluate(policy({8, 8}, {8, 8}, {8, 8}, {8, 8})).top1, full, 3.0);
  // Layers with one input have each their own bits for it.
  std::set<double> losses;
  for (const int first : {1, 8}) {
    for (const int second : {1, 8}) {
      losses.insert(evaluator.evaluate(policy({8, 8}, {8, first}, {8, second}, {8, 8})).loss);
    }
  }
  EXPECT_EQ(losses.size(), 4u);
}

TEST_F(FakeQuantEvaluatorTest, FinishWithoutEpochsIsThePlainTestAccuracy) {
  FakeQuantEvaluator evaluator = this->evaluator(options());
  const FinalNetwork result = evaluator.finish(uniform(4, 4), {}, {});
  EXPECT_EQ(result.test.top1, evaluator.test_accuracy(uniform(4, 4)).top1);
  EXPECT_EQ(result.validation.top1, evaluator.evaluate(uniform(4, 4)).top1);
  EXPECT_NEAR(evaluator.test_baseline().top1, evaluator.test_accuracy(uniform(8, 8)).top1, 1.0);
}

TEST_F(FakeQuantEvaluatorTest, FinishStopsWhenAsked) {
  FakeQuantEvaluator evaluator = this->evaluator(options());
  FineTuneOptions fine_tune;
  fine_tune.epochs = 100;
  request_stop();
  EXPECT_THROW(evaluator.finish(uniform(4, 4), fine_tune, {}), Stopped);
  request_stop(false);
}

TEST_F(FakeQuantEvaluatorTest, ImpossiblePoliciesAreRefusedWithTheLayer) {
  FakeQuantEvaluator evaluator = this->evaluator(options());
  EXPECT_THAT(message_of([&] { evaluator.evaluate(Policy(2)); }),
              HasSubstr("2 layers for network tiny, which has 3"));
  Policy policy = uniform(8, 8);
  policy[1].weight = 0;
  EXPECT_THAT(message_of([&] { evaluator.evaluate(policy); }),
              ::testing::AllOf(HasSubstr("layer hidden"), HasSubstr("expected 1..8")));
  policy = uniform(8, 8);
  policy[2].activation = 9;
  EXPECT_THAT(message_of([&] { evaluator.test_accuracy(policy); }), HasSubstr("layer out"));
}

TEST_F(FakeQuantEvaluatorTest, WeightsThatDoNotFitAreRefused) {
  TensorFile file = *checkpoint_;
  file.tensors.erase("conv.weight");
  EXPECT_THAT(message_of([&] { FakeQuantEvaluator(tiny_network(), file, *data_, options()); }),
              HasSubstr("conv.weight"));
  FakeQuantOptions settings = options();
  settings.calibration_images = 0;
  EXPECT_THROW(evaluator(settings), Error);
}

TEST_F(FakeQuantEvaluatorTest, IntegersAnswerAsTheSimulationDoes) {
  for (const BitPair bits : {BitPair{8, 8}, BitPair{4, 3}, BitPair{2, 2}}) {
    FakeQuantOptions integer = options();
    integer.integers = true;
    const FinalNetwork found =
        evaluator(integer).finish(uniform(bits.weight, bits.activation), FineTuneOptions(), {});
    ASSERT_TRUE(found.fake_quant_test);
    // Few bits give equal logits, between which single precision decides for the simulation.
    if (bits.weight > 2) {
      EXPECT_GE(found.test_agreement, 99.0) << bits.weight << "/" << bits.activation;
      EXPECT_NEAR(found.test.top1, found.fake_quant_test->top1, 0.7);  // 2 of 300 images
    }
    EXPECT_NEAR(found.test.loss, found.fake_quant_test->loss, 0.01);
    // evaluate() counts in integers, too.
    EXPECT_EQ(evaluator(integer).evaluate(uniform(bits.weight, bits.activation)).top1,
              found.validation.top1);
  }
}

TEST_F(FakeQuantEvaluatorTest, IntegersAreAnotherEvaluatorThanTheSimulation) {
  FakeQuantOptions integer = options();
  integer.integers = true;
  EXPECT_NE(evaluator(integer).fingerprint(), evaluator(options()).fingerprint());
}

TEST_F(FakeQuantEvaluatorTest, IntegersNeedCodesOfBothOperands) {
  const auto refusal = [](FakeQuantOptions options) {
    options.integers = true;
    try {
      evaluator(options);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      return std::string(error.what());
    }
    return std::string();
  };
  FakeQuantOptions wrong = options();
  wrong.weights.kind = WeightKind::kKmeans;
  EXPECT_THAT(refusal(wrong), HasSubstr("k-means"));
  wrong = options();
  wrong.float_activations = true;
  EXPECT_THAT(refusal(wrong), HasSubstr("quantise both"));
}

TEST_F(FakeQuantEvaluatorTest, EveryLinearKindOfWeightsHasIntegersThatAgree) {
  for (const WeightKind kind : {WeightKind::kWrpn, WeightKind::kDorefa}) {
    for (const int bits : {2, 4}) {
      FakeQuantOptions integer = options();
      integer.integers = true;
      integer.weights.kind = kind;
      FineTuneOptions tune;
      tune.epochs = 1;
      tune.max_batches = 10;
      tune.optimiser.learning_rate = 0.01;
      const FinalNetwork found = evaluator(integer).finish(uniform(bits, 4), tune, {});
      EXPECT_NEAR(found.test.loss, found.fake_quant_test->loss, 0.01);
      if (bits > 2) {
        EXPECT_GE(found.test_agreement, 99.0) << weight_kind_name(kind);
      }
    }
  }
}

/// Every operation, random weights: logits of integers are those of the simulation, but for values
/// that lie so near to the middle of two codes that single precision decides.
TEST(IntegersOfRandomGraphs, AreTheSimulationsLogits) {
  double worst = 0.0;
  int images = 0;
  int alike = 0;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    Rng rng(seed);
    const Network network = RandomGraph::on_codes(rng).draw(7, 10);
    Dataset data;
    data.name = "noise";
    data.channels = network.graph.input.channels;
    data.height = network.graph.input.height;
    data.width = network.graph.input.width;
    data.classes = 10;
    for (int i = 0; i < 12; ++i) {
      for (std::size_t k = 0; k < data.image_bytes(); ++k) {
        data.images.push_back(static_cast<std::uint8_t>(rng.integer(0, 255)));
      }
      data.labels.push_back(static_cast<std::uint8_t>(i % 10));
    }
    const DataSplits splits{data, data, data, {}, "noise"};
    FakeQuantOptions options;
    options.threads = 1;
    options.device = TensorDevice::kCpu;
    options.integers = true;
    options.weights.per_channel = seed % 2 == 0;
    FakeQuantEvaluator evaluator(network, random_checkpoint(network, seed), splits, options);
    Policy policy;
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      policy.push_back({static_cast<int>(rng.integer(2, 8)), static_cast<int>(rng.integer(2, 8))});
    }
    const FinalNetwork found = evaluator.finish(policy, FineTuneOptions(), {});
    worst = std::max(worst, std::abs(found.test.loss - found.fake_quant_test->loss));
    images += 12;
    alike += static_cast<int>(std::lround(found.test_agreement * 12 / 100));
  }
  EXPECT_LT(worst, 0.02);
  EXPECT_GE(alike, images * 98 / 100);
}

}  // namespace
}  // namespace bittern
