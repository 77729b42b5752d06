#include "host/execute/inference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>

#include "host/base/temporary_folder.h"
#include "host/device/device_process.h"
#include "host/integer/integer_executor.h"
#include "host/integer/quantise_network.h"
#include "host/integer/stated_network.h"
#include "tests/host/integer/random_integers.h"
#include "tests/host/integer/stated_tensors.h"
#include "tests/host/network/tiny_network.h"
#include "tests/host/run/fake_bismo.h"

namespace bittern {
namespace {

using testing::fake_options;
using testing::FakeBehaviour;
using testing::FakeDevice;
using ::testing::HasSubstr;

/// Every kind of layer, a shortcut, a concatenation, poolings; signed and unsigned activations.
Network branched() {
  return network_of(
      "  - normalise: {mean: [0.4, 0.5], deviation: [0.2, 0.3]}\n"
      "  - conv: {name: a, out: 4, kernel: 3, pad: 1}\n"
      "  - depthwise: {name: b, kernel: 3, pad: 1, relu: false}\n"
      "  - add: {name: sum, from: [b, a], relu: true}\n"
      "  - pool: {name: small, kernel: 2}\n"
      "  - conv: {name: c, from: small, out: 4, kernel: 1, groups: 2, relu: false}\n"
      "  - concat: {name: both, from: [c, small]}\n"
      "  - pool: {global: true, kind: average}\n"
      "  - linear: {name: out, out: 3, relu: false}\n",
      "[2, 6, 6]");
}

std::vector<std::vector<std::uint8_t>> random_images(const Network& network, int count, Rng& rng) {
  std::vector<std::vector<std::uint8_t>> images;
  for (int i = 0; i < count; ++i) images.push_back(random_image(network.graph.input, rng));
  return images;
}

std::vector<Bytes> views(const std::vector<std::vector<std::uint8_t>>& images) {
  return {images.begin(), images.end()};
}

/// The real RTL of the smallest variant of each core.
class InferOnRtl : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("BITTERN_DEVICES_DIR");
    options_.measurer.device.folder = folder ? folder : BITTERN_BINARY_DIR "/bin";
    options_.measurer.store = folder_.path() / "store.db";
    options_.measurer.workers = 2;
    options_.trace_folder = folder_.path();
    try {
      find_device_executable(GetParam(), options_.measurer.device.folder);
    } catch (const Error& error) {
      GTEST_SKIP() << "needs the simulated device of " << GetParam() << ": " << error.what();
    }
    variant_ =
        load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/" + GetParam() + ".yaml");
  }

  TemporaryFolder folder_;
  InferenceOptions options_;
  Variant variant_;
};

TEST_P(InferOnRtl, EveryLayerOfRealTensorsEqualsIntegersAndTakesTheMeasuredCycles) {
  const Network network = branched();
  std::set<int> widths;
  for (const int batch : {1, 2}) {
    Rng rng(static_cast<std::uint64_t>(batch));
    const QuantisedNetwork integers = random_integers(network, rng);
    for (const Precision& precision : integers.precision) widths.insert(precision.bits.weight);
    const auto images = random_images(network, 3, rng);
    Variant variant = variant_;
    variant.batch = batch;
    const Inference found = infer(integers, variant, views(images), options_);
    ASSERT_FALSE(found.difference);
    const std::size_t batches = batch == 1 ? 3 : 2;
    EXPECT_EQ(found.batches, batches);
    EXPECT_EQ(found.blank_images, batches * batch - 3);
    EXPECT_EQ(found.runs, batches * network.layers.size());
    const IntegerExecutor executor(integers);
    ASSERT_EQ(found.logits.size(), images.size());
    for (std::size_t i = 0; i < images.size(); ++i) {
      EXPECT_EQ(found.logits[i], executor.logits(images[i]));
    }
    // What `measure` says of the same policy, from a measurer of its own.
    Measurer measurer(variant, options_.measurer);
    std::vector<LayerJob> jobs;
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      jobs.push_back(
          network_job(measurer.core(), variant, network.layers[i], integers.precision[i].bits));
    }
    std::uint64_t measured = 0;
    for (const Measurement& m : measurer.measure(jobs)) measured += m.cycles;
    EXPECT_EQ(measurer.simulated(), 0u) << "infer measured the same keys";
    std::uint64_t cycles = 0;
    for (const InferredLayer& layer : found.layers) {
      EXPECT_EQ(layer.runs, batches);
      EXPECT_EQ(layer.total.cycles, layer.measured.cycles * batches);
      EXPECT_GT(layer.bytes_to_device, 0u);
      EXPECT_GT(layer.bytes_from_device, 0u);
      cycles += layer.total.cycles;
    }
    EXPECT_EQ(cycles, measured * batches);
  }
  EXPECT_GT(widths.size(), 3u);
}

