#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <regex>
#include <string>

#include "host/cores/bitfusion/bitfusion_core.h"
#include "host/cores/bitfusion/bitfusion_planner.h"
#include "host/cores/cores.h"
#include "host/cores/matrix/matrix_core.h"
#include "host/device/device_client.h"
#include "host/device/device_process.h"
#include "host/device/start.h"
#include "host/integer/layer_data.h"
#include "host/integer/reference.h"
#include "host/integer/result_format.h"
#include "host/network/network.h"
#include "host/protocol/registers.h"
#include "tests/host/cores/random_layers.h"

// Random layers on the real RTL: outputs, cycles and all events. `bittern validate` does this at
// large; BITTERN_RTL_LAYERS=n makes it n layers here.

namespace bittern {
namespace {

/// Events of a run by name, "cycles" among them.
std::map<std::string, std::uint64_t> counters_of(const RunResult& run, const Variant& variant) {
  const registers::CoreMap& map = *registers::core_map(variant.core);
  std::map<std::string, std::uint64_t> counters;
  counters["cycles"] = run.cycles;
  std::size_t index = 1;
  for (std::size_t i = 0; i < map.num_events; ++i) {
    counters[std::string(map.events[i])] = run.counters.at(index++);
  }
  for (int i = 0; i < variant.parameter("NumReadPorts"); ++i) {
    counters["read_port_beats[" + std::to_string(i) + "]"] = run.counters.at(index++);
  }
  for (int i = 0; i < variant.parameter("NumWritePorts"); ++i) {
    counters["write_port_beats[" + std::to_string(i) + "]"] = run.counters.at(index++);
  }
  return counters;
}

/// A plan with any of the schedules that the core considers.
std::unique_ptr<Plan> any_plan(const Core& core, const Layer& layer, const Precision& precision,
                               int batch, Rng& rng) {
  const auto pick = [&rng](const auto& all) -> const auto& {
    return all[rng.integer(0, static_cast<std::int64_t>(all.size()) - 1)];
  };
  if (const auto* fusion = dynamic_cast<const BitFusionCore*>(&core)) {
    const std::vector<FusionShape> forms = fusion->shapes(layer, precision.bits, batch);
    const std::vector<FusionCandidate> all = candidate_schedules(fusion->config(), pick(forms));
    return fusion->plan_with(layer, precision, batch, pick(all).schedule);
  }
  const auto& matrix = dynamic_cast<const MatrixCore&>(core);
  return matrix.plan_with(layer, precision, batch,
                          pick(matrix.candidates(layer, batch, precision.bits)));
}

/// A device of one variant, and the comparison.
class RtlTest : public testing::Test {
 protected:
  /// Starts the device; false, with the test skipped, when there is none.
  bool start(const Variant& variant) {
    const std::filesystem::path executable =
        std::filesystem::path(BITTERN_BINARY_DIR) / "bin" / ("bittern-device-" + variant.name);
    if (!std::filesystem::exists(executable)) {
      skip_ = "no " + executable.string() + ": build it (BITTERN_DEVICES=ON) to run this test";
      return false;
    }
    // The memory model is the variant file's, whatever the shipped one says.
    device_.reset();
    process_ = std::make_unique<DeviceProcess>(
        executable, std::vector<std::string>{"--variant", variant.file.string()});
    device_ = std::make_unique<DeviceClient>(process_->take_connection(), variant.name);
    check_device(*device_, variant);
    core_ = make_core(variant);
    Variant other = variant;
    if (variant.rtl.count("MinResultBits") != 0 && other.lowering.erase("requantise") == 0) {
      other.lowering["requantise"] = 1;
    }
    other_core_ = make_core(other);
    variant_ = variant;
    return true;
  }

