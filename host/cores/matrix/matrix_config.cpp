#include "host/cores/matrix/matrix_config.h"

#include <algorithm>

#include "host/base/error.h"

namespace bittern {
namespace {

bool power_of_two(std::int64_t value) { return value > 0 && (value & (value - 1)) == 0; }

}  // namespace

int checked_parameter(const Variant& variant, const std::string& key, std::int64_t low,
                      std::int64_t high) {
  const std::int64_t value = variant.parameter(key);
  if (value < low || value > high) {
    fail_usage("variant {}: rtl.{} is {}, expected {} to {}; correct {}", variant.name, key, value,
               low, high, variant.file.empty() ? "the variant" : variant.file.string());
  }
  return static_cast<int>(value);
}

void read_ports(const Variant& variant, int fetch_lanes, MatrixConfig& config) {
  config.port_width = checked_parameter(variant, "PortWidth", 64, 256);
  config.write_ports = checked_parameter(variant, "NumWritePorts", 1, 64);
  config.max_burst_beats = checked_parameter(variant, "MaxBurstBeats", 1, 256);
  const int read_ports = checked_parameter(variant, "NumReadPorts", 1, 64);
  config.memory = variant.memory;
  config.lanes = fetch_lanes;
  config.split_fetch = read_ports == 2 * fetch_lanes;
  if (!power_of_two(config.write_ports)) {
    fail_usage("variant {}: rtl.NumWritePorts is {}, expected a power of two", variant.name,
               config.write_ports);
  }
  if (config.port_width != 64 && config.port_width != 256) {
    fail_usage("variant {}: rtl.PortWidth is {}, expected 64 or 256", variant.name,
               config.port_width);
  }
  if (read_ports != fetch_lanes && read_ports != 2 * fetch_lanes) {
    fail_usage("variant {}: rtl.NumReadPorts is {}, expected {} (one fetch group) or {} (two)",
               variant.name, read_ports, fetch_lanes, 2 * fetch_lanes);
  }
  if ((config.tile_units * 32) % (config.port_width * config.write_ports) != 0) {
    fail_usage(
        "variant {}: a result tile of {} x 32 bits is no whole number of beats of {} write ports "
        "of {} bits; change rtl.NumWritePorts",
        variant.name, config.tile_units, config.write_ports, config.port_width);
  }
  config.results = ResultOptions::of(variant, config.tile_units);
  if (!power_of_two(config.max_burst_beats) ||
      config.max_burst_beats * config.port_bytes() > 4096) {
    fail_usage(
        "variant {}: rtl.MaxBurstBeats is {}, expected a power of two with at most 4096 bytes a "
        "burst",
        variant.name, config.max_burst_beats);
  }
  const std::int64_t pack = variant.lowering_choice("depthwise_pack", 1);
  if (pack < 1 || pack > 4096) {
    fail_usage("variant {}: lowering.depthwise_pack is {}, expected 1 to 4096", variant.name, pack);
  }
  config.depthwise_pack = static_cast<int>(pack);
  config.by_image = variant.lowering_choice("by_image", 0) != 0;
}

MatrixConfig MatrixConfig::staggered(int count, bool in_cascade) const {
  MatrixConfig config = *this;
  if (count == 1) return config;
  config.columns = count;
  config.cascade = in_cascade;
  config.lhs.rows = 1;
  config.rhs.copies = count;
  if (in_cascade) {
    config.lhs.parts = config.rhs.parts = count;
  } else {
    config.rhs.rows = count * rhs.rows;
  }
  return config;
}

MatrixConfig MatrixConfig::for_results(int bits) const {
  MatrixConfig config = *this;
  config.result_bits = bits;
  return config;
}

MatrixMachine MatrixConfig::machine(const BitPair& bits) const {
  MatrixMachine machine;
  machine.core = core;
  machine.lhs_serial = !lhs.parallel;
  machine.rhs_serial = !rhs.parallel;
  machine.tile_bits = tile_units * result_bits;
  machine.columns = columns;
  machine.step_to_tile = step_to_tile + (cascade ? 1 : 0);
  machine.slot_before_brick = slot_before_brick;
  machine.counts_reads = counts_reads;
  machine.planes = max_bits;
  // rtl/stripes/stripes_serialiser.sv
  if (serialises(lhs)) machine.lhs_fill_delay = bits.activation;
  if (serialises(rhs)) machine.rhs_fill_delay = bits.weight;
  machine.lanes = lanes;
  machine.split_fetch = split_fetch;
  machine.write_ports = write_ports;
  machine.port_width = port_width;
  machine.max_burst_beats = max_burst_beats;
  machine.memory_latency = memory.latency_cycles;
  machine.memory_bytes_per_cycle = memory.bytes_per_cycle;
  machine.memory_outstanding = memory.outstanding;
  return machine;
}

}  // namespace bittern
