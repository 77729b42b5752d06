// Generated from rtl/shell/register_map.json by scripts/gen_registers.py. Do not edit.
// clang-format off
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bittern::registers {

inline constexpr std::uint32_t kMagicValue = 0x4254524e;
inline constexpr std::uint32_t kMapVersionValue = 1;

/// Constant 0x4254524e ("BTRN"): this is a Bittern shell.
inline constexpr std::uint32_t kMagic = 0x000;
/// Version of this register map.
inline constexpr std::uint32_t kMapVersion = 0x004;
/// Core behind the shell, see core ids.
inline constexpr std::uint32_t kCoreId = 0x008;
/// Number of event counters that the core drives.
inline constexpr std::uint32_t kNumEvents = 0x00c;
/// Low word of the hash of the RTL sources, parameters and tool flags.
inline constexpr std::uint32_t kRtlHashLo = 0x010;
/// High word of the same.
inline constexpr std::uint32_t kRtlHashHi = 0x014;
/// Bit 0 start: run the program (ignored while busy). Bit 1 clear: return to idle, clear done, error and counters (ignored while busy).
inline constexpr std::uint32_t kCtrl = 0x020;
/// Bit 0 busy, bit 1 done (sticky until the next start or clear), bit 2 error.
inline constexpr std::uint32_t kStatus = 0x024;
/// First error of the last run, see error codes; 0 when none.
inline constexpr std::uint32_t kErrorCode = 0x028;
/// Number of instructions that the shell had handed to the core when the error was raised.
inline constexpr std::uint32_t kErrorInfo = 0x02c;
/// Byte address of the program in device memory, a multiple of 16.
inline constexpr std::uint32_t kProgAddr = 0x030;
/// Length of the program in instructions of 128 bits, the closing END included.
inline constexpr std::uint32_t kProgLength = 0x034;
/// Size of device memory in bytes: an access that ends above it is an error. 0 switches the check off.
inline constexpr std::uint32_t kMemLimit = 0x038;
/// First of 16 words with the core's parameters.
inline constexpr std::uint32_t kParameterBase = 0x080;
inline constexpr std::uint32_t kNumParameters = 16;
/// Counters are 64 bits wide, low word first, cleared by start. Index 0 counts cycles from start until done; the rest are the core's events.
inline constexpr std::uint32_t kCounterBase = 0x100;
inline constexpr std::uint32_t kCtrlStart = 1;
inline constexpr std::uint32_t kCtrlClear = 2;
inline constexpr std::uint32_t kStatusBusy = 1;
inline constexpr std::uint32_t kStatusDone = 2;
inline constexpr std::uint32_t kStatusError = 4;

/// Value of register error_code.
enum class ErrorCode : std::uint32_t {
  kNone = 0,  // No error.
  kIllegalInstruction = 1,  // Unknown opcode, reserved bits set, or operands that the core cannot execute.
  kAddressOutOfRange = 2,  // An access would end above mem_limit, or leave the core's buffers.
  kAxiReadError = 3,  // A read answered with SLVERR or DECERR.
  kAxiWriteError = 4,  // A write answered with SLVERR or DECERR.
  kMissingEnd = 5,  // The program was exhausted without an END instruction.
};
/// Name of an error code as in the documentation, "unknown" for a value that has none.
constexpr std::string_view error_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNone:
      return "none";
    case ErrorCode::kIllegalInstruction:
      return "illegal_instruction";
    case ErrorCode::kAddressOutOfRange:
      return "address_out_of_range";
    case ErrorCode::kAxiReadError:
      return "axi_read_error";
    case ErrorCode::kAxiWriteError:
      return "axi_write_error";
    case ErrorCode::kMissingEnd:
      return "missing_end";
  }
  return "unknown";
}

/// Value of register core_id.
enum class CoreId : std::uint32_t {
  kBismo = 1,
  kStripes = 2,
  kBitfusion = 3,
};

/// Events of the bismo core in counter order (counter index = 1 + position);
/// per-port events follow, all ports of one kind together.
inline constexpr std::array<std::string_view, 22> kBismoEvents = {
    "fetch_lhs_run",
    "fetch_lhs_wait_memory",
    "fetch_lhs_wait_token",
    "fetch_rhs_run",
    "fetch_rhs_wait_memory",
    "fetch_rhs_wait_token",
    "exec_run",
    "exec_wait_lhs",
    "exec_wait_rhs",
    "exec_wait_result",
    "result_run",
    "result_wait_memory",
    "result_wait_token",
    "lhs_buffer_writes",
    "rhs_buffer_writes",
    "tiles_emitted",
    "read_beats",
    "write_beats",
    "instr_fetch_lhs",
    "instr_fetch_rhs",
    "instr_exec",
    "instr_result",
};
inline constexpr std::array<std::string_view, 2> kBismoPerPortEvents = {
    "read_port_beats",
    "write_port_beats",
};
inline constexpr std::array<std::string_view, 11> kBismoParameters = {
    "dm",
    "dk",
    "dn",
    "lhs_depth",
    "rhs_depth",
    "num_read_ports",
    "num_write_ports",
    "port_width",
    "max_burst_beats",
    "result_slots",
    "min_result_bits",
};

