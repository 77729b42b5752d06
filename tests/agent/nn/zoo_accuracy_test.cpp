// Networks of the zoo with weights from elsewhere, on whole test sets. What is expected was
// measured by those who made the checkpoints, or stated with them. Data and weights are no part of
// the tree: where they are missing the tests are skipped.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "agent/nn/checkpoint.h"
#include "agent/nn/training.h"
#include "host/base/error.h"
#include "host/base/file.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

struct Known {
  const char* network;
  const char* checkpoint;
  const char* dataset;
  double top1;
  double top5;  ///< 0: not stated
  double slack;
};

class ZooAccuracy : public ::testing::TestWithParam<Known> {};

TEST_P(ZooAccuracy, IsTheStatedOne) {
  const Known& known = GetParam();
  const char* const models = std::getenv("BITTERN_MODELS");
  const fs::path checkpoint =
      (models != nullptr ? fs::path(models) : home_folder() / "../shared/models") /
      (std::string(known.checkpoint) + ".safetensors");
  if (!fs::exists(checkpoint)) GTEST_SKIP() << checkpoint << " is not there";
  const Network network = load_network(known.network);
  DataOptions options;
  options.name = known.dataset;
  set_image_size(options, network);
  Dataset data;
  try {
    data = load_test_data(options);
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  const Score score =
      score_checkpoint(network, read_checkpoint(network, checkpoint), data, 0, TensorDevice::kCpu);
  EXPECT_NEAR(score.accuracy(), known.top1, known.slack);
  if (known.top5 > 0) {
    EXPECT_NEAR(score.top5(), known.top5, known.slack);
  }
}

// A tenth of a point on 10 000 images, one point on 500.
INSTANTIATE_TEST_SUITE_P(
    Known, ZooAccuracy,
    ::testing::Values(
        Known{"lenet5", "lenet5_mnist_28", "mnist", 98.13, 0, 0.1},
        Known{"resnet20a", "resnet20_cifar10_optionA", "cifar10", 91.73, 0, 0.1},
        Known{"resnet20", "resnet20_cifar10_convshortcut", "cifar10", 92.60, 0, 0.1},
        Known{"mobilenet_v1_025", "mobilenet_v1_0.25_224_float", "ilsvrc", 52.0, 78.4, 1.0},
        Known{"mobilenet_v1_05_160", "mobilenet_v1_0.5_160_folded", "ilsvrc", 52.4, 79.2, 1.0},
        Known{"mobilenet_v2_tf", "mobilenet_v2_1.0_224_folded", "ilsvrc", 67.8, 89.2, 1.0}),
    [](const auto& info) { return info.param.network; });

}  // namespace
}  // namespace bittern
