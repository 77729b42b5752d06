#include <gtest/gtest.h>

#include "agent/evaluator/fake_quant_evaluator.h"
#include "host/base/error.h"

namespace bittern {
namespace {

// Trains on a part of MNIST to stay within seconds; what is asserted is the loss by quantisation.
TEST(LeNetOnMnist, EightBitsLoseAtMostATenthOfAPoint) {
  DataOptions data_options;
  data_options.name = "mnist";
  data_options.train_images = 6000;
  data_options.validation_images = 1000;
  DataSplits data;
  try {
    data = load_data(data_options);
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  const Network network = load_network("lenet");
  TrainOptions train;
  train.epochs = 2;
  const TensorFile checkpoint = train_network(network, data, train, {}).checkpoint;
  for (const bool per_channel : {false, true}) {
    FakeQuantOptions options;
    options.weights.per_channel = per_channel;
    FakeQuantEvaluator evaluator(network, checkpoint, data, options);
    const double full = evaluator.test_baseline().top1;
    EXPECT_GT(full, 95.0);
    EXPECT_GE(evaluator.test_accuracy(uniform_policy(network, {8, 8})).top1, full - 0.1)
        << (per_channel ? "per channel" : "per tensor");
  }
}

}  // namespace
}  // namespace bittern
