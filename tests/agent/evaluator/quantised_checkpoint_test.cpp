#include "agent/evaluator/quantised_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/evaluator/fake_quant_evaluator.h"
#include "agent/nn/checkpoint.h"
#include "host/base/temporary_folder.h"
#include "host/network/io/safetensors.h"
#include "tests/agent/evaluator/trained_network.h"
#include "tests/host/base/message_of.h"
#include "tests/host/network/tiny_network.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// A finished network of few bits with all that a file has to say of it: batch norms, stored maps,
/// bounds of ReLU6.
class QuantisedCheckpoint : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    TrainedNetwork trained = trained_on_digits(network(), 1200, 200, 200, 3);
    data_ = std::move(trained.data);
    checkpoint_ = std::move(trained.checkpoint);
  }
  static void TearDownTestSuite() {
    data_.reset();
    checkpoint_.reset();
  }

  static Network network() {
    return network_of(
        "  - conv: {name: stem, out: 6, kernel: 5, stride: 3, relu: false}\n"
        "  - clip: {name: six, low: 0, high: 6}\n"
        "  - conv: {name: a, out: 6, kernel: 3, pad: 1, batch_norm: true}\n"
        "  - conv: {name: b, out: 6, kernel: 3, pad: 1, batch_norm: true, relu: false}\n"
        "  - add: {from: [a, b], relu: true}\n"
        "  - pool: {kernel: 2, kind: average}\n"
        "  - linear: {name: out, out: 10, relu: false}\n");
  }
  static FakeQuantOptions options() {
    FakeQuantOptions options;
    options.threads = 2;
    options.device = TensorDevice::kCpu;
    return options;
  }
  static Policy policy() {
    Policy bits = uniform_policy(network(), {3, 4});
    bits[1] = {2, 5};
    return bits;
  }
  static FineTuneOptions fine_tune() {
    FineTuneOptions tune;
    tune.epochs = 1;
    tune.optimiser.learning_rate = 0.01;
    return tune;
  }

  /// What a user reads again from the file of a finished network.
  static TensorFile read_again(const TensorFile& file) {
    const TemporaryFolder folder;
    write_safetensors(folder / "best.safetensors", file);
    return read_checkpoint(network(), folder / "best.safetensors");
  }

  static std::optional<DataSplits> data_;
  static std::optional<TensorFile> checkpoint_;
};

std::optional<DataSplits> QuantisedCheckpoint::data_;
std::optional<TensorFile> QuantisedCheckpoint::checkpoint_;

TEST_F(QuantisedCheckpoint, IsComputedAsItWasWhateverTheOptionsAre) {
  std::vector<std::pair<const char*, FakeQuantOptions>> ways(6, {"a tensor", options()});
  ways[1].first = "a channel, re-estimated";
  ways[1].second.weights.per_channel = true;
  ways[1].second.re_estimate = true;
  ways[2].first = "trained ranges";
  ways[2].second.trained_ranges = true;
  ways[3].first = "equalised";
  ways[3].second.equalise = true;
  ways[4].first = "activations in float";
  ways[4].second.weights.per_channel = true;
  ways[4].second.float_activations = true;
  ways[5].first = "weights in float";
  ways[5].second.float_weights = true;
  for (const auto& [name, way] : ways) {
    FakeQuantEvaluator before(network(), *checkpoint_, *data_, way);
    const FinalNetwork found = before.finish(policy(), fine_tune(), {});
    FakeQuantOptions other = options();
    other.weights.method = ThresholdMethod::kMax;
    other.activations = ThresholdMethod::kPercentile;
    other.calibration_images = 64;
    other.re_estimate = true;
    FakeQuantEvaluator after(network(), read_again(found.checkpoint), *data_, other);
    EXPECT_TRUE(after.states(policy())) << name;
    const Accuracy& wanted = found.test_quantised ? *found.test_quantised : found.test;
    EXPECT_EQ(after.test_accuracy(policy()).loss, wanted.loss) << name;
    if (way.float_weights || way.float_activations) continue;
    EXPECT_EQ(after.evaluate(policy()).loss, found.validation.loss) << name;
  }
}

TEST_F(QuantisedCheckpoint, HasTheSameIntegers) {
  FakeQuantOptions way = options();
  way.integers = true;
  way.weights.per_channel = true;
  way.re_estimate = true;
  FakeQuantEvaluator before(network(), *checkpoint_, *data_, way);
  const FinalNetwork found = before.finish(policy(), FineTuneOptions(), {});
  FakeQuantEvaluator after(network(), read_again(found.checkpoint), *data_, options());
  EXPECT_EQ(after.integers(policy()).hash(), before.integers(policy()).hash());
}

TEST_F(QuantisedCheckpoint, DorefaWeightsKeepTheirCodes) {
  FakeQuantOptions way = options();
  way.weights.kind = WeightKind::kDorefa;
  FakeQuantEvaluator before(network(), *checkpoint_, *data_, way);
  const FinalNetwork found = before.finish(policy(), fine_tune(), {});
  FakeQuantEvaluator after(network(), read_again(found.checkpoint), *data_, way);
  EXPECT_EQ(after.test_accuracy(policy()).loss, found.test.loss);
  // As weights of another kind they are what their floats are.
  EXPECT_FALSE(FakeQuantEvaluator(network(), read_again(found.checkpoint), *data_, options())
                   .states(policy()));
}

