#include "agent/nn/training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "agent/nn/processor.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/random.h"
#include "host/base/stop.h"
#include "tests/host/network/tiny_network.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

DataSplits small_data() {
  DataOptions options;
  options.train_images = 1500;
  options.validation_images = 200;
  options.test_images = 200;
  return load_data(options);
}

TrainOptions quick(int epochs) {
  TrainOptions options;
  options.epochs = epochs;
  options.threads = 2;
  return options;
}

TEST(Training, LearnsAndReportsEveryImage) {
  const DataSplits data = small_data();
  std::int64_t images = 0;
  int epochs = 0;
  double first_loss = 0;
  double last_loss = 0;
  const TrainResult result =
      train_network(tiny_network(), data, quick(8), [&](const TrainProgress& progress) {
        images += progress.images;
        if (!progress.epoch_done) return;
        (epochs++ == 0 ? first_loss : last_loss) = progress.loss;
        EXPECT_EQ(progress.validation.images, 200);
        EXPECT_EQ(progress.checkpoint->metadata.at("epochs_done"), std::to_string(epochs));
      });
  EXPECT_EQ(epochs, 8);
  EXPECT_EQ(images, 8 * 64 * (1500 / 64));
  EXPECT_LT(last_loss, first_loss);
  EXPECT_GT(result.validation.accuracy(), 55.0);  // by chance: 10
  EXPECT_EQ(result.checkpoint.metadata.at("network"), "tiny");
  EXPECT_EQ(result.checkpoint.metadata.at("data_hash"), data.hash);
  const Score again =
      score_checkpoint(tiny_network(), result.checkpoint, data.validation, 1, TensorDevice::kCpu);
  EXPECT_EQ(again.correct, result.validation.correct);

  // Answers to single images come in the order of the images, whatever pieces they are scored in.
  ASSERT_EQ(again.answers.size(), 200u);
  EXPECT_EQ(std::count(again.answers.begin(), again.answers.end(), true), again.correct);
  Dataset turned = data.validation;
  const std::size_t pixels = turned.image_bytes();
  std::rotate(turned.images.begin(), turned.images.begin() + 70 * pixels, turned.images.end());
  std::rotate(turned.labels.begin(), turned.labels.begin() + 70, turned.labels.end());
  std::vector<bool> expected = again.answers;
  std::rotate(expected.begin(), expected.begin() + 70, expected.end());
  EXPECT_EQ(
      score_checkpoint(tiny_network(), result.checkpoint, turned, 2, TensorDevice::kCpu).answers,
      expected);
}

TEST(Training, ResultDependsOnTheSeedButNotOnTheThreads) {
  const DataSplits data = small_data();
  const auto hash = [&](int threads, std::uint64_t seed, OptimiserKind kind) {
    TrainOptions options = quick(1);
    options.threads = threads;
    options.seed = seed;
    options.optimiser.kind = kind;
    options.optimiser.learning_rate = 0.01;
    return content_hash(train_network(tiny_network(), data, options, {}).checkpoint);
  };
  for (const OptimiserKind kind : {OptimiserKind::kSgd, OptimiserKind::kAdam}) {
    const std::string one = hash(1, 5, kind);
    EXPECT_EQ(one, hash(3, 5, kind));
    EXPECT_NE(one, hash(1, 6, kind));
  }
}

TEST(Training, ChangesToImagesDependOnTheSeedButNotOnTheThreads) {
  const DataSplits data = small_data();
  const auto hash = [&](int threads, std::uint64_t seed, AugmentOptions augment) {
    TrainOptions options = quick(1);
    options.threads = threads;
    options.seed = seed;
    options.augment = augment;
    return content_hash(train_network(tiny_network(), data, options, {}).checkpoint);
  };
  EXPECT_EQ(hash(1, 5, {true, 2}), hash(3, 5, {true, 2}));
  EXPECT_NE(hash(1, 5, {true, 2}), hash(1, 5, {}));
}