TEST_P(InferOnRtl, QuantisersOfTheFileAreComputedWithTheirZeroPointsAndBipolarCodes) {
  const Network network = network_of(
      "  - quantise: {bits: 8, signed: false, scale: 0.01, zero_point: 37}\n"
      "  - conv: {name: a, out: 4, kernel: 3, pad: 1, groups: 2, batch_norm: true, relu: false,\n"
      "           weight_quantiser: {bits: 8, signed: false, scale: 0.02, zero_point: 100}}\n"
      "  - quantise: {bits: 1, bipolar: true, scale: 1}\n"
      "  - conv: {name: b, out: 4, kernel: 3, pad: 1, batch_norm: true, relu: false,\n"
      "           weight_quantiser: {bits: 1, bipolar: true, scale: 0.5}}\n"
      "  - quantise: {bits: 4, scale: [0.5, 0.25, 1, 2], zero_point: [-3, 0, 2, 7]}\n"
      "  - depthwise: {name: c, kernel: 3, pad: 1, relu: true,\n"
      "                weight_quantiser: {bits: 2, narrow: true, scale: 0.3}}\n"
      "  - quantise: {bits: 2, narrow: true, scale: 1}\n"
      "  - linear: {name: out, out: 3, relu: false, weight_quantiser: {bits: 1, bipolar: true, "
      "scale: 1}}\n",
      "[2, 5, 6]");
  Rng rng(5);
  const QuantisedNetwork integers =
      stated_network(network.name, network.graph, stated_tensors(network.graph, rng));
  const auto images = random_images(network, 2, rng);
  const Inference found = infer(integers, variant_, views(images), options_);
  ASSERT_FALSE(found.difference) << found.difference->fault << " layer " << found.difference->layer;
  ASSERT_EQ(found.logits.size(), 2u);
  const IntegerExecutor executor(integers);
  for (std::size_t i = 0; i < images.size(); ++i) {
    EXPECT_EQ(found.logits[i], executor.logits(images[i]));
  }
  EXPECT_EQ(found.layers[1].bits, (BitPair{1, 1}));
}

TEST_P(InferOnRtl, BinaryWeightsAreOneBitAndTheSumOfTheWindow) {
  const Network network = network_of(
      "  - conv: {name: a, out: 4, kernel: 3, pad: 1, groups: 2}\n"
      "  - linear: {name: out, out: 3, relu: false}\n",
      "[2, 4, 4]");
  Rng rng(9);
  NamedTensors tensors = random_tensors(network.graph, rng);
  const Graph graph = fuse_relu(network.graph);
  const QuantisedNetwork integers =
      quantise_network("binary", graph, tensors, {{1, 3}, {1, 2}},
                       {{weight_range(1), {0.3f}}, {weight_range(1), {0.2f}}},
                       {{activation_range(3, false), 0.2f}, {activation_range(2, false), 0.4f}});
  EXPECT_EQ(integers.device_codes[0], DeviceCodes::odd_weights());
  const auto images = random_images(network, 2, rng);
  const Inference found = infer(integers, variant_, views(images), options_);
  ASSERT_FALSE(found.difference);
  for (std::size_t i = 0; i < images.size(); ++i) {
    EXPECT_EQ(found.logits[i], IntegerExecutor(integers).logits(images[i]));
  }
}

