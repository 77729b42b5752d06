#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "host/base/span.h"

namespace bittern {

/// What stands behind a device: decides the origin of its measurements.
enum class DeviceKind : std::uint8_t { kSimulation = 0, kBoard = 1 };

/// Who a device is. A client compares it with its own files before it trusts any number.
struct DeviceIdentity {
  DeviceKind kind = DeviceKind::kSimulation;
  std::string variant;  ///< name of the variant that it was built for
  std::string core;     ///< "bismo", ...
  /// SystemVerilog parameters under their RTL names, as in `rtl:` of the variant's file.
  std::map<std::string, std::int64_t> parameters;
  /// Memory model: "latency_cycles", "bytes_per_cycle", "outstanding" as in `memory:` of the
  /// variant's file. Empty for a board, whose memory is what it is.
  std::map<std::string, std::int64_t> memory;
  std::uint64_t memory_bytes = 0;  ///< size of device memory, addresses 0 to memory_bytes - 1
  /// Hash of RTL sources, parameters, tools and flags, lower-case hexadecimal. Its first 16 digits
  /// are the registers rtl_hash_hi and rtl_hash_lo.
  std::string rtl_hash;
  /// Tool -> version and flags, for example "verilator" -> "5.006 -O3 ...".
  std::map<std::string, std::string> tools;

  bool operator==(const DeviceIdentity& other) const;
};

/// Runs the program that lies in device memory.
struct RunRequest {
  std::uint64_t program_address = 0;    ///< register prog_addr, a multiple of 16
  std::uint32_t instruction_count = 0;  ///< register prog_length, END included; at least 1
  std::uint64_t mem_limit = 0;          ///< register mem_limit; 0 switches its check off
  std::uint64_t cycle_limit = 0;        ///< the run is stopped after so many cycles; at least 1
};

/// How a run ended.
enum class RunStatus : std::uint8_t {
  kDone = 0,        ///< the program ended
  kFault = 1,       ///< the shell stopped it: error_code, error_info
  kCycleLimit = 2,  ///< still busy after cycle_limit cycles; the device was reset
  kAbandoned = 3,   ///< keep_going returned false (never sent: nobody is there to read it)
};

/// What a run counted.
struct RunResult {
  RunStatus status = RunStatus::kDone;
  std::uint64_t cycles = 0;  ///< counters[0], or the cycles so far when the limit was reached
  /// All counters of the shell, index as in the register map: 0 is cycles, 1 + i is event i.
  std::vector<std::uint64_t> counters;
  std::uint32_t error_code = 0;  ///< register error_code
  std::uint32_t error_info = 0;  ///< register error_info
};

/// Waveform of a window of cycles, counted from the start of a run.
struct TraceRequest {
  std::string path;  ///< FST file, on the machine of the device
  std::uint64_t first_cycle = 0;
  std::uint64_t last_cycle = 0;  ///< included; at least first_cycle
};

/// Called by a backend during a run with the cycles so far, every few thousand cycles (it is
/// cheap; at least twenty times a second). False: nobody waits for the result any more; the backend
/// stops at once and returns RunStatus::kAbandoned.
using KeepGoing = std::function<bool(std::uint64_t cycles)>;

/// A device behind the protocol server: a SystemC simulation, a board, or memory in a test. serve()
/// calls it from one thread and has checked the arguments: memory ranges lie within memory_bytes,
/// register offsets are multiples of 4 below 4096, fields of requests are as described above.
/// Whatever a method throws becomes a typed error answer, after which the connection goes on.
class DeviceBackend {
 public:
  virtual ~DeviceBackend() = default;

  /// Constant over the life of the backend.
  virtual DeviceIdentity identity() const = 0;

  /// Copies device memory [address, address + out.size()) to `out`. Memory that was never written
  /// reads as zero.
  virtual void read_memory(std::uint64_t address, MutableBytes out) = 0;
  /// Copies `data` to device memory.
  virtual void write_memory(std::uint64_t address, Bytes data) = 0;

  /// One access to the shell's registers.
  virtual std::uint32_t read_register(std::uint32_t offset) = 0;
  virtual void write_register(std::uint32_t offset, std::uint32_t value) = 0;

  /// Sets up the registers, starts, waits for the end, reads all counters.
  virtual RunResult run(const RunRequest& request, const KeepGoing& keep_going) = 0;

  /// The runs that follow, until stop_trace(), are traced (each run overwrites the file). Throws
  /// Error when it cannot be: a board, an unwritable path.
  virtual void start_trace(const TraceRequest& request) = 0;
  virtual void stop_trace() = 0;

  /// Back to the state after start: idle, counters zero, no trace. Device memory is kept.
  virtual void reset() = 0;
};

}  // namespace bittern
