#include "host/cores/bitfusion/bitfusion_config.h"

#include "host/base/error.h"

namespace bittern {
namespace {

void check_together(const Variant& variant) {
  const std::int64_t n = variant.parameter("N");
  const std::int64_t lanes = variant.parameter("FetchLanes");
  const std::int64_t fetch = lanes * variant.parameter("PortWidth");
  if (n * 32 % fetch != 0) {
    fail_usage(
        "a word of the input buffer (N*32 = {} bits) must be a whole number of fetch words "
        "(FetchLanes*PortWidth = {} bits): make N larger, or FetchLanes smaller",
        n * 32, fetch);
  }
  check_read_ports(variant, "FetchLanes", lanes, "activations and weights");
  check_results(variant, "an output word", "M", variant.parameter("M"));
}

}  // namespace

VariantRules bitfusion_rules() {
  return {"bitfusion",
          {{"N", 2, 64, true},
           {"M", 2, 64, true},
           {"IbufDepth", 2, 65536, true},
           {"WbufDepth", 2, 65536, true},
           {"ObufDepth", 4, 65536, true},
           {"FetchLanes", 1, 16, true},
           {"MinResultBits", 2, 32, true, true}},
          check_together};
}

BitFusionConfig BitFusionConfig::from(const Variant& variant) {
  BitFusionConfig config;
  config.n = variant.size("N");
  config.m = variant.size("M");
  config.ibuf_depth = variant.size("IbufDepth");
  config.wbuf_depth = variant.size("WbufDepth");
  config.obuf_depth = variant.size("ObufDepth");
  config.lanes = variant.size("FetchLanes");
  config.write_ports = variant.size("NumWritePorts");
  config.port_width = variant.size("PortWidth");
  config.max_burst_beats = variant.size("MaxBurstBeats");
  config.memory = variant.memory;
  config.split_fetch = variant.size("NumReadPorts") == 2 * config.lanes;
  config.results = ResultOptions::of(variant);
  config.depthwise_pack = static_cast<int>(variant.lowering_choice("depthwise_pack", 1));
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