INSTANTIATE_TEST_SUITE_P(Cores, InferOnRtl,
                         ::testing::Values("bismo_tiny", "stripes_tiny", "bitfusion_tiny"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Infer, VariantThatRequantisesWritesSumsUnderAKeyOfItsOwn) {
  const Variant cloud =
      load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/bismo_cloud.yaml");
  const Variant sums = writing_sums(cloud);
  EXPECT_NE(sums.key(), cloud.key());
  EXPECT_EQ(sums.lowering_choice("requantise", 0), 0);
  EXPECT_EQ(writing_sums(sums).key(), sums.key());
}

/// With BISMO's interpreter in place of RTL, which can be made to err.
class InferOnFake : public ::testing::Test {
 protected:
  InferOnFake() : rng_(5), network_(branched()), integers_(random_integers(network_, rng_)) {
    images_ = random_images(network_, 3, rng_);
  }

  InferenceOptions options(const std::vector<const FakeDevice*>& devices) {
    InferenceOptions options;
    options.measurer = fake_options(folder_, devices);
    options.trace_folder = folder_.path();
    return options;
  }

  TemporaryFolder folder_;
  Rng rng_;
  Network network_;
  QuantisedNetwork integers_;
  std::vector<std::vector<std::uint8_t>> images_;
};

TEST_F(InferOnFake, FirstDifferenceIsNamedWithItsTraceAndEndsTheRun) {
  {
    // Measured by a good one of the same RTL.
    FakeDevice good(folder_, "good");
    ASSERT_FALSE(
        infer(integers_, testing::tiny_variant(), views(images_), options({&good})).difference);
  }
  const Variant variant = testing::tiny_variant();
  const auto core = make_core(variant);
  const LayerJob job = network_job(*core, variant, network_.layers[1], integers_.precision[1].bits);
  const Program program = prepare_layer(*core, plan_layer(*core, job)).program;
  FakeBehaviour behaviour;
  behaviour.flip_address = static_cast<std::int64_t>(program.result_address);
  FakeDevice bad(folder_, "bad", behaviour);
  const Inference found = infer(integers_, variant, views(images_), options({&bad}));
  ASSERT_TRUE(found.difference);
  const InferenceDifference& d = *found.difference;
  EXPECT_EQ(d.image, 0u);
  EXPECT_TRUE(d.fault.empty()) << d.fault;
  EXPECT_EQ(d.expected ^ d.got, 1);
  EXPECT_EQ(d.count, 1u);
  EXPECT_FALSE(d.trace.path.empty()) << d.trace.problem;
  EXPECT_TRUE(found.logits.empty());
  EXPECT_LT(found.runs, 3 * network_.layers.size());
}

TEST_F(InferOnFake, DeviceThatStopsIsADifference) {
  {
    FakeDevice good(folder_, "good");
    infer(integers_, testing::tiny_variant(), views(images_), options({&good}));
  }
  FakeBehaviour behaviour;
  behaviour.fault = true;
  FakeDevice bad(folder_, "bad", behaviour);
  const Inference found =
      infer(integers_, testing::tiny_variant(), views(images_), options({&bad}));
  ASSERT_TRUE(found.difference);
  EXPECT_EQ(found.difference->layer, 0u);
  EXPECT_THAT(found.difference->fault, HasSubstr("the shell stopped with error"));
}

TEST_F(InferOnFake, NoImagesAreRefused) {
  FakeDevice device(folder_, "a");
  EXPECT_THROW(infer(integers_, testing::tiny_variant(), {}, options({&device})), Error);
}

}  // namespace
}  // namespace bittern
