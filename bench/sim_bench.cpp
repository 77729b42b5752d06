// Simulation speed of one variant: the SystemC device against a bare Verilator --cc loop over the
// same sim_top and memory, in one process, in turns, on a layer that keeps the array busy. Prints
// simulated cycles/s, MAC/s at 8 x 8 bits and the ratio; then the time of a whole network at 8 x 8
// bits, every layer, outputs checked: MobileNet-V1 for the edge variants, LeNet for the others.
// Seconds are of processor time, so that other work on the machine does not count.
//
//     sim_bench_<variant> [seconds for each, default 3]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include BITTERN_BARE_HEADER

#include "bench/bare_top.h"
#include "host/base/error.h"
#include "host/cores/cores.h"
#include "host/network/network.h"
#include "host/run/layer_run.h"
#include "host/run/measurer.h"
#include "host/variant/variant.h"
#include "sim/build_info.h"
#include "sim/simulated_device.h"

namespace {

using bittern::Core;
using bittern::Layer;
using bittern::PreparedLayer;
using bittern::RunResult;
using bittern::RunStatus;
using bittern::Variant;
using bittern::sim::BuildInfo;
using bittern::sim::SimulatedDevice;

constexpr bittern::BitPair kBits = {8, 8};

/// A 1x1 convolution whose reduction is long and whose outputs are few: bound by the array on every
/// variant, for about 400 000 cycles.
Layer busy_layer(const Core& core) {
  const double macs_per_cycle = core.peak_macs_per_cycle(kBits);
  Layer layer;
  layer.name = "busy";
  layer.in_channels = 1024;
  layer.out_channels = std::clamp(static_cast<int>(macs_per_cycle) / 16 * 16, 16, 512);
  const double pixels = macs_per_cycle * 400000 / (layer.in_channels * layer.out_channels);
  layer.in_height = layer.in_width = std::max(1, static_cast<int>(std::lround(std::sqrt(pixels))));
  return layer;
}

PreparedLayer prepare(const Core& core, const Variant& variant, const Layer& layer) {
  return bittern::prepare_layer(
      core, bittern::plan_layer(core, bittern::network_job(core, variant, layer, kBits)));
}

void load(SimulatedDevice& device, const PreparedLayer& layer) {
  for (const bittern::MemorySegment& segment : layer.program.segments) {
    device.write_memory(segment.address, segment.bytes);
  }
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Runs a layer that is in memory; throws Error unless it ends as it should. Returns seconds.
double run_layer(SimulatedDevice& device, const PreparedLayer& layer, RunResult& result) {
  const double start = processor_seconds();
  result = device.run(bittern::run_request(layer), nullptr);
  const double seconds = processor_seconds() - start;
  if (result.status != RunStatus::kDone) {
    bittern::fail("layer {}: status {}, error code {}, after {} cycles",
                  layer.planned.job.layer.name, static_cast<int>(result.status), result.error_code,
                  result.cycles);
  }
  return seconds;
}

void check_outputs(SimulatedDevice& device, const Core& core, const PreparedLayer& layer) {
  std::vector<std::uint8_t> bytes(layer.program.result_bytes);
  device.read_memory(layer.program.result_address, bytes);
  if (core.unpack(*layer.planned.plan, bytes) != layer.expected) {
    bittern::fail("layer {}: outputs differ from the integer reference",
                  layer.planned.job.layer.name);
  }
}

bittern::sim::MemoryTiming memory_timing(const Variant& variant) {
  bittern::sim::MemoryTiming timing;
  timing.size_bytes = variant.memory.size_bytes;
  timing.latency = static_cast<std::uint32_t>(variant.memory.latency_cycles);
  timing.bytes_per_cycle = static_cast<std::uint32_t>(variant.memory.bytes_per_cycle);
  timing.outstanding = static_cast<std::uint32_t>(variant.memory.outstanding);
  return timing;
}

struct Speed {
  double seconds = 0;
  std::uint64_t cycles = 0;
  int runs = 0;
  RunResult last;

  void run(SimulatedDevice& device, const PreparedLayer& layer) {
    seconds += run_layer(device, layer, last);
    cycles += last.cycles;
    ++runs;
  }
};

void compare_speeds(SimulatedDevice& device, SimulatedDevice& bare, const Core& core,
                    const Variant& variant, double seconds) {
  const PreparedLayer layer = prepare(core, variant, busy_layer(core));
  load(device, layer);
  load(bare, layer);
  Speed device_speed;
  Speed bare_speed;
  device_speed.run(device, layer);  // warms up
  bare_speed.run(bare, layer);
  check_outputs(device, core, layer);
  if (device_speed.last.counters != bare_speed.last.counters) {
    bittern::fail("the SystemC device and the bare loop differ: {} and {} cycles",
                  device_speed.last.cycles, bare_speed.last.cycles);
  }
  device_speed = bare_speed = {};
  while (device_speed.seconds + bare_speed.seconds < 2 * seconds) {
    device_speed.run(device, layer);
    bare_speed.run(bare, layer);
  }

  const double macs = static_cast<double>(layer.planned.job.layer.macs()) * variant.batch;
  const std::vector<std::string> counters = bittern::counter_names(variant);
  const auto busy = std::find(counters.begin(), counters.end(), core.cycle_split().front().second);
  const std::uint64_t busy_cycles = device_speed.last.counters.at(busy - counters.begin() + 1);
  std::printf("%-16s %-10s %12s %12s\n", "variant", "simulator", "kcycles/s", "M MAC/s");
  for (const auto& [name, speed] :
       {std::pair<const char*, const Speed&>("systemc", device_speed),
        std::pair<const char*, const Speed&>("bare --cc", bare_speed)}) {
    std::printf("%-16s %-10s %12.1f %12.1f\n", variant.name.c_str(), name,
                speed.cycles / speed.seconds / 1e3, macs * speed.runs / speed.seconds / 1e6);
  }
  std::printf(
      "%-16s ratio %.3f (wanted: 0.8 or more), array busy %.1f %% of %llu cycles\n",
      variant.name.c_str(),
      device_speed.cycles / device_speed.seconds /
          (static_cast<double>(bare_speed.cycles) / bare_speed.seconds),
      100.0 * static_cast<double>(busy_cycles) / static_cast<double>(device_speed.last.cycles),
      static_cast<unsigned long long>(device_speed.last.cycles));
}

/// Every layer of a network as `bittern measure` runs it, on the device in this process. Layers of
/// one shape are run once, as there, and counted as often as they occur.
void run_network(SimulatedDevice& device, const Core& core, const Variant& variant,
                 const std::string& name) {
  struct Cost {
    double host = 0;
    double simulation = 0;
    std::uint64_t cycles = 0;
  };
  const bittern::Network network = bittern::load_network(name);
  std::map<std::string, Cost> shapes;
  Cost all;
  Cost once;
  for (const Layer& layer : network.layers) {
    const bittern::LayerJob job = bittern::network_job(core, variant, layer, kBits);
    const std::string key = layer.key() + (job.precision.activation_signed ? " signed" : "");
    const auto [shape, fresh] = shapes.try_emplace(key);
    Cost& cost = shape->second;
    if (fresh) {
      const double start = processor_seconds();
      const PreparedLayer prepared = prepare(core, variant, layer);
      load(device, prepared);
      cost.host = processor_seconds() - start;
      RunResult result;
      cost.simulation = run_layer(device, prepared, result);
      cost.cycles = result.cycles;
      const double read = processor_seconds();
      check_outputs(device, core, prepared);
      cost.host += processor_seconds() - read;
      once.host += cost.host;
      once.simulation += cost.simulation;
    }
    all.host += cost.host;
    all.simulation += cost.simulation;
    all.cycles += cost.cycles;
  }
  std::printf(
      "%-16s %s 8/8, batch %d: %.2f s of simulation and %.2f s of host for its %zu layers\n"
      "%-16s (%.2f s and %.2f s for the %zu shapes), %llu cycles, %.1f M MAC/s\n",
      variant.name.c_str(), name.c_str(), variant.batch, all.simulation, all.host,
      network.layers.size(), "", once.simulation, once.host, shapes.size(),
      static_cast<unsigned long long>(all.cycles),
      static_cast<double>(network.macs()) * variant.batch / all.simulation / 1e6);
}

void run(double seconds) {
  const BuildInfo& info = bittern::sim::build_info();
  const Variant variant = bittern::load_variant(info.variant);
  const std::unique_ptr<Core> core = bittern::make_core(variant);
  const bittern::sim::MemoryTiming timing = memory_timing(variant);
  SimulatedDevice device(bittern::sim::make_systemc_top(timing, variant.clock_mhz), info);
  SimulatedDevice bare(std::make_unique<bittern::sim::BareTop<BITTERN_BARE_CLASS>>(
                           timing, static_cast<std::uint32_t>(info.parameter("NumReadPorts")),
                           static_cast<std::uint32_t>(info.parameter("NumWritePorts")),
                           static_cast<std::uint32_t>(info.parameter("PortWidth") / 8)),
                       info);
  compare_speeds(device, bare, *core, variant, seconds);
  const std::string edge = "_edge";
  const bool is_edge =
      variant.name.size() > edge.size() &&
      variant.name.compare(variant.name.size() - edge.size(), edge.size(), edge) == 0;
  run_network(device, *core, variant, "lenet");
  if (is_edge) run_network(device, *core, variant, "mobilenet_v1");
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
