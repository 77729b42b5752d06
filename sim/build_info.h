#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "sim/sim_top.h"

namespace bittern::sim {

/// What a device executable was built from: one variant, one state of the RTL.
struct BuildInfo {
  std::string variant;
  std::string core;
  std::map<std::string, std::int64_t> parameters;  ///< SystemVerilog parameters by their RTL names
  std::string rtl_hash;   ///< SHA-256 over RTL, parameters, tool and flags, hexadecimal
  std::string verilator;  ///< version and flags
  bool axi_checks = false;

  /// Parameter `name`; throws Error when the variant has none.
  std::int64_t parameter(const std::string& name) const;
};

/// The variant that this executable was built for; defined by the file that CMake makes from
/// sim/variant.cpp.in.
const BuildInfo& build_info();
/// Its SystemC testbench. Once a process.
std::unique_ptr<SimTop> make_systemc_top(const MemoryTiming& timing, double clock_mhz);

}  // namespace bittern::sim
