#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "host/cores/cores.h"
#include "host/network/network.h"
#include "host/run/planner.h"
#include "tests/apps/cli.h"
#include "tests/host/run/fake_bismo.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

class Infer : public ::testing::Test {
 protected:
  /// LeNet with random weights on drawn digits: no training, no download.
  CliResult infer(const std::string& options) const {
    CliResult result = run_bittern(
        "infer --network lenet --train-images 300 "
        "--validation-images 100 --store " +
            (folder_.path() / "store.db").string() + " " + options,
        240);
    if (result.err.find("built without LibTorch") != std::string::npos) skip_ = true;
    return result;
  }
  nlohmann::json json(const CliResult& result) const {
    EXPECT_EQ(result.status, 0) << result.err;
    return nlohmann::json::parse(result.out);
  }

  TemporaryFolder folder_;
  mutable bool skip_ = false;
};

TEST_F(Infer, EveryRunIsCountedAndTheCyclesAreThoseOfMeasure) {
  const CliResult result =
      infer("--variant stripes_tiny --wbits 3 --abits 2 --images 3 --batch 2 --format json");
  if (skip_) GTEST_SKIP() << result.err;
  const nlohmann::json answer = json(result);
  EXPECT_EQ(answer["format"], "bittern-infer-1");
  EXPECT_EQ(answer["difference"], nullptr);
  EXPECT_EQ(answer["batches"], 2);
  EXPECT_EQ(answer["blank_images"], 1);
  EXPECT_EQ(answer["runs"], 4 * 2) << "layers times images by batch";
  EXPECT_EQ(answer["logits"].size(), 3u);
  EXPECT_TRUE(answer["random_weights"]);
  const CliResult measured = run_bittern(
      "measure --network lenet --variant stripes_tiny --wbits 3 --abits 2 --batch 2 --format json "
      "--store " +
      (folder_.path() / "store.db").string());
  ASSERT_EQ(measured.status, 0) << measured.err;
  const nlohmann::json layers = nlohmann::json::parse(measured.out);
  EXPECT_EQ(layers["simulated"], 0);
  EXPECT_EQ(answer["cycles"].get<std::uint64_t>(),
            2 * layers["layers"]["total"]["cycles"].get<std::uint64_t>());
}

TEST_F(Infer, AWrongOutputEndsItWithStatusOneAndSaysWhereItIs) {
  const std::string run = "--variant bismo_tiny --wbits 3 --abits 2 --images 1 --device ";
  {
    // Measured by a good device of the same RTL.
    testing::FakeDevice good(folder_, "good");
    const CliResult result = infer(run + good.served.endpoint().text());
    if (skip_) GTEST_SKIP() << result.err;
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("equal those of integers: 0 differences"));
  }
  const Variant variant = testing::tiny_variant();
  const auto core = make_core(variant);
  const LayerJob job = network_job(*core, variant, load_network("lenet").layers[0], {3, 2});
  testing::FakeBehaviour behaviour;
  behaviour.flip_address = static_cast<std::int64_t>(
      prepare_layer(*core, plan_layer(*core, job)).program.result_address);
  testing::FakeDevice bad(folder_, "bad", behaviour);
  const std::string lying =
      run + bad.served.endpoint().text() + " --trace-folder " + folder_.path().string();
  const CliResult said = infer(lying);
  EXPECT_EQ(said.status, 1) << said.err;
  EXPECT_THAT(said.out, HasSubstr("Different: image 0, layer conv1 on bismo_tiny: output 0 "));
  EXPECT_THAT(said.out, HasSubstr(", expected "));
  EXPECT_THAT(said.out, HasSubstr("1 of 11520 outputs differ"));
  EXPECT_THAT(said.out, HasSubstr("trace of cycles "));
  EXPECT_THAT(said.out, ::testing::Not(HasSubstr("Accuracy")));

  const CliResult written = infer(lying + " --format json");
  EXPECT_EQ(written.status, 1);
  const nlohmann::json difference = nlohmann::json::parse(written.out)["difference"];
  EXPECT_EQ(difference["layer"], "conv1");
  EXPECT_EQ(difference["index"], 0);
  EXPECT_EQ(difference["got"].get<int>() ^ difference["expected"].get<int>(), 1);
  EXPECT_NE(difference["trace"], "");
}

TEST_F(Infer, SlipsAreSaidBeforeTheWork) {
  const auto expect_wrong = [this](const std::string& options, const std::string& words) {
    const CliResult result = infer(options);
    EXPECT_EQ(result.status, 2) << options;
    EXPECT_THAT(result.err, HasSubstr(words)) << options;
  };
  expect_wrong("--wbits 4 --abits 4", "--variant is required");
  expect_wrong("--variant bismo_tiny", "--policy FILE, or --wbits and --abits");
  expect_wrong("--variant bismo_tiny --wbits 4 --abits 4 --weights kmeans", "kmeans");
  expect_wrong("--variant bismo_tiny --wbits 4 --abits 4 --weights wrpn --per-channel",
               "--per-channel and --weight-range are for --weights linear");
  if (run_bittern("--version").out.find("without") != std::string::npos) return;
  const CliResult many = infer("--variant bismo_tiny --wbits 4 --abits 4 --images 3000");
  if (skip_) GTEST_SKIP() << many.err;
  EXPECT_EQ(many.status, 2);
  EXPECT_THAT(many.err, HasSubstr("data set synthetic has 2000 test images"));
}

}  // namespace
}  // namespace bittern