/// Events of the stripes core in counter order (counter index = 1 + position);
/// per-port events follow, all ports of one kind together.
inline constexpr std::array<std::string_view, 28> kStripesEvents = {
    "fetch_lhs_run",
    "fetch_lhs_wait_memory",
    "fetch_lhs_wait_token",
    "fetch_rhs_run",
    "fetch_rhs_wait_memory",
    "fetch_rhs_wait_token",
    "exec_run",
    "exec_wait_lhs",
    "exec_wait_rhs",
    "exec_wait_result",
    "result_run",
    "result_wait_memory",
    "result_wait_token",
    "lhs_buffer_writes",
    "rhs_buffer_writes",
    "lhs_buffer_reads",
    "rhs_buffer_reads",
    "array_planes",
    "tiles_emitted",
    "read_beats",
    "write_beats",
    "instr_fetch_lhs",
    "instr_fetch_rhs",
    "instr_exec",
    "instr_result",
    "lhs_buffer_upper_reads",
    "rhs_buffer_upper_reads",
    "array_upper_planes",
};
inline constexpr std::array<std::string_view, 2> kStripesPerPortEvents = {
    "read_port_beats",
    "write_port_beats",
};
inline constexpr std::array<std::string_view, 15> kStripesParameters = {
    "rows",
    "columns",
    "tiles",
    "lanes",
    "serial",
    "lhs_depth",
    "rhs_depth",
    "fetch_lanes",
    "num_read_ports",
    "num_write_ports",
    "port_width",
    "max_burst_beats",
    "result_slots",
    "max_bits",
    "min_result_bits",
};

/// Events of the bitfusion core in counter order (counter index = 1 + position);
/// per-port events follow, all ports of one kind together.
inline constexpr std::array<std::string_view, 29> kBitfusionEvents = {
    "fetch_lhs_run",
    "fetch_lhs_wait_memory",
    "fetch_lhs_wait_token",
    "fetch_rhs_run",
    "fetch_rhs_wait_memory",
    "fetch_rhs_wait_token",
    "exec_run",
    "exec_wait_lhs",
    "exec_wait_rhs",
    "exec_wait_result",
    "array_drain",
    "result_run",
    "result_wait_memory",
    "result_wait_token",
    "lhs_buffer_writes",
    "rhs_buffer_writes",
    "lhs_buffer_reads",
    "rhs_buffer_reads",
    "obuf_writes",
    "obuf_reads",
    "tiles_emitted",
    "read_beats",
    "write_beats",
    "instr_fetch_lhs",
    "instr_fetch_rhs",
    "instr_compute",
    "instr_store",
    "instr_setup",
    "instr_loop",
};
inline constexpr std::array<std::string_view, 2> kBitfusionPerPortEvents = {
    "read_port_beats",
    "write_port_beats",
};
inline constexpr std::array<std::string_view, 11> kBitfusionParameters = {
    "n",
    "m",
    "ibuf_depth",
    "wbuf_depth",
    "obuf_depth",
    "num_read_ports",
    "num_write_ports",
    "port_width",
    "max_burst_beats",
    "fetch_lanes",
    "min_result_bits",
};

/// What the register map says of one core.
struct CoreMap {
  std::string_view name;  ///< as in variant files
  CoreId id;
  const std::string_view* events;           ///< in counter order
  std::size_t num_events;
  const std::string_view* per_port_events;  ///< behind them, for every port
  std::size_t num_per_port_events;
  const std::string_view* parameters;       ///< in the order of the parameter words
  std::size_t num_parameters;
};

/// All cores that have a register map.
inline constexpr CoreMap kCoreMaps[] = {
  {"bismo", CoreId::kBismo, kBismoEvents.data(), kBismoEvents.size(), kBismoPerPortEvents.data(), kBismoPerPortEvents.size(), kBismoParameters.data(), kBismoParameters.size()},
  {"stripes", CoreId::kStripes, kStripesEvents.data(), kStripesEvents.size(), kStripesPerPortEvents.data(), kStripesPerPortEvents.size(), kStripesParameters.data(), kStripesParameters.size()},
  {"bitfusion", CoreId::kBitfusion, kBitfusionEvents.data(), kBitfusionEvents.size(), kBitfusionPerPortEvents.data(), kBitfusionPerPortEvents.size(), kBitfusionParameters.data(), kBitfusionParameters.size()},
};

/// Map of the core of this name, nullptr when there is none.
constexpr const CoreMap* core_map(std::string_view name) {
  for (const CoreMap& map : kCoreMaps) {
    if (map.name == name) return &map;
  }
  return nullptr;
}

}  // namespace bittern::registers
