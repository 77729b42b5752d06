#include "host/cores/matrix/matrix_config.h"

#include <algorithm>

#include "host/base/error.h"

namespace bittern {
namespace {

/// Banks that a FETCH of the Stripes core can name.
constexpr int kMostBanks = 256;

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

void read_ports(const Variant& variant, int fetch_lanes, GemmConfig& config) {
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

GemmConfig GemmConfig::staggered(int count, bool in_cascade) const {
  GemmConfig config = *this;
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

GemmConfig GemmConfig::for_results(int bits) const {
  GemmConfig config = *this;
  config.result_bits = bits;
  return config;
}

GemmMachine GemmConfig::machine(const BitPair& bits) const {
  GemmMachine machine;
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

GemmConfig bismo_config(const Variant& variant) {
  GemmConfig config;
  config.core = "BISMO";
  config.lhs.rows = config.lhs.words = checked_parameter(variant, "Dm", 2, 256);
  config.rhs.rows = config.rhs.words = checked_parameter(variant, "Dn", 2, 256);
  config.k_elements = checked_parameter(variant, "Dk", 64, 4096);
  config.lhs.depth = checked_parameter(variant, "LhsDepth", 8, 1 << 16);
  config.rhs.depth = checked_parameter(variant, "RhsDepth", 8, 1 << 16);
  config.tile_units = config.lhs.rows * config.rhs.rows;
  // rtl/bismo/bismo_core.sv: 4 + PopStages
  config.step_to_tile = 6;
  for (const char* key : {"Dm", "Dn"}) {
    if (!power_of_two(variant.parameter(key))) {
      fail_usage("variant {}: rtl.{} is {}, expected a power of two", variant.name, key,
                 variant.parameter(key));
    }
  }
  const int port_width = checked_parameter(variant, "PortWidth", 64, 256);
  if (config.k_elements % port_width != 0) {
    fail_usage("variant {}: rtl.Dk is {}, expected a multiple of rtl.PortWidth ({})", variant.name,
               config.k_elements, port_width);
  }
  read_ports(variant, config.k_elements / port_width, config);
  return config;
}

GemmConfig stripes_config(const Variant& variant) {
  GemmConfig config;
  config.core = "Stripes";
  const int filters =
      checked_parameter(variant, "Rows", 1, 256) * checked_parameter(variant, "Tiles", 1, 64);
  const int columns = checked_parameter(variant, "Columns", 2, 256);
  const int serial = checked_parameter(variant, "Serial", 0, 2);
  const int fetch_lanes = checked_parameter(variant, "FetchLanes", 1, 16);
  config.max_bits = checked_parameter(variant, "MaxBits", 8, 16);
  config.k_elements = checked_parameter(variant, "Lanes", 8, 256);
  config.bricks = true;
  config.tile_units = columns * filters;
  read_ports(variant, fetch_lanes, config);
  if (!power_of_two(filters) || filters < 2 || !power_of_two(columns)) {
    fail_usage(
        "variant {}: {} columns and {} filters (rtl.Rows * rtl.Tiles), expected powers of "
        "two of at least 2",
        variant.name, columns, filters);
  }
  if (!power_of_two(config.max_bits)) {
    fail_usage("variant {}: rtl.MaxBits is {}, expected 8 or 16", variant.name, config.max_bits);
  }
  if (!power_of_two(config.k_elements) || config.k_elements > config.port_width) {
    fail_usage("variant {}: rtl.Lanes is {}, expected a power of two up to rtl.PortWidth ({})",
               variant.name, config.k_elements, config.port_width);
  }
  const int word = fetch_lanes * config.port_width;
  const auto operand = [&](GemmOperand& side, int rows, const char* depth, int most,
                           bool parallel) {
    side.rows = rows;
    // A brick of a serial operand takes an address for each bit, one of staggered columns likewise.
    side.depth = checked_parameter(variant, depth, config.max_bits, most);
    side.parallel = parallel;
    const int plane = rows * config.k_elements;
    if ((parallel ? config.max_bits * plane : plane) % word != 0) {
      fail_usage(
          "variant {}: {} of {} rows of {} lanes {} no whole number of words of {} bits "
          "(rtl.FetchLanes * rtl.PortWidth)",
          variant.name, parallel ? std::to_string(config.max_bits) + " bit planes" : "a bit plane",
          rows, config.k_elements, parallel ? "are" : "is", word);
    }
    side.words = std::max(1, plane / word);
    side.word_planes = std::max(1, word / plane);
    if (side.banks(config.max_bits) > kMostBanks) {
      fail_usage(
          "variant {}: {} of the {} banks that a FETCH can name are needed; make "
          "rtl.FetchLanes larger",
          variant.name, side.banks(config.max_bits), kMostBanks);
    }
  };
  operand(config.lhs, columns, "LhsDepth", 1 << 17, serial == 1);
  operand(config.rhs, filters, "RhsDepth", 1 << 16, serial == 0);
  config.max_columns = serial == 0 ? columns : 1;
  config.max_exec_tiles = 1u << 13;
  config.max_exec_words = 1 << 11;
  // rtl/stripes/stripes_core.sv
  config.step_to_tile = 8;
  config.slot_before_brick = true;
  config.counts_reads = true;
  return config;
}

}  // namespace bittern
