#pragma once

#include <cstdint>
#include <string>

#include "sim/port_memory.h"

namespace bittern::sim {

/// Bits of the pins command_i and response_o of sim_top; see sim/rtl/sim_reg_bridge.sv.
namespace pins {
inline constexpr unsigned kAddressLsb = 32;
inline constexpr unsigned kStrobesLsb = 44;
inline constexpr std::uint64_t kWrite = std::uint64_t{1} << 48;
inline constexpr std::uint64_t kRequest = std::uint64_t{1} << 49;
inline constexpr std::uint64_t kHoldAddress = std::uint64_t{1} << 50;
inline constexpr std::uint64_t kHoldData = std::uint64_t{1} << 51;
inline constexpr std::uint64_t kError = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kAnswered = std::uint64_t{1} << 33;
inline constexpr std::uint64_t kIrq = std::uint64_t{1} << 34;
}  // namespace pins

/// A Verilated sim_top with its clock and memory. Time stands still except in clock().
class SimTop {
 public:
  virtual ~SimTop() = default;

  /// Runs at most `cycles` clock cycles. Stops after the first cycle that ends with
  /// (response & mask) == value, or in which an AXI rule was broken. Returns the cycles that were
  /// run. Throws Error when the RTL itself stops ($fatal, failed assertion); it has to be reset
  /// then.
  virtual std::uint64_t clock(std::uint64_t cycles, std::uint64_t mask, std::uint64_t value) = 0;

  /// Pins; they take effect with the next cycle.
  virtual void set_command(std::uint64_t command) = 0;
  virtual void set_reset(bool active) = 0;
  /// Value of response_o after the last cycle.
  virtual std::uint64_t response() const = 0;

  /// Writes an FST file with all signals from now until stop_trace(). Throws Error when the file
  /// cannot be written.
  virtual void start_trace(const std::string& path) = 0;
  virtual void stop_trace() = 0;

  virtual PortMemory& memory() = 0;
};

}  // namespace bittern::sim
