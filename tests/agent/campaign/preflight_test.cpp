#include "host/campaign/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "agent/campaign/fake_quant_source.h"
#include "agent/nn/training.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "host/network/io/safetensors.h"
#include "tests/agent/campaign/small_campaign.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PreflightTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("BITTERN_HOME", BITTERN_SOURCE_DIR, 1);
    setenv("BITTERN_DEVICES_DIR", BITTERN_BINARY_DIR "/bin", 1);
    options_.out = folder_ / "out";
    options_.store = folder_ / "store.db";
  }
  std::string error_of() const {
    return message_of([&] { preflight(campaign_, options_, false); });
  }
  /// Nothing was made, whatever came out.
  void TearDown() override {
    EXPECT_FALSE(fs::exists(options_.out));
    EXPECT_FALSE(fs::exists(options_.store));
  }

  TemporaryFolder folder_;
  Campaign campaign_ = small_campaign();
  RunOptions options_;
};

TEST_F(PreflightTest, FindsASoundCampaignFitAndSaysWhatItWillDo) {
  const Preflight found = preflight(campaign_, options_, false);
  EXPECT_THAT(found.warnings, IsEmpty());
  EXPECT_EQ(found.points.all, 4u * 49u);
  ASSERT_EQ(found.limits.size(), 1u);
  EXPECT_LT(found.limits[0].least, found.limits[0].limit);
  EXPECT_THAT(
      preflight_text(campaign_, options_, found),
      AllOf(HasSubstr("lenet, 4 layers"), HasSubstr("latency at most"), HasSubstr("(0.5 of 8/8)"),
            HasSubstr("196 points"), HasSubstr("300 training, 100 validation, 100 test images"),
            HasSubstr("1 epochs of 300 images"), HasSubstr("8 episodes")));
}

TEST_F(PreflightTest, ANetworkThatCannotBeTrained) {
  campaign_.network = "odd";
  EXPECT_THAT(error_of(), HasSubstr("odd"));
}

TEST_F(PreflightTest, DataThatIsNotThereOrNotEnough) {
  campaign_.data = DataSettings();
  campaign_.data.dataset = "mnist";
  campaign_.data.validation_images = 5000;
  options_.data_folder = folder_.path().string();
  EXPECT_THAT(error_of(), HasSubstr("was not found"));
  campaign_ = small_campaign();
  campaign_.data.train_images = 1'000'000;
  EXPECT_THAT(error_of(), HasSubstr("1..1000000"));
}

TEST_F(PreflightTest, DataThatDoesNotFitTheNetwork) {
  campaign_.network = "svhn8";
  EXPECT_THAT(error_of(), AllOf(HasSubstr("svhn8"), HasSubstr("1x28x28")));
}

TEST_F(PreflightTest, CheckpointsThatAreNotThereDamagedOrOfAnotherNetwork) {
  campaign_.model.checkpoint = (folder_ / "w.safetensors").string();
  EXPECT_THAT(error_of(), HasSubstr("w.safetensors"));
  write_file(folder_ / "w.safetensors", "nonsense");
  EXPECT_THAT(error_of(), HasSubstr("w.safetensors"));
  TensorFile other;
  other.tensors["x.weight"] = StoredTensor::from_floats({1}, std::vector<float>{1});
  write_safetensors(folder_ / "w.safetensors", other);
  EXPECT_THAT(error_of(), AllOf(HasSubstr("w.safetensors"), HasSubstr("there is no tensor")));
}

TEST_F(PreflightTest, OneBitForInputsThatCanBeNegative) {
  const fs::path file = folder_ / "signed.yaml";
  write_file(file,
             "name: signed\ninput: [1, 28, 28]\nlayers:\n"
             "  - normalise: {mean: [0.5], deviation: [0.5]}\n"
             "  - linear: {name: first, out: 10}\n  - linear: {name: middle, out: 10}\n"
             "  - linear: {name: last, out: 10, relu: false}\n");
  campaign_.network = file.string();
  campaign_.search.min_bits = 1;
  campaign_.constraints[0].limit = 0.99;
  campaign_.search.pin_first_last = false;
  EXPECT_THAT(error_of(), AllOf(HasSubstr("layer first"), HasSubstr("can be negative")));
  campaign_.search.pin_first_last = true;
  preflight(campaign_, options_, false);
  // Inputs in floating point have no quantiser.
  campaign_.search.pin_first_last = false;
  campaign_.search.mode = "w";
  campaign_.search.fixed = std::nullopt;
  preflight(campaign_, options_, false);
  // Hardware that has no such width does not search it.
  campaign_.search.mode = "w+a";
  campaign_.variant = "bitfusion_tiny";
  preflight(campaign_, options_, false);
}

