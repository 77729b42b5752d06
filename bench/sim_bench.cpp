// Simulation speed of one BISMO variant: the SystemC device against a bare Verilator --cc loop over
// the same sim_top and memory, in one process, in turns. Prints simulated cycles/s, MAC/s at 8 x 8
// bits and the ratio; then the time of all of LeNet at 8 x 8 bits, outputs checked. Seconds are of
// processor time, so that other work on the machine does not count.
//
//     sim_bench_<variant> [seconds for each, default 3]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include BITTERN_BARE_HEADER

#include "bench/bare_top.h"
#include "host/base/error.h"
#include "host/device/variant.h"
#include "host/measure/layer_run.h"
#include "host/measure/measurer.h"
#include "host/network/network.h"
#include "host/program/bismo_isa.h"
#include "host/program/core.h"
#include "host/protocol/registers.h"
#include "sim/build_info.h"
#include "sim/simulated_device.h"

namespace {

using bittern::RunRequest;
using bittern::RunResult;
using bittern::RunStatus;
using bittern::sim::BuildInfo;
using bittern::sim::SimulatedDevice;
namespace isa = bittern::bismo_isa;

constexpr std::uint64_t kLhsBase = 1 << 20;
constexpr std::uint64_t kRhsBase = 24 << 20;
constexpr std::uint64_t kResultBase = 40 << 20;
constexpr std::uint64_t kMemoryEnd = 64 << 20;
constexpr std::uint64_t kCyclesOfRun = 400000;

// Counter index of an event of the BISMO core.
std::size_t counter(const std::string& event) {
  const auto& names = bittern::registers::kBismoEvents;
  const auto found = std::find(names.begin(), names.end(), event);
  return static_cast<std::size_t>(found - names.begin()) + 1;
}

struct Workload {
  std::vector<isa::Word> program;
  std::uint64_t result_bytes = 0;  // in each write port's region
};

// Operands that fill at most half of the buffers, then 8 x 8 bit EXEC over all pairs of stripes,
// over and over.
Workload make_workload(const BuildInfo& info) {
  const std::uint64_t dm = info.parameter("Dm");
  const std::uint64_t dn = info.parameter("Dn");
  const std::uint64_t dk = info.parameter("Dk");
  const std::uint64_t lanes = dk / info.parameter("PortWidth");
  const std::uint64_t lane_bytes = info.parameter("PortWidth") / 8;
  const std::uint64_t depth = std::min<std::uint64_t>(
      {std::uint64_t(info.parameter("LhsDepth")), std::uint64_t(info.parameter("RhsDepth")), 512});
  const std::uint64_t k_words = std::max<std::uint64_t>(1, depth / 128);
  const std::uint64_t stripe = 8 * k_words;
  const std::uint64_t stripes = depth / stripe;
  const std::uint64_t tiles = stripes * stripes;
  const std::uint64_t cycles = tiles * 64 * k_words;
  const std::uint64_t repeats = std::max<std::uint64_t>(1, kCyclesOfRun / cycles);

  Workload work;
  isa::FetchLhs lhs;
  lhs.send_filled = 1;
  lhs.words = dm * stripes * stripe;
  lhs.dram_base = kLhsBase;
  lhs.lane_stride = lanes > 1 ? lhs.words * lane_bytes : 0;
  work.program.push_back(lhs.encode());
  isa::FetchRhs rhs;
  rhs.send_filled = 1;
  rhs.words = dn * stripes * stripe;
  rhs.dram_base = kRhsBase;
  rhs.lane_stride = lanes > 1 ? rhs.words * lane_bytes : 0;
  work.program.push_back(rhs.encode());

  const std::uint64_t write_ports = info.parameter("NumWritePorts");
  work.result_bytes = tiles * dm * dn * 4 / write_ports;
  for (std::uint64_t i = 0; i < repeats; ++i) {
    isa::Exec exec;
    exec.wait_lhs = i == 0;
    exec.wait_rhs = i == 0;
    exec.lhs_signed = exec.rhs_signed = exec.emit = 1;
    exec.lhs_bits = exec.rhs_bits = 7;
    exec.lhs_tiles = exec.rhs_tiles = stripes - 1;
    exec.k_words = k_words;
    exec.lhs_stride = exec.rhs_stride = stripe;
    work.program.push_back(exec.encode());
    isa::Result result;
    result.tiles = tiles;
    result.dram_base = kResultBase;
    result.lane_stride = write_ports > 1 ? work.result_bytes : 0;
    work.program.push_back(result.encode());
  }
  work.program.push_back(isa::End().encode());
  return work;
}

void load(SimulatedDevice& device, const Workload& work) {
  std::vector<std::uint8_t> program(work.program.size() * 16);
  std::memcpy(program.data(), work.program.data(), program.size());
  device.write_memory(0, bittern::Bytes(program.data(), program.size()));
  std::uint64_t state = 1;
  std::vector<std::uint8_t> noise(kResultBase - kLhsBase);
  for (std::uint8_t& byte : noise) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<std::uint8_t>(state >> 56);
  }
  device.write_memory(kLhsBase, bittern::Bytes(noise.data(), noise.size()));
}

struct Speed {
  double seconds = 0;
  std::uint64_t cycles = 0;
  std::uint64_t busy = 0;  // cycles in which the array multiplied
  RunResult last;
};

