#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "host/variant/rules.h"

namespace bittern {

/// Memory system behind the AXI ports of a device. Cycles are those of the variant's clock.
struct MemoryConfig {
  std::uint64_t size_bytes = 0;
  int latency_cycles = 16;  ///< read request accepted to first beat; last write beat to response
  int bytes_per_cycle = 8;  ///< of each data port; need not divide a beat (sim/port_memory.h)
  int outstanding = 8;      ///< bursts that a port may have in flight
};

/// What scripts/synth.sh maps a variant to. Nothing here changes a measurement.
struct Synthesis {
  std::string family;                          ///< yosys family: "xc7", "xcup"
  std::string part;                            ///< for people, for example "Zynq-7020"
  std::map<std::string, std::int64_t> budget;  ///< LUT, FF, BRAM36, DSP of the part
};

/// A core with its parameters, memory system and clock: one file configs/variants/<name>.yaml.
struct Variant {
  std::string name;
  std::string core;  ///< "bismo", "stripes" or "bitfusion"
  std::string description;
  double clock_mhz = 200.0;
  int batch = 1;
  std::map<std::string, std::int64_t> rtl;  ///< SystemVerilog parameters, by their RTL names
  MemoryConfig memory;
  std::map<std::string, std::int64_t>
      lowering;                ///< choices of the host, for example depthwise_pack
  std::string energy;          ///< name of the energy table, configs/energy/<name>.yaml
  bool axi_checks = false;     ///< AXI rule checks are compiled into the device
  Synthesis synthesis;         ///< empty family: the variant does not say
  std::filesystem::path file;  ///< where it was read from

  /// RTL parameter `key`; throws Error naming the variant when it has none.
  std::int64_t parameter(const std::string& key) const;
  /// The same for parameters that count something, which are small.
  int size(const std::string& key) const { return static_cast<int>(parameter(key)); }
  /// Lowering choice `key`, or `fallback` when the variant does not say.
  std::int64_t lowering_choice(const std::string& key, std::int64_t fallback) const;
  /// Seconds of `cycles` at the variant's clock.
  double seconds(std::uint64_t cycles) const {
    return static_cast<double>(cycles) / (clock_mhz * 1e6);
  }
  /// Canonical text of everything that changes cycles (core, rtl, memory, batch, lowering); part of
  /// measurement keys.
  std::string key() const;
};

/// Reads configs/variants/<name>.yaml, or a file when `name_or_path` ends in .yaml; its core is one
/// of `cores`. Strict, errors carry file and line. load_variant() of host/cores knows all cores.
Variant read_variant(const std::string& name_or_path, const std::vector<VariantRules>& cores);

/// Names of all variants in configs/variants, sorted.
std::vector<std::string> variant_names();

}  // namespace bittern