TEST(Training, GoesOnAsIfItHadNotBeenInterrupted) {
  const DataSplits data = small_data();
  for (const OptimiserKind kind : {OptimiserKind::kSgd, OptimiserKind::kAdam}) {
    TrainOptions options = quick(3);
    options.optimiser.kind = kind;
    options.optimiser.learning_rate = 0.02;
    options.augment = {true, 1};
    options.keep_best = true;
    std::vector<TensorFile> states;
    options.on_state = [&](const TensorFile& state) { states.push_back(state); };
    const TrainResult whole = train_network(tiny_network(), data, options, {});
    ASSERT_EQ(states.size(), 3u);
    EXPECT_EQ(epochs_done(states[0]), 1);
    const TensorFile begun = states[0];
    options.resume = &begun;
    std::int64_t images = 0;
    const TrainResult rest = train_network(tiny_network(), data, options,
                                           [&](const TrainProgress& p) { images += p.images; });
    EXPECT_EQ(images, 2 * 64 * (1500 / 64));
    EXPECT_EQ(content_hash(rest.checkpoint), content_hash(whole.checkpoint));
    EXPECT_EQ(rest.validation.correct, whole.validation.correct);
    EXPECT_EQ(rest.epoch, whole.epoch);
    options.seed += 1;
    try {
      train_network(tiny_network(), data, options, {});
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("begun with other data"));
    }
  }
}

TEST(Training, TheBestEpochIsKeptWhereThatIsAskedFor) {
  const DataSplits data = small_data();
  TrainOptions options = quick(4);
  options.optimiser.cosine = false;
  options.optimiser.learning_rate = 0.3;  // so that accuracies go up and down
  options.keep_best = true;
  std::vector<double> accuracies;
  const TrainResult best =
      train_network(tiny_network(), data, options, [&](const TrainProgress& progress) {
        if (progress.epoch_done) accuracies.push_back(progress.validation.accuracy());
      });
  const auto greatest = std::max_element(accuracies.begin(), accuracies.end());
  EXPECT_EQ(best.epoch, greatest - accuracies.begin() + 1);
  EXPECT_EQ(best.validation.accuracy(), *greatest);
  EXPECT_EQ(best.checkpoint.metadata.at("epochs_done"), std::to_string(best.epoch));
  EXPECT_EQ(
      score_checkpoint(tiny_network(), best.checkpoint, data.validation, 1, TensorDevice::kCpu)
          .correct,
      best.validation.correct);
}

/// A residual block with batch norms over digits; `shortcut` is what its addition takes beside.
Network residual(const std::string& shortcut, const std::string& pool = "average",
                 const std::string& relu = "true") {
  return network_of(
      "  - conv: {name: stem, out: 4, kernel: 3, stride: 3, batch_norm: true}\n"
      "  - conv: {name: a, out: 4, kernel: 3, pad: 1, batch_norm: true}\n"
      "  - conv: {name: b, out: 4, kernel: 3, pad: 1, batch_norm: true, relu: false}\n"
      "  - add: {from: [b, " +
      shortcut + "], relu: " + relu +
      "}\n"
      "  - pool: {kernel: 3, kind: " +
      pool +
      "}\n"
      "  - linear: {name: fc, out: 10, relu: false}\n");
}

TEST(Training, WithBatchNormDependsOnNoThreadsEither) {
  const DataSplits data = small_data();
  const auto hash = [&](int threads) {
    TrainOptions options = quick(1);
    options.threads = threads;
    options.batch = 100;  // pieces of 32, 32, 32 and 4
    return content_hash(train_network(residual("stem"), data, options, {}).checkpoint);
  };
  EXPECT_EQ(hash(1), hash(3));
}

