#include "host/run/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>

#include "host/cores/cores.h"
#include "host/run/failure_trace.h"
#include "host/run/random_jobs.h"
#include "tests/host/run/fake_bismo.h"

namespace bittern {
namespace {

using testing::fake_options;
using testing::FakeBehaviour;
using testing::FakeDevice;
using ::testing::HasSubstr;
using testing::small_network;
using testing::tiny_variant;

/// Validation of the small network at two bit pairs on a fake.
class ValidateTest : public ::testing::Test {
 protected:
  ValidateTest() : variant_(tiny_variant()), core_(make_core(variant_)) {
    for (const Layer& layer : small_network().layers) {
      for (const BitPair bits : {BitPair{3, 2}, BitPair{1, 1}}) {
        jobs_.push_back(network_job(*core_, variant_, layer, bits));
      }
    }
  }
  Validation run(const FakeBehaviour& behaviour) {
    device_ = std::make_unique<FakeDevice>(folder_, "a", behaviour);
    DevicePool pool(variant_, {device_->served.endpoint()});
    return validate(*core_, pool, jobs_, folder_.path(), {});
  }
  PreparedLayer prepared(std::size_t job) {
    return prepare_layer(*core_, plan_layer(*core_, jobs_[job]));
  }

  const TemporaryFolder folder_;
  const Variant variant_;
  const std::unique_ptr<Core> core_;
  std::vector<LayerJob> jobs_;
  std::unique_ptr<FakeDevice> device_;
};

TEST_F(ValidateTest, ComparesOutputsAndCycles) {
  FakeBehaviour behaviour;
  behaviour.cycles = plan_layer(*core_, jobs_[4]).predicted.cycles;
  const Validation v = run(behaviour);
  ASSERT_EQ(v.layers.size(), jobs_.size());
  EXPECT_EQ(v.failed, 0u);
  EXPECT_FALSE(v.first_failed);
  EXPECT_TRUE(v.trace.path.empty());
  EXPECT_EQ(device_->backend.runs, static_cast<int>(jobs_.size())) << "everything was simulated";
  double sum = 0;
  double most = 0;
  std::size_t exact = 0;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    const double predicted = static_cast<double>(plan_layer(*core_, jobs_[i]).predicted.cycles);
    const double error =
        100.0 * std::abs(predicted - static_cast<double>(*behaviour.cycles)) / *behaviour.cycles;
    EXPECT_DOUBLE_EQ(v.layers[i].cycle_error_percent(), error);
    EXPECT_EQ(v.layers[i].job.layer.name, jobs_[i].layer.name);
    sum += error;
    most = std::max(most, error);
    exact += error == 0 ? 1 : 0;
  }
  EXPECT_GE(exact, 1u);
  EXPECT_LT(exact, jobs_.size());
  EXPECT_EQ(v.exact, exact);
  EXPECT_DOUBLE_EQ(v.max_cycle_error_percent, most);
  EXPECT_DOUBLE_EQ(v.mean_cycle_error_percent, sum / jobs_.size());
  ASSERT_TRUE(v.worst);
  EXPECT_DOUBLE_EQ(v.layers[*v.worst].cycle_error_percent(), most);
}

TEST_F(ValidateTest, FindsTheFirstDifferenceAndAsksForATraceAroundIt) {
  const PreparedLayer layer = prepared(0);
  FakeBehaviour behaviour;
  behaviour.cycles = 100000;
  const std::size_t index = 11;
  const std::uint64_t address = layer.program.result_address + result_offset(*core_, layer, index);
  behaviour.flip_address = static_cast<std::int64_t>(address);
  const Validation v = run(behaviour);
  ASSERT_TRUE(v.first_failed);
  EXPECT_EQ(*v.first_failed, 0u);
  const ValidatedLayer& failed = v.layers[0];
  ASSERT_TRUE(failed.difference);
  EXPECT_EQ(failed.difference->index, index);
  EXPECT_EQ(failed.difference->expected, layer.expected[index]);
  EXPECT_EQ(failed.difference->got, layer.expected[index] ^ 1);
  EXPECT_EQ(failed.difference->count, 1u);
  EXPECT_EQ(v.trace.path, (folder_ / "bittern-trace-bismo_tiny-first-w3a2.fst").string());
  EXPECT_EQ(device_->backend.trace.path, v.trace.path);
  // The fake writes address a in cycle cycles * a / mem_limit.
  const std::uint64_t written = *behaviour.cycles * address / layer.program.memory_end;
  EXPECT_LE(v.trace.first_cycle, written);
  EXPECT_GE(v.trace.last_cycle, written);
  EXPECT_LT(v.trace.last_cycle - v.trace.first_cycle, 10000u);
}

TEST_F(ValidateTest, SaysWhyThereIsNoTrace) {
  FakeBehaviour behaviour;
  behaviour.flip_address = static_cast<std::int64_t>(prepared(0).program.result_address);
  behaviour.traces = false;
  const Validation v = run(behaviour);
  EXPECT_GE(v.failed, 1u);
  EXPECT_TRUE(v.trace.path.empty());
  EXPECT_THAT(v.trace.problem, HasSubstr("cannot trace"));
}

TEST_F(ValidateTest, AFaultIsAFailureWithATraceOfItsEnd) {
  FakeBehaviour behaviour;
  behaviour.fault = true;
  behaviour.cycles = 9000;
  const Validation v = run(behaviour);
  EXPECT_EQ(v.failed, jobs_.size());
  EXPECT_THAT(*v.layers[0].fault, HasSubstr("address_out_of_range"));
  EXPECT_LE(v.trace.first_cycle, 9000u);
  EXPECT_GE(v.trace.last_cycle, 9000u);
}

TEST_F(ValidateTest, OffsetOfAnOutputIsTheByteThatChangesIt) {
  const PreparedLayer layer = prepared(4);
  std::vector<std::uint8_t> bytes(layer.program.result_bytes, 0);
  std::set<std::uint64_t> seen;
  for (std::size_t i = 0; i < layer.expected.size(); ++i) {
    const std::uint64_t offset = result_offset(*core_, layer, i);
    EXPECT_TRUE(seen.insert(offset).second);
    bytes[offset] = 1;
    EXPECT_EQ(core_->unpack(*layer.planned.plan, bytes)[i], 1);
    bytes[offset] = 0;
  }
}

TEST(RandomJobs, AreTheSameForOneSeedAndDoNotDependOnTheCount) {
  const Variant variant = tiny_variant();
  const auto core = make_core(variant);
  const auto text = [&](std::size_t count, std::uint64_t seed) {
    std::vector<std::string> out;
    for (const LayerJob& job : random_jobs(*core, variant, count, seed)) {
      out.push_back(job_name(job) + job.layer.key());
    }
    return out;
  };
  const auto many = text(12, 7);
  auto few = text(5, 7);
  EXPECT_EQ(std::vector<std::string>(many.begin(), many.begin() + 5), few);
  EXPECT_NE(text(5, 8), few);
}

class RandomJobsOf : public ::testing::TestWithParam<const char*> {};

TEST_P(RandomJobsOf, CoverWhatGoesWrongAndStaySmall) {
  const Variant variant =
      load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/" + GetParam() + ".yaml");
  const auto core = make_core(variant);
  std::map<std::string, int> seen;
  for (const LayerJob& job : random_jobs(*core, variant, 100, 1)) {
    job.layer.validate();
    EXPECT_LE(plan_layer(*core, job).predicted.cycles, 400000u);
    ++seen[layer_kind_name(job.layer.kind)];
    seen["one bit"] += job.precision.bits.weight == 1 || job.precision.bits.activation == 1;
    seen["unsigned weights"] += !job.precision.weight_signed;
    seen["signed activations"] += job.precision.activation_signed;
    seen["groups"] += job.layer.kind == LayerKind::kConv && job.layer.groups > 1;
    seen["stride"] += job.layer.stride_h > 1;
    seen["padding"] += job.layer.pad_top != job.layer.pad_bottom;
    seen["dilation"] += job.layer.dilated();
    seen["wide padding"] +=
        job.layer.pad_top >= job.layer.reach_h() || job.layer.pad_left >= job.layer.reach_w();
    seen["batch"] += job.batch > 1;
    seen["odd K"] += job.layer.reduction() % variant.parameter("Dk") != 0;
  }
  for (const char* what :
       {"conv", "depthwise", "linear", "one bit", "unsigned weights", "signed activations",
        "groups", "stride", "padding", "dilation", "wide padding", "batch", "odd K"}) {
    EXPECT_GE(seen[what], 5) << what;
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, RandomJobsOf,
                         ::testing::Values("bismo_tiny", "bismo_edge", "bismo_cloud"));

}  // namespace
}  // namespace bittern
