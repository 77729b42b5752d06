#pragma once

#include <cstdint>

#include "tests/sim/device_fixture.h"

/// Instructions of the probe core (tests/sim/rtl/probe_pkg.sv).
namespace bittern::sim::probe {

inline Instruction end() { return {0, 0}; }
inline Instruction play() { return {2, 0}; }
inline Instruction count(std::uint32_t cycles) {
  return {3 | static_cast<std::uint64_t>(cycles) << 32, 0};
}
inline Instruction hang() { return {4, 0}; }
inline Instruction fault(std::uint32_t code) { return {5 | code << 8, 0}; }
inline Instruction fail_assertion() { return {6, 0}; }

/// One line of a script: the pins of the core for `cycles` cycles.
struct Line {
  bool arvalid = false;
  bool rready = true;
  bool awvalid = false;
  bool wvalid = false;
  bool wlast = false;
  bool bready = true;
  std::uint32_t length = 0;  // beats - 1
  std::uint32_t address = 0;
  std::uint64_t data = 0;
  std::uint32_t cycles = 1;

  Instruction encode() const {
    std::uint64_t low = 1 | std::uint64_t{cycles - 1} << 8;
    low |=
        std::uint64_t{arvalid} << 16 | std::uint64_t{rready} << 17 | std::uint64_t{awvalid} << 18;
    low |= std::uint64_t{wvalid} << 19 | std::uint64_t{wlast} << 20 | std::uint64_t{bready} << 21;
    return {low | std::uint64_t{length} << 24 | std::uint64_t{address} << 32, data};
  }
};

/// A program that plays `lines`.
inline std::vector<Instruction> script(const std::vector<Line>& lines) {
  std::vector<Instruction> program;
  for (const Line& line : lines) {
    program.push_back(line.encode());
  }
  program.push_back(play());
  program.push_back(end());
  return program;
}

}  // namespace bittern::sim::probe
