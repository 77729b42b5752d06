#include "agent/nn/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// What is said of a network of these layers over a 1 x 28 x 28 image; empty when it can be
/// trained.
std::string fault_of(const std::string& layers) {
  const TemporaryFolder folder;
  write_file(folder / "n.yaml", "name: n\ninput: [1, 28, 28]\nlayers:\n" + layers);
  const Network network = load_network((folder / "n.yaml").string());
  try {
    require_chain(network);
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("n.yaml:"), HasSubstr("plain chains")));
    return error.what();
  }
  return "";
}

const std::string kStem = "  - conv: {name: stem, out: 6, kernel: 3, stride: 2, pad: 1}\n";
const std::string kHead = "  - linear: {name: head, out: 10, relu: false}\n";

TEST(Chain, PoolsOfAnyWindowAreFine) {
  EXPECT_EQ(fault_of(kStem + kHead), "");
  EXPECT_EQ(fault_of(kStem + "  - pool: {kernel: 3, stride: 2}\n" + kHead), "");
  EXPECT_EQ(
      fault_of(kStem + "  - pool: {kernel: 3, pad: [0, 1, 2, 0]}\n  - pool: {kernel: 2}\n" + kHead),
      "");
  EXPECT_EQ(fault_of(kStem + "  - conv: {name: a, out: 6, kernel: 3, relu: false}\n" + kHead), "");
  // Said, but the same as what is before it.
  EXPECT_EQ(fault_of(kStem + "  - linear: {name: head, from: stem, out: 10, relu: false}\n"), "");
}

TEST(Chain, BranchesAreRefused) {
  EXPECT_THAT(fault_of(kStem +
                       "  - conv: {name: left, out: 6, kernel: 3, pad: 1}\n"
                       "  - conv: {name: right, from: stem, out: 6, kernel: 3, pad: 1}\n" +
                       kHead),
              AllOf(HasSubstr("n.yaml:6"),
                    HasSubstr("layer 'right' takes its input from layer "
                              "'stem'"),
                    HasSubstr("branches cannot be trained")));
  EXPECT_THAT(fault_of(kStem + "  - conv: {name: a, from: input, out: 6, kernel: 3}\n" + kHead),
              HasSubstr("from the input of the network"));
  // A pooling of its own branch.
  EXPECT_THAT(fault_of(kStem +
                       "  - conv: {name: a, out: 6, kernel: 3, pad: 1}\n"
                       "  - pool: {from: stem, kernel: 2}\n" +
                       kHead),
              HasSubstr("layer 'head' takes its input from layer 'stem'"));
  EXPECT_THAT(fault_of(kStem + kHead + "  - pool: {from: stem, kernel: 2}\n"),
              HasSubstr("ends with the output of layer 'stem'"));
}

TEST(Chain, WhatHasNoKindOfMaximumIsRefused) {
  EXPECT_THAT(fault_of(kStem + "  - pool: {global: true}\n" + kHead),
              AllOf(HasSubstr("n.yaml:5"), HasSubstr("global pooling")));
  EXPECT_THAT(fault_of(kStem + "  - pool: {kernel: 2}\n"), HasSubstr("behind the last layer"));
}

TEST(Chain, PoolingOfTheImageIsRefused) {
  EXPECT_THAT(fault_of("  - pool: {kernel: 2}\n" + kStem + kHead),
              AllOf(HasSubstr("n.yaml:4"), HasSubstr("pooling of the input")));
}

TEST(Chain, TheLastLayerHasNoRelu) {
  EXPECT_THAT(fault_of(kStem + "  - linear: {name: head, out: 10}\n"),
              AllOf(HasSubstr("n.yaml:5"), HasSubstr("relu: false")));
}

TEST(Chain, AConvolutionBehindALinearLayerIsRefused) {
  EXPECT_THAT(fault_of("  - linear: {name: a, out: 10}\n"
                       "  - conv: {name: b, out: 10, kernel: 1, relu: false}\n"),
              HasSubstr("layer 'b' is a convolution behind the linear layer 'a'"));
}

TEST(Chain, ANetworkOfShapesAloneIsRefused) {
  Network network = load_network("lenet");
  EXPECT_NO_THROW(require_chain(network));
  network.wiring.clear();
  EXPECT_THROW(require_chain(network), Error);
  network.layers.clear();
  EXPECT_THROW(require_chain(network), Error);
}

TEST(Chain, ChainsOfTheZooCanBeTrainedAndOthersNot) {
  for (const char* name : {"lenet", "simplenet", "svhn8", "svhn10", "vgg11", "vgg16", "alexnet"}) {
    EXPECT_NO_THROW(require_chain(load_network(name))) << name;
  }
  for (const char* name : {"resnet20", "resnet50", "mobilenet_v1", "mobilenet_v2", "odd"}) {
    EXPECT_THROW(require_chain(load_network(name)), Error) << name;
  }
}

}  // namespace
}  // namespace bittern