  /// Runs the plan on the RTL; outputs, cycles and all events have to be as predicted.
  void compare(const Plan& plan, std::uint64_t seed) { compare(*core_, plan, seed); }
  void compare(const Core& core, const Plan& plan, std::uint64_t seed) {
    const std::string what = plan.layer.name + " | " + plan.key() + " | w" +
                             std::to_string(plan.precision.bits.weight) + " a" +
                             std::to_string(plan.precision.bits.activation) + " batch " +
                             std::to_string(plan.batch);
    const LayerData data = random_layer_data(plan.layer, plan.precision, plan.batch, seed);
    const Program program = core.build(plan, data);
    for (const MemorySegment& segment : program.segments) {
      device_->write_memory(segment.address, segment.bytes);
    }
    RunRequest request;
    request.program_address = program.program_address;
    request.instruction_count = program.instruction_count;
    request.mem_limit = program.memory_end;
    const ModelResult model = core.model(plan);
    request.cycle_limit = 4 * model.cycles + 100000;
    const RunResult run = device_->run(request);
    ASSERT_EQ(run.status, RunStatus::kDone) << what << " error " << run.error_code;
    cycles_ += run.cycles;
    ++layers_;
    const std::vector<std::uint8_t> result =
        device_->read_memory(program.result_address, program.result_bytes);
    std::vector<std::int32_t> expected = reference_outputs(plan.layer, plan.batch, data);
    requantise(expected, plan.result);
    ASSERT_EQ(core.unpack(plan, result), expected) << what;

    const std::map<std::string, std::uint64_t> counted = counters_of(run, variant_);
    std::map<std::string, std::uint64_t> predicted(model.events.begin(), model.events.end());
    predicted["cycles"] = model.cycles;
    ASSERT_EQ(predicted.size(), counted.size());
    for (const auto& [event, value] : counted)
      ASSERT_EQ(predicted[event], value) << event << " of " << what;
    // The array works for as many cycles as the published model says of this tiling.
    if (const auto published = core.published_for(plan)) {
      ASSERT_EQ(counted.at("exec_run"), published->compute) << what;
    }
  }

  /// `layers` random layers: every other one with the best schedule, the rest with any. Where
  /// results leave requantised, a third of them does so as sums, of which no bit is lost.
  void compare_random(int layers, std::uint64_t seed) {
    Rng rng(seed);
    for (int i = 0; i < layers; ++i) {
      const Layer layer = random_layer(rng);
      Precision precision = random_precision(rng);
      const int most = core_->max_bits();
      if (most > 8 && i % 5 == 0) {
        precision.bits.weight = static_cast<int>(rng.integer(1, most));
        precision.bits.activation = static_cast<int>(rng.integer(9, most));
      }
      const int batch = static_cast<int>(rng.integer(1, 2));
      const Core& core = i % 3 == 2 ? *other_core_ : *core_;
      const auto plan = i % 2 == 0 ? core.plan(layer, precision, batch)
                                   : any_plan(core, layer, precision, batch, rng);
      compare(core, *plan, seed + i);
      if (HasFatalFailure()) return;
    }
    std::printf("%d layers, %llu cycles, all equal\n", layers_,
                static_cast<unsigned long long>(cycles_));
  }

