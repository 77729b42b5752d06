#include "host/program/bismo_config.h"

#include <string>
#include <utility>

#include "host/base/error.h"

namespace bittern {
namespace {

int checked(const Variant& variant, const std::string& key, std::int64_t low, std::int64_t high) {
  const std::int64_t value = variant.parameter(key);
  if (value < low || value > high) {
    fail_usage("variant {}: rtl.{} is {}, expected {} to {}; correct {}", variant.name, key, value,
               low, high, variant.file.empty() ? "the variant" : variant.file.string());
  }
  return static_cast<int>(value);
}

}  // namespace

BismoConfig BismoConfig::from(const Variant& variant) {
  BismoConfig config;
  config.dm = checked(variant, "Dm", 2, 256);
  config.dn = checked(variant, "Dn", 2, 256);
  config.dk = checked(variant, "Dk", 64, 4096);
  config.lhs_depth = checked(variant, "LhsDepth", 8, 1 << 16);
  config.rhs_depth = checked(variant, "RhsDepth", 8, 1 << 16);
  config.port_width = checked(variant, "PortWidth", 64, 256);
  config.write_ports = checked(variant, "NumWritePorts", 1, 64);
  for (const auto& [key, value] : {std::pair("Dm", config.dm), std::pair("Dn", config.dn),
                                   std::pair("NumWritePorts", config.write_ports)}) {
    if ((value & (value - 1)) != 0) {
      fail_usage("variant {}: rtl.{} is {}, expected a power of two", variant.name, key, value);
    }
  }
  config.max_burst_beats = checked(variant, "MaxBurstBeats", 1, 256);
  const int read_ports = checked(variant, "NumReadPorts", 1, 64);
  config.memory = variant.memory;

  if (config.port_width != 64 && config.port_width != 256) {
    fail_usage("variant {}: rtl.PortWidth is {}, expected 64 or 256", variant.name,
               config.port_width);
  }
  if (config.dk % config.port_width != 0) {
    fail_usage("variant {}: rtl.Dk is {}, expected a multiple of rtl.PortWidth ({})", variant.name,
               config.dk, config.port_width);
  }
  config.lanes = config.dk / config.port_width;
  if (read_ports != config.lanes && read_ports != 2 * config.lanes) {
    fail_usage(
        "variant {}: rtl.NumReadPorts is {}, expected Dk / PortWidth = {} (one fetch group) or {} "
        "(two)",
        variant.name, read_ports, config.lanes, 2 * config.lanes);
  }
  config.split_fetch = read_ports == 2 * config.lanes;
  if ((config.dm * config.dn * 32) % (config.port_width * config.write_ports) != 0) {
    fail_usage(
        "variant {}: a result tile of {} x {} x 32 bits is no whole number of beats of {} write "
        "ports of {} bits; change rtl.NumWritePorts",
        variant.name, config.dm, config.dn, config.write_ports, config.port_width);
  }
  if ((config.max_burst_beats & (config.max_burst_beats - 1)) != 0 ||
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
  return config;
}

BismoMachine BismoConfig::machine() const {
  BismoMachine machine;
  machine.dm = dm;
  machine.dk = dk;
  machine.dn = dn;
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