void run_once(SimulatedDevice& device, const Workload& work, Speed& speed) {
  RunRequest request;
  request.instruction_count = static_cast<std::uint32_t>(work.program.size());
  request.mem_limit = kMemoryEnd;
  request.cycle_limit = 100 * kCyclesOfRun;
  const std::clock_t start = std::clock();
  speed.last = device.run(request, nullptr);
  speed.seconds += static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  if (speed.last.status != RunStatus::kDone) {
    bittern::fail("the benchmark program failed: status {}, error code {}, after {} cycles",
                  static_cast<int>(speed.last.status), speed.last.error_code, speed.last.cycles);
  }
  speed.cycles += speed.last.cycles;
  speed.busy += speed.last.counters[counter("exec_run")];
}

bittern::sim::MemoryTiming memory_timing(const bittern::Variant& variant) {
  bittern::sim::MemoryTiming timing;
  timing.size_bytes = variant.memory.size_bytes;
  timing.latency = static_cast<std::uint32_t>(variant.memory.latency_cycles);
  timing.bytes_per_cycle = static_cast<std::uint32_t>(variant.memory.bytes_per_cycle);
  timing.outstanding = static_cast<std::uint32_t>(variant.memory.outstanding);
  return timing;
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Every layer of LeNet as `bittern measure` would run it, on the device in this process.
void run_lenet(SimulatedDevice& device, const bittern::Variant& variant) {
  const std::unique_ptr<bittern::Core> core = bittern::make_core(variant);
  const bittern::Network network = bittern::load_network("lenet");
  double host = 0;
  double simulation = 0;
  std::uint64_t cycles = 0;
  std::int64_t macs = 0;
  for (const bittern::Layer& layer : network.layers) {
    const double start = processor_seconds();
    const bittern::PreparedLayer prepared = bittern::prepare_layer(
        *core, bittern::plan_layer(*core, bittern::network_job(*core, variant, layer, {8, 8})));
    for (const bittern::MemorySegment& segment : prepared.program.segments) {
      device.write_memory(segment.address, segment.bytes);
    }
    const double loaded = processor_seconds();
    const RunResult result = device.run(bittern::run_request(prepared), nullptr);
    simulation += processor_seconds() - loaded;
    if (result.status != RunStatus::kDone) {
      bittern::fail("LeNet, layer {}: status {}, error code {}", layer.name,
                    static_cast<int>(result.status), result.error_code);
    }
    std::vector<std::uint8_t> bytes(prepared.program.result_bytes);
    device.read_memory(prepared.program.result_address, bytes);
    if (core->unpack(*prepared.planned.plan, bytes) != prepared.expected) {
      bittern::fail("LeNet, layer {}: outputs differ from the integer reference", layer.name);
    }
    host += loaded - start;
    cycles += result.cycles;
    macs += layer.macs() * prepared.planned.job.batch;
  }
  std::printf(
      "%-14s LeNet 8/8, batch %d: %.3f s simulation (%.3f s host), %llu cycles, %.1f M MAC/s\n",
      variant.name.c_str(), variant.batch, simulation, host,
      static_cast<unsigned long long>(cycles), macs / simulation / 1e6);
}

void run(double seconds) {
  const BuildInfo& info = bittern::sim::build_info();
  const bittern::Variant variant = bittern::load_variant(info.variant);
  const bittern::sim::MemoryTiming timing = memory_timing(variant);
  SimulatedDevice device(bittern::sim::make_systemc_top(timing, variant.clock_mhz), info);
  SimulatedDevice bare(std::make_unique<bittern::sim::BareTop<BITTERN_BARE_CLASS>>(
                           timing, static_cast<std::uint32_t>(info.parameter("NumReadPorts")),
                           static_cast<std::uint32_t>(info.parameter("NumWritePorts")),
                           static_cast<std::uint32_t>(info.parameter("PortWidth") / 8)),
                       info);
  const Workload work = make_workload(info);
  load(device, work);
  load(bare, work);

  Speed device_speed;
  Speed bare_speed;
  run_once(device, work, device_speed);  // warms up
  run_once(bare, work, bare_speed);
  if (device_speed.last.counters != bare_speed.last.counters) {
    bittern::fail("the SystemC device and the bare loop differ: {} and {} cycles",
                  device_speed.last.cycles, bare_speed.last.cycles);
  }
  device_speed = bare_speed = {};
  while (device_speed.seconds + bare_speed.seconds < 2 * seconds) {
    run_once(device, work, device_speed);
    run_once(bare, work, bare_speed);
  }

  const double macs =
      static_cast<double>(info.parameter("Dm")) * info.parameter("Dk") * info.parameter("Dn") / 64;
  const double device_rate = device_speed.cycles / device_speed.seconds;
  const double bare_rate = bare_speed.cycles / bare_speed.seconds;
  std::printf("%-14s %-10s %12s %12s\n", "variant", "simulator", "kcycles/s", "M MAC/s");
  std::printf("%-14s %-10s %12.1f %12.1f\n", info.variant.c_str(), "systemc", device_rate / 1e3,
              device_speed.busy * macs / device_speed.seconds / 1e6);
  std::printf("%-14s %-10s %12.1f %12.1f\n", info.variant.c_str(), "bare --cc", bare_rate / 1e3,
              bare_speed.busy * macs / bare_speed.seconds / 1e6);
  std::printf("%-14s ratio %.3f (wanted: 0.8 or more), array busy %.1f %% of %llu cycles\n",
              info.variant.c_str(), device_rate / bare_rate,
              100.0 * device_speed.busy / device_speed.cycles,
              static_cast<unsigned long long>(device_speed.last.cycles));
  run_lenet(device, variant);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 3.0;
    run(seconds > 0 ? seconds : 3.0);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sim_bench: %s\n", error.what());
    return 1;
  }
}