TEST_F(QuantisedCheckpoint, AnotherPolicyIsCalibratedAsWithAnyWeights) {
  FakeQuantEvaluator before(network(), *checkpoint_, *data_, options());
  const TensorFile file = read_again(before.finish(policy(), fine_tune(), {}).checkpoint);
  TensorFile floats = file;
  floats.metadata.erase("format");
  FakeQuantEvaluator stated(network(), file, *data_, options());
  FakeQuantEvaluator plain(network(), floats, *data_, options());
  EXPECT_FALSE(plain.states(policy()));
  EXPECT_NE(stated.fingerprint(), plain.fingerprint());
  const Policy other = uniform_policy(network(), {4, 4});
  EXPECT_FALSE(stated.states(other));
  EXPECT_EQ(stated.evaluate(other).loss, plain.evaluate(other).loss);
  EXPECT_NE(stated.evaluate(policy()).loss, plain.evaluate(policy()).loss);
}

TEST_F(QuantisedCheckpoint, TrainsOnFromWhereItEnded) {
  for (const bool per_channel : {false, true}) {
    FakeQuantOptions way = options();
    way.weights.per_channel = per_channel;
    FakeQuantEvaluator before(network(), *checkpoint_, *data_, way);
    const FinalNetwork found = before.finish(policy(), fine_tune(), {});
    const TensorFile file = read_again(found.checkpoint);
    FakeQuantEvaluator after(network(), file, *data_, way);
    FineTuneOptions still = fine_tune();
    still.optimiser.learning_rate = 1e-9;
    still.optimiser.weight_decay = 0.0;
    // Batch norms that are put back take their statistics of batches, not of all images.
    EXPECT_NEAR(after.finish(policy(), still, {}).test.loss, found.test.loss,
                per_channel ? 0.1 * found.test.loss : 1e-4)
        << per_channel;
    way.weights.per_channel = !per_channel;
    FakeQuantEvaluator unlike(network(), file, *data_, way);
    EXPECT_THAT(message_of([&] { unlike.finish(policy(), still, {}); }),
                HasSubstr(per_channel ? "with per_channel" : "without per_channel"));
  }
}

TEST_F(QuantisedCheckpoint, DamageIsNamed) {
  FakeQuantEvaluator before(network(), *checkpoint_, *data_, options());
  const TensorFile whole = before.finish(policy(), FineTuneOptions(), {}).checkpoint;
  const auto message = [&](const std::function<void(TensorFile&)>& damage) {
    TensorFile file = whole;
    damage(file);
    return message_of([&] { FakeQuantEvaluator(network(), file, *data_, options()); });
  };
  const auto scale = [](float value) {
    return StoredTensor::from_floats({1}, std::vector<float>{value});
  };
  EXPECT_THAT(message([&](TensorFile& f) { f.tensors["a.weight_scale"] = scale(-1.0f); }),
              HasSubstr("'a.weight_scale': expected positive scales"));
  EXPECT_THAT(message([&](TensorFile& f) {
                f.tensors["a.weight_scale"] =
                    StoredTensor::from_floats({2}, std::vector<float>{1.0f, 1.0f});
              }),
              HasSubstr("2 scales for 6 channels"));
  EXPECT_THAT(message([](TensorFile& f) {
                f.tensors["b.activation_scale"] =
                    StoredTensor::from_floats({2}, std::vector<float>{1.0f, 1.0f});
              }),
              HasSubstr("'b.activation_scale' has 2 scales, expected one"));
  EXPECT_THAT(message([](TensorFile& f) { f.tensors.erase("b.activation_scale"); }),
              HasSubstr("b.activation_scale"));
  EXPECT_THAT(message([](TensorFile& f) { f.tensors.erase("a.stored_scale"); }),
              HasSubstr("a.stored_scale"));
  EXPECT_THAT(message([](TensorFile& f) { f.metadata.erase("policy"); }),
              HasSubstr("metadata 'policy' is missing"));
  EXPECT_THAT(message([](TensorFile& f) { f.metadata["policy"] = "{\"stem\": 3}"; }),
              HasSubstr("layer stem has no weight_bits"));
  EXPECT_THAT(message([](TensorFile& f) { f.metadata["policy"] = "{"; }),
              HasSubstr("metadata 'policy'"));
  EXPECT_THAT(message([&](TensorFile& f) { f.tensors["six.bound_divisors"] = scale(2.0f); }),
              HasSubstr("expected 6 positive numbers"));
  const StoredTensor codes{TensorType::kI8, {1}, {1}};
  for (const char* name :
       {"a.weight_scale", "b.activation_scale", "a.stored_scale", "six.bound_divisors"}) {
    EXPECT_THAT(message([&](TensorFile& f) { f.tensors[name] = codes; }),
                AllOf(HasSubstr(name), HasSubstr("type I8 where F32, F16 or BF16 was expected")));
  }
  EXPECT_THAT(message([](TensorFile& f) { f.metadata["weights"] = "ternary"; }),
              HasSubstr("metadata: weights \"ternary\": expected linear"));
}

}  // namespace
}  // namespace bittern
