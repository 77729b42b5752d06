#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/variant/variant.h"

namespace bittern {

/// How sure a number is: measured or published as such; derived from published numbers by scaling;
/// calibrated so that a sum meets a published one; an upper bound; an assumption for want of a
/// source.
enum class Basis { kMeasured, kDerived, kCalibrated, kUpperBound, kAssumption };

/// "measured", "derived", "calibrated", "upper_bound" or "assumption".
const char* basis_name(Basis basis);

/// A number with its unit and where it comes from.
struct Sourced {
  double value = 0.0;
  std::string unit;        ///< "pJ", "pJ/bit" or "W"
  std::string technology;  ///< for example "28 nm FPGA"
  std::string source;
  Basis basis = Basis::kAssumption;
};

/// Energy of one kind of event of a core: joules = count(event) * product(times) * pJ.
struct EnergyEvent {
  std::string part;   ///< heading in reports, for example "array"
  std::string event;  ///< counter of the register map, or "cycles"
  /// RTL parameters of the variant (or plain integers) that multiply the count: one exec_run cycle
  /// reads Dm words of Dk bits.
  std::vector<std::string> times;
  /// RTL parameters whose product is the size in bits of the memory that is accessed: the energy a
  /// bit is then looked up in the table's SRAM curve, and `number.value` is not used.
  std::vector<std::string> sram_bits;
  bool sram_write = false;
  Sourced number;
};

/// Energy a bit of an SRAM of a given size.
struct SramPoint {
  std::uint64_t bytes = 0;
  double read_pj_per_bit = 0.0;
  double write_pj_per_bit = 0.0;
};

/// Energy a bit of device memory. A table has two: published values spread by a factor of twenty,
/// so every report shows both.
struct DramAnchor {
  std::string name;
  Sourced number;
};

/// Energy table of a technology: one file configs/energy/<name>.yaml.
struct EnergyTable {
  std::string name;
  std::string description;
  std::string hash;  ///< SHA-256 of the file: part of the fingerprint of whatever uses the table
  std::map<std::string, std::vector<EnergyEvent>> cores;  ///< by core
  std::vector<SramPoint> sram;                            ///< ascending sizes
  Sourced sram_source;
  Sourced static_power;
  std::array<DramAnchor, 2> dram;  ///< the lower one first
};

/// Joules of a part of the hardware.
struct EnergyPart {
  std::string part;
  double joules = 0.0;
};

/// Energy of one run, for both DRAM anchors.
struct Energy {
  std::vector<EnergyPart> parts;  ///< on chip, in table order; "static" last
  std::array<double, 2> dram_j{};
  double on_chip_j() const;
  double low_j() const { return on_chip_j() + dram_j[0]; }
  double high_j() const { return on_chip_j() + dram_j[1]; }
};

/// What was counted in one run (or predicted for it).
struct RunCounts {
  std::uint64_t cycles = 0;
  std::map<std::string, std::uint64_t> events;  ///< by the names of the register map
  std::uint64_t bytes_read = 0;                 ///< of device memory
  std::uint64_t bytes_written = 0;
};

/// Energy of a run. Throws Error when the table has nothing for the variant's core, names a counter
/// that was not counted or a parameter that the variant does not have, or its SRAM curve does not
/// reach the variant's memories.
Energy energy_of(const RunCounts& counts, const EnergyTable& table, const Variant& variant);

/// Energy a bit of an SRAM of `bytes`, interpolated between the curve's points (straight in a
/// double logarithmic plot). A memory smaller than the first point counts as that point, which is
/// an upper bound for it. Throws Error beyond the last.
double sram_pj_per_bit(const EnergyTable& table, std::uint64_t bytes, bool write);

/// Reads configs/energy/<name>.yaml, or a file when `name_or_path` ends in .yaml. Strict.
EnergyTable load_energy_table(const std::string& name_or_path);

/// Names of the tables in configs/energy, sorted.
std::vector<std::string> energy_table_names();

}  // namespace bittern
