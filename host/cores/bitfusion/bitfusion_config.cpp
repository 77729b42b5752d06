#include "host/cores/bitfusion/bitfusion_config.h"

#include <string>

#include "host/base/error.h"

namespace bittern {
namespace {

int power_of_two(const Variant& variant, const std::string& key, std::int64_t low,
                 std::int64_t high) {
  const std::int64_t value = variant.parameter(key);
  if (value < low || value > high || (value & (value - 1)) != 0) {
    fail_usage("variant {}: rtl.{} is {}, expected a power of two from {} to {}; correct {}",
               variant.name, key, value, low, high,
               variant.file.empty() ? "the variant" : variant.file.string());
  }
  return static_cast<int>(value);
}

}  // namespace

BitFusionConfig BitFusionConfig::from(const Variant& variant) {
  BitFusionConfig config;
  config.n = power_of_two(variant, "N", 1, 256);
  config.m = power_of_two(variant, "M", 1, 256);
  config.ibuf_depth = power_of_two(variant, "IbufDepth", 2, 1 << 16);
  config.wbuf_depth = power_of_two(variant, "WbufDepth", 2, 1 << 16);
  config.obuf_depth = power_of_two(variant, "ObufDepth", 2, 1 << 16);
  config.lanes = power_of_two(variant, "FetchLanes", 1, 64);
  config.write_ports = power_of_two(variant, "NumWritePorts", 1, 64);
  config.port_width = power_of_two(variant, "PortWidth", 64, 256);
  config.max_burst_beats = power_of_two(variant, "MaxBurstBeats", 1, 256);
  config.memory = variant.memory;

  const std::int64_t read_ports = variant.parameter("NumReadPorts");
  if (read_ports != config.lanes && read_ports != 2 * config.lanes) {
    fail_usage(
        "variant {}: rtl.NumReadPorts is {}, expected FetchLanes = {} (one fetch group) or {} "
        "(two)",
        variant.name, read_ports, config.lanes, 2 * config.lanes);
  }
  config.split_fetch = read_ports == 2 * config.lanes;
  const std::int64_t group_bits = std::int64_t{config.lanes} * config.port_width;
  if (std::int64_t{config.n} * 32 < group_bits) {
    fail_usage(
        "variant {}: a word of the input buffer has N * 32 = {} bits, expected at least FetchLanes "
        "* PortWidth = {}",
        variant.name, config.n * 32, group_bits);
  }
  const std::int64_t write_bits = std::int64_t{config.write_ports} * config.port_width;
  if (std::int64_t{config.m} * 32 < write_bits) {
    fail_usage(
        "variant {}: a word of the output buffer has M * 32 = {} bits, expected at least "
        "NumWritePorts * PortWidth = {}",
        variant.name, config.m * 32, write_bits);
  }
  if (config.max_burst_beats * config.port_bytes() > 4096) {
    fail_usage("variant {}: rtl.MaxBurstBeats is {}, expected at most 4096 bytes a burst",
               variant.name, config.max_burst_beats);
  }
  config.results = ResultOptions::of(variant, config.m);
  const std::int64_t pack = variant.lowering_choice("depthwise_pack", 1);
  if (pack < 1 || pack > 4096) {
    fail_usage("variant {}: lowering.depthwise_pack is {}, expected 1 to 4096", variant.name, pack);
  }
  config.depthwise_pack = static_cast<int>(pack);
  return config;
}

BitFusionConfig BitFusionConfig::for_results(int bits) const {
  BitFusionConfig config = *this;
  config.result_bits = bits;
  return config;
}

BitFusionMachine BitFusionConfig::machine() const {
  BitFusionMachine machine;
  machine.n = n;
  machine.m = m;
  machine.result_bits = result_bits;
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