  std::string skip_;
  std::unique_ptr<DeviceProcess> process_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Core> core_;
  std::unique_ptr<Core> other_core_;  ///< as core_, with results the other way
  Variant variant_;
  int layers_ = 0;
  std::uint64_t cycles_ = 0;
};

Variant shipped(const std::string& name) {
  return load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/" + name + ".yaml");
}

int environment(const char* name, int usual) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : usual;
}

class RtlVariantTest : public RtlTest,
                       public testing::WithParamInterface<std::pair<std::string, int>> {};

TEST_P(RtlVariantTest, RandomLayersEqualReferenceAndModel) {
  if (!start(shipped(GetParam().first))) GTEST_SKIP() << skip_;
  compare_random(environment("BITTERN_RTL_LAYERS", GetParam().second),
                 environment("BITTERN_RTL_SEED", 21));
}

TEST_P(RtlVariantTest, LeNetEqualsReferenceAndModel) {
  const Variant variant = shipped(GetParam().first);
  if (!start(variant)) GTEST_SKIP() << skip_;
  const Network network =
      load_network(std::string(BITTERN_SOURCE_DIR) + "/configs/networks/lenet.yaml");
  int bits = 2;
  for (const Layer& layer : network.layers) {
    Precision precision;
    precision.bits = {bits, 10 - bits};
    precision.activation_signed = layer.signed_input;
    ++bits;
    const auto plan = core_->plan(layer, precision, 1);
    compare(*plan, 7);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Variants, RtlVariantTest,
    testing::Values(std::pair("bismo_tiny", 40), std::pair("bismo_edge", 40),
                    std::pair("bismo_cloud", 20), std::pair("stripes_tiny", 60),
                    std::pair("stripes_edge", 40), std::pair("stripes_cloud", 10),
                    std::pair("stripes_releq", 10), std::pair("stripes_paper", 30),
                    std::pair("bitfusion_tiny", 60), std::pair("bitfusion_edge", 30),
                    std::pair("bitfusion_cloud", 15), std::pair("bitfusion_paper", 15)),
    [](const auto& info) { return info.param.first; });

/// Steps that the RTL counts for the layers of a network that are as wanted.
class RtlStepsTest : public RtlTest {
 protected:
  std::uint64_t steps(const std::string& network, const BitPair& bits,
                      bool only_convolutions = false) {
    std::uint64_t sum = 0;
    const Network net =
        load_network(std::string(BITTERN_SOURCE_DIR) + "/configs/networks/" + network + ".yaml");
    for (const Layer& layer : net.layers) {
      if (only_convolutions && layer.kind != LayerKind::kConv) continue;
      Precision precision;
      precision.bits = bits;
      precision.activation_signed = layer.signed_input;
      const auto plan = core_->plan(layer, precision, 1);
      // Steps that were counted are those of the closed form, and so is all else.
      compare(*plan, 7);
      if (HasFatalFailure()) return 0;
      for (const auto& [event, count] : core_->model(*plan).events) {
        if (event == "exec_run") sum += count;
      }
    }
    return sum;
  }
};

TEST_F(RtlStepsTest, SerialWeightsOfLeNetAndSimpleNetTakeTheStepsOfTheLaw) {
  if (!start(shipped("stripes_releq"))) GTEST_SKIP() << skip_;
  EXPECT_EQ(steps("lenet", {8, 8}), 10656);
  const std::uint64_t eight = steps("simplenet", {8, 8});
  EXPECT_GT(eight, 0);
  EXPECT_EQ(5 * eight, 8 * steps("simplenet", {5, 8}));
}

TEST_F(RtlStepsTest, ConvolutionsOnTheMachineOfThePaperAreSixteenOverBitsTimesAsFast) {
  if (!start(shipped("stripes_paper"))) GTEST_SKIP() << skip_;
  const std::uint64_t sixteen = steps("lenet", {16, 16}, true);
  EXPECT_GT(sixteen, 0);
  for (const int bits : {13, 9, 8, 5, 1}) {
    EXPECT_EQ(bits * sixteen, 16 * steps("lenet", {16, bits}, true)) << bits;
  }
}

class RtlMemoryTest : public RtlTest, public testing::WithParamInterface<std::string> {};

TEST_P(RtlMemoryTest, TheModelHoldsForAnyMemory) {
  const MemoryConfig memories[] = {{1 << 26, 1, 8, 1},    {1 << 26, 2, 64, 2},
                                   {1 << 26, 7, 3, 3},    {1 << 26, 60, 1, 4},
                                   {1 << 26, 100, 8, 16}, {1 << 26, 33, 16, 64}};
  Variant variant = shipped(GetParam());
  std::ifstream file(variant.file);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("bittern-memories-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  int seed = environment("BITTERN_RTL_SEED", 50);
  for (const MemoryConfig& memory : memories) {
    const auto replaced = [](const std::string& in, const std::string& key, std::uint64_t value) {
      return std::regex_replace(in, std::regex("(" + key + ": *)[0-9]+"),
                                "$01" + std::to_string(value));
    };
    std::string changed = replaced(text, "size_mib", memory.size_bytes >> 20);
    changed = replaced(changed, "latency_cycles", memory.latency_cycles);
    changed = replaced(changed, "bytes_per_cycle", memory.bytes_per_cycle);
    changed = replaced(changed, "outstanding", memory.outstanding);
    const std::filesystem::path path = folder / (variant.name + ".yaml");
    std::ofstream(path) << changed;
    const Variant other = load_variant(path.string());
    ASSERT_EQ(other.memory.latency_cycles, memory.latency_cycles);
    ASSERT_EQ(other.memory.outstanding, memory.outstanding);
    if (!start(other)) GTEST_SKIP() << skip_;
    compare_random(environment("BITTERN_RTL_LAYERS", 12), seed += 100);
    if (HasFatalFailure()) break;
  }
  std::filesystem::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Variants, RtlMemoryTest,
                         testing::Values("bismo_tiny", "bismo_edge", "bismo_cloud", "stripes_tiny",
                                         "bitfusion_tiny", "bitfusion_edge", "bitfusion_paper"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace bittern
