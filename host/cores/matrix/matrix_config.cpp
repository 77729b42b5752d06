#include "host/cores/matrix/matrix_config.h"

namespace bittern {
void read_ports(const Variant& variant, int fetch_lanes, MatrixConfig& config) {
  config.port_width = variant.size("PortWidth");
  config.write_ports = variant.size("NumWritePorts");
  config.max_burst_beats = variant.size("MaxBurstBeats");
  config.memory = variant.memory;
  config.lanes = fetch_lanes;
  config.split_fetch = variant.size("NumReadPorts") == 2 * fetch_lanes;
  config.results = ResultOptions::of(variant);
  config.depthwise_pack = static_cast<int>(variant.lowering_choice("depthwise_pack", 1));
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