TEST(Training, WithBatchNormLearnsAndScoresWithRunningStatistics) {
  const DataSplits data = small_data();
  const TrainResult result = train_network(residual("stem"), data, quick(3), {});
  EXPECT_GT(result.validation.accuracy(), 60.0);  // by chance: 10
  const std::vector<float> variance = result.checkpoint.at("stem_bn.running_var", "").to_floats();
  EXPECT_EQ(variance.size(), 4u);
  EXPECT_NE(variance[0], 1.0f);
  EXPECT_EQ(
      score_checkpoint(residual("stem"), result.checkpoint, data.validation, 1, TensorDevice::kCpu)
          .correct,
      result.validation.correct);
}

TEST(Training, APoolABranchOrAShortcutMakesADifference) {
  const DataSplits data = small_data();
  const std::vector<Network> networks = {residual("stem"), residual("a"), residual("stem", "max"),
                                         residual("stem", "average", "false")};
  std::set<std::string> layers;
  std::set<std::string> weights;
  std::set<std::string> keys;
  for (const Network& network : networks) {
    std::string text;
    for (const Layer& layer : network.layers) text += layer.key();
    layers.insert(text);
    keys.insert(training_key(network, data, quick(1)));
    weights.insert(content_hash(train_network(network, data, quick(1), {}).checkpoint));
  }
  EXPECT_EQ(layers.size(), 1u);  // what is timed is the same
  EXPECT_EQ(keys.size(), networks.size());
  EXPECT_EQ(weights.size(), networks.size());
}

/// Images of noise with labels 0, 1, ... in turn, of the shape that `network` takes and with the
/// classes that it tells apart.
DataSplits noise_for(const Network& network, int images) {
  const Shape& input = network.graph.input;
  Dataset data;
  data.name = "noise";
  data.channels = input.channels;
  data.height = input.height;
  data.width = input.width;
  data.classes = network.graph.shape_of(network.graph.output).channels;
  Rng rng(1);
  for (int i = 0; i < images; ++i) {
    data.labels.push_back(static_cast<std::uint8_t>(i % data.classes));
    for (std::size_t p = 0; p < data.image_bytes(); ++p) {
      data.images.push_back(static_cast<std::uint8_t>(rng.integer(0, 255)));
    }
  }
  return {data, data, data, {}, content_hash(data)};
}

TEST(Training, EveryZooNetworkForSmallImagesTakesItsSteps) {
  setenv("BITTERN_HOME", BITTERN_SOURCE_DIR, 1);
  int trained = 0;
  for (const std::string& name : network_names()) {
    const Network network = load_network(name);
    // What data sets of 28x28 and 32x32 images can be used with; the others take ImageNet's.
    if (network.graph.input.height > 32 || network.graph.input.width > 32) continue;
    SCOPED_TRACE(name);
    TrainOptions options = quick(3);
    options.batch = 8;
    options.optimiser.learning_rate = 0.01;
    std::vector<double> losses;
    train_network(network, noise_for(network, 16), options, [&](const TrainProgress& progress) {
      if (progress.epoch_done) losses.push_back(progress.loss);
    });
    ASSERT_EQ(losses.size(), 3u);
    for (const double loss : losses) EXPECT_TRUE(std::isfinite(loss)) << loss;
    EXPECT_NE(losses.front(), losses.back()) << "no weight changed";
    ++trained;
  }
  EXPECT_GE(trained, 8);
}

