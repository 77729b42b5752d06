#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>

#include "host/device/start.h"
#include "host/program/bismo_core.h"
#include "host/program/bismo_planner.h"
#include "host/protocol/registers.h"
#include "tests/host/program/random_layers.h"

// Random layers on the real RTL: outputs, cycles and all events. `bittern validate` does this at
// large; BITTERN_RTL_LAYERS=n makes it n layers here.

namespace bittern {
namespace {

/// Runs a plan; returns events by name, "cycles" among them.
std::map<std::string, std::uint64_t> counters_of(const RunResult& run, const BismoConfig& config) {
  std::map<std::string, std::uint64_t> counters;
  counters["cycles"] = run.cycles;
  std::size_t index = 1;
  for (const auto& name : registers::kBismoEvents)
    counters[std::string(name)] = run.counters.at(index++);
  const int read_ports = config.lanes * (config.split_fetch ? 2 : 1);
  for (int i = 0; i < read_ports; ++i) {
    counters["read_port_beats[" + std::to_string(i) + "]"] = run.counters.at(index++);
  }
  for (int i = 0; i < config.write_ports; ++i) {
    counters["write_port_beats[" + std::to_string(i) + "]"] = run.counters.at(index++);
  }
  return counters;
}

class RtlTest : public testing::TestWithParam<std::pair<std::string, int>> {};

TEST_P(RtlTest, OutputsCyclesAndEventsOfRandomLayersAreThoseOfReferenceAndModel) {
  const auto& [name, usual_layers] = GetParam();
  const char* wanted = std::getenv("BITTERN_RTL_LAYERS");
  const int layers = wanted != nullptr ? std::atoi(wanted) : usual_layers;
  const char* wanted_seed = std::getenv("BITTERN_RTL_SEED");
  const std::uint64_t seed = wanted_seed != nullptr ? std::atoi(wanted_seed) : 21;

  const Variant variant =
      load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/" + name + ".yaml");
  DeviceOptions options;
  options.folder = std::filesystem::path(BITTERN_BINARY_DIR) / "bin";
  if (!std::filesystem::exists(options.folder / ("bittern-device-" + name))) {
    GTEST_SKIP() << "no device bittern-device-" << name << " in " << options.folder
                 << ": build it (BITTERN_DEVICES=ON) to run this test";
  }
  const std::unique_ptr<Device> device = start_device(variant, options);
  const BismoCore core(BismoConfig::from(variant));

  Rng rng(seed);
  std::uint64_t cycles = 0;
  for (int i = 0; i < layers; ++i) {
    const Layer layer = random_layer(rng);
    const Precision precision = random_precision(rng);
    const int batch = static_cast<int>(rng.integer(1, 2));
    const GemmShape shape = GemmShape::of(layer, batch, core.config());
    // Half of them with the best schedule, half with any.
    const std::vector<BismoSchedule> schedules =
        candidate_schedules(core.config(), shape, precision.bits);
    const auto best = core.plan(layer, precision, batch);
    const auto plan = core.plan_with(
        layer, precision, batch,
        i % 2 == 0 ? dynamic_cast<const BismoPlan&>(*best).schedule
                   : schedules[rng.integer(0, static_cast<std::int64_t>(schedules.size()) - 1)]);
    const LayerData data = random_layer_data(layer, precision, batch, seed + i);
    const Program program = core.build(*plan, data);
    for (const MemorySegment& segment : program.segments) {
      device->write_memory(segment.address, segment.bytes);
    }
    RunRequest request;
    request.program_address = program.program_address;
    request.instruction_count = program.instruction_count;
    request.mem_limit = program.memory_end;
    request.cycle_limit = 4 * plan->predicted.cycles + 100000;
    const RunResult run = device->run(request);
    const std::string what = layer.name + " | " + plan->key() + " | w" +
                             std::to_string(precision.bits.weight) + " a" +
                             std::to_string(precision.bits.activation) + " batch " +
                             std::to_string(batch) + " layer " + std::to_string(i);
    ASSERT_EQ(run.status, RunStatus::kDone) << what << " error " << run.error_code;
    cycles += run.cycles;
    const std::vector<std::uint8_t> result =
        device->read_memory(program.result_address, program.result_bytes);
    ASSERT_EQ(core.unpack(*plan, result), reference_outputs(layer, batch, data)) << what;

    const std::map<std::string, std::uint64_t> counted = counters_of(run, core.config());
    EXPECT_EQ(plan->predicted.cycles, run.cycles) << what;
    std::map<std::string, std::uint64_t> predicted(plan->predicted.events.begin(),
                                                   plan->predicted.events.end());
    predicted["cycles"] = plan->predicted.cycles;
    EXPECT_EQ(predicted.size(), counted.size());
    for (const auto& [event, value] : counted) {
      EXPECT_EQ(predicted[event], value) << event << " of " << what;
    }
    if (HasFailure() && wanted == nullptr) return;
  }
  RecordProperty("cycles", std::to_string(cycles));
}

INSTANTIATE_TEST_SUITE_P(Variants, RtlTest,
                         testing::Values(std::pair("bismo_tiny", 40), std::pair("bismo_edge", 20),
                                         std::pair("bismo_cloud", 6)),
                         [](const auto& info) { return info.param.first; });

}  // namespace
}  // namespace bittern