TEST_F(PreflightTest, TiesReadOffTheGraph) {
  campaign_.search.tied_inputs_of = {"add"};
  EXPECT_THAT(error_of(), HasSubstr("network lenet has no add of two layers"));
  const fs::path file = folder_ / "shortcut.yaml";
  write_file(file,
             "name: shortcut\ninput: [1, 28, 28]\nlayers:\n"
             "  - conv: {name: stem, out: 2, kernel: 3, pad: same}\n"
             "  - conv: {name: a, out: 2, kernel: 3, pad: same}\n"
             "  - conv: {name: b, out: 2, kernel: 3, pad: same, relu: false}\n"
             "  - add: {from: [b, a], relu: true}\n"
             "  - linear: {name: last, out: 10, relu: false}\n");
  campaign_.network = file.string();
  const Preflight found = preflight(campaign_, options_, false);
  const BitSpace space(found.search.bits, found.network());
  EXPECT_EQ(space.leader(2), 1u);
  EXPECT_EQ(space.leader(0), 0u);
}

TEST_F(PreflightTest, SettingsThatTheSearchRefuses) {
  campaign_.search.accuracy_floor = 101.0;
  EXPECT_THAT(error_of(), HasSubstr("accuracy_floor"));
  campaign_ = small_campaign();
  campaign_.variant = "bitfusion_tiny";
  campaign_.search.min_bits = 5;
  campaign_.search.max_bits = 7;
  EXPECT_THAT(error_of(), HasSubstr("rounds them all up"));
}

TEST_F(PreflightTest, ConstraintsThatCannotBeMetWithTheWordsOfTheSearch) {
  campaign_.constraints[0].limit = 0.01;
  EXPECT_THAT(error_of(), AllOf(HasSubstr("constraint latency"), HasSubstr("cannot be met"),
                                HasSubstr("the least that any allowed policy reaches")));
  // With costs from RTL the closed form says so before anything is simulated.
  if (!fs::exists(fs::path(BITTERN_BINARY_DIR) / "bin" / "bittern-device-bismo_tiny")) return;
  campaign_.cost = "rtl";
  EXPECT_THAT(error_of(), HasSubstr("cannot be met"));
}

TEST_F(PreflightTest, AnOutputFolderThatCannotBeWritten) {
  options_.out = "/proc/bittern";
  EXPECT_THAT(error_of(), HasSubstr("/proc"));
}

TEST_F(PreflightTest, AVariantWithoutADevice) {
  std::string text = read_file(fs::path(BITTERN_SOURCE_DIR) / "configs/variants/bismo_tiny.yaml");
  text.replace(text.find("name: bismo_tiny"), 16, "name: not_built1");
  write_file(folder_ / "not_built1.yaml", text);
  campaign_.cost = "rtl";
  campaign_.variant = (folder_ / "not_built1.yaml").string();
  EXPECT_THAT(error_of(), HasSubstr("not_built1"));
}

TEST_F(PreflightTest, AnEndpointThatDoesNotAnswer) {
  campaign_.cost = "rtl";
  options_.endpoints = {Endpoint::parse("unix:" + (folder_ / "nobody").string())};
  EXPECT_THAT(error_of(), HasSubstr("nobody"));
}

TEST_F(PreflightTest, WarnsOfSettingsThatMakeLittleSense) {
  campaign_.method = small_haq(8);
  FakeQuantSettings settings = small_evaluator();
  settings.calibration_images = 301;
  campaign_.evaluator = configure_fake_quant(settings);
  EXPECT_THAT(
      preflight(campaign_, options_, false).warnings,
      ElementsAre(AllOf(HasSubstr("search.warmup (8)"), HasSubstr("search.episodes (8)")),
                  AllOf(HasSubstr("evaluator.calibration_images is 301"), HasSubstr("300"))));
}

TEST_F(PreflightTest, CountsWhatTheStoreHas) {
  if (!fs::exists(fs::path(BITTERN_BINARY_DIR) / "bin" / "bittern-device-bismo_tiny")) {
    GTEST_SKIP() << "bittern-device-bismo_tiny is not part of this build";
  }
  campaign_.cost = "rtl";
  const Preflight found = preflight(campaign_, options_, false);
  EXPECT_EQ(found.points.stored, 0u);
  EXPECT_EQ(found.points.all, 4u * 49u);
  EXPECT_GT(found.points.cycles, 1000u);
  EXPECT_THAT(preflight_text(campaign_, options_, found),
              HasSubstr("196 points of layer and bits: 0 in the store, 196 to simulate"));
}

}  // namespace
}  // namespace bittern