TEST(Training, DivergenceIsReportedAndNotTrainedOn) {
  TrainOptions options = quick(2);
  options.optimiser.learning_rate = 1e9;
  try {
    train_network(tiny_network(), small_data(), options, {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("lower the learning rate"));
  }
}

TEST(Training, DivergenceNamesTheSettingOfTheRate) {
  TrainOptions options = quick(2);
  options.optimiser.learning_rate = 1e9;
  options.optimiser.rate_name = "model.learning_rate";
  try {
    train_network(tiny_network(), small_data(), options, {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("lower model.learning_rate (1000000000)"));
  }
}

TEST(TrainingKey, DependsOnTheSignOfInputs) {
  const DataSplits data = small_data();
  Network signed_network = tiny_network();
  signed_network.layers[1].signed_input = true;
  EXPECT_NE(training_key(tiny_network(), data, quick(1)),
            training_key(signed_network, data, quick(1)));
}

TEST(CheckCheckpoint, RefusesWeightsThatAreNoFiniteNumbers) {
  const DataSplits data = small_data();
  TensorFile file = train_network(tiny_network(), data, quick(1), {}).checkpoint;
  check_checkpoint(tiny_network(), file, "w.st");
  std::vector<float> values = file.tensors.at("hidden.bias").to_floats();
  values[2] = std::nanf("");
  file.tensors["hidden.bias"] = StoredTensor::from_floats({16}, values);
  try {
    check_checkpoint(tiny_network(), file, "w.st");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("w.st: tensor 'hidden.bias': element 2 is nan"));
  }
}

TEST(Processor, IsNamedWithItsInstructionsAndLibTorch) {
  const std::string text = processor_text();
  EXPECT_THAT(text, HasSubstr(", LibTorch "));
  EXPECT_THAT(text, testing::Not(HasSubstr("\n")));
  EXPECT_THAT(text, testing::Not(HasSubstr("unknown instruction set")));
  EXPECT_THAT(processor_text(true), HasSubstr(", GPU, "));
}

TEST(Training, StopsWhenAsked) {
  int batches = 0;
  EXPECT_THROW(train_network(tiny_network(), small_data(), quick(50),
                             [&](const TrainProgress&) {
                               if (++batches == 3) request_stop();
                             }),
               Stopped);
  request_stop(false);
  EXPECT_EQ(batches, 3);
}

TEST(Training, ImpossibleOptionsAreRefused) {
  const DataSplits data = small_data();
  TrainOptions options = quick(0);
  EXPECT_THROW(train_network(tiny_network(), data, options, {}), Error);
  options = quick(1);
  options.batch = 0;
  EXPECT_THROW(train_network(tiny_network(), data, options, {}), Error);
  const Network other = network_of("  - linear: {name: a, out: 11, relu: false}\n");
  try {
    train_network(other, data, quick(1), {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("1x28x28 images of 11 classes"));
  }
  EXPECT_THROW(optimiser_of("lamb"), Error);
  EXPECT_THROW(tensor_device_of("tpu"), Error);
}

TEST(Training, SmallSetsMakeOneBatch) {
  DataSplits data = small_data();
  data.train = subset(data.train, {0, 1, 2, 3, 4});
  std::int64_t images = 0;
  train_network(tiny_network(), data, quick(2),
                [&](const TrainProgress& progress) { images += progress.images; });
  EXPECT_EQ(images, 10);
}

TEST(TrainOrLoad, TrainsOnceForEachKey) {
  const fs::path folder = fs::path(::testing::TempDir()) / "bittern_train_or_load";
  fs::remove_all(folder);
  const DataSplits data = small_data();
  int batches = 0;
  const auto count = [&](const TrainProgress&) { ++batches; };
  const TensorFile first = train_or_load(tiny_network(), data, quick(1), folder, count);
  const int trained = batches;
  EXPECT_GT(trained, 0);
  TrainOptions more_threads = quick(1);
  more_threads.threads = 1;
  const TensorFile second = train_or_load(tiny_network(), data, more_threads, folder, count);
  EXPECT_EQ(batches, trained);
  EXPECT_EQ(content_hash(first), content_hash(second));
  TrainOptions other = quick(1);
  other.seed = 99;
  train_or_load(tiny_network(), data, other, folder, count);
  EXPECT_EQ(batches, 2 * trained);
  // A flipped bit in what was kept is noticed.
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string content = read_file(entry.path());
    content[content.size() - 5] ^= 1;
    write_file(entry.path(), content);
  }
  EXPECT_THROW(train_or_load(tiny_network(), data, quick(1), folder, count), Error);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace bittern
