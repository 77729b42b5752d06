#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "host/protocol/backend.h"
#include "sim/build_info.h"
#include "sim/sim_top.h"

namespace bittern::sim {

/// A simulated device for the protocol server: drives the shell's registers over the pins of
/// sim_top and clocks it while a run is in progress. Between requests no cycle is simulated.
class SimulatedDevice : public DeviceBackend {
 public:
  /// Takes over a top and resets it. Throws Error when the hardware does not identify itself as
  /// what `info` says.
  SimulatedDevice(std::unique_ptr<SimTop> top, BuildInfo info);

  DeviceIdentity identity() const override;
  void read_memory(std::uint64_t address, MutableBytes out) override;
  void write_memory(std::uint64_t address, Bytes data) override;
  /// Throws Error when the shell answers with SLVERR.
  std::uint32_t read_register(std::uint32_t offset) override;
  void write_register(std::uint32_t offset, std::uint32_t value) override;
  /// An AXI rule violation or a stop of the RTL is an Error with its text; the device is reset. A
  /// run that has not ended after `cycle_limit` cycles of counter 0 is stopped and the device
  /// reset. Cycle counts depend on the program and the memory timing only.
  RunResult run(const RunRequest& request, const KeepGoing& keep_going) override;
  void start_trace(const TraceRequest& request) override;
  void stop_trace() override;
  void reset() override;

  /// Which half of a register write reaches the AXI4-Lite slave first.
  enum class WriteOrder { kTogether, kAddressFirst, kDataFirst };
  /// Writes a register with byte strobes (bit i: byte i).
  void write_register(std::uint32_t offset, std::uint32_t value, std::uint32_t strobes,
                      WriteOrder order);
  /// The memory, for fault injection and tests.
  PortMemory& memory() { return top_->memory(); }

 private:
  struct Answer {
    std::uint32_t data;
    bool error;
  };
  Answer access(std::uint64_t command);
  std::uint64_t clock(std::uint64_t cycles, std::uint64_t mask, std::uint64_t value);
  void reset_hardware();
  bool clock_until_done(std::uint64_t cycle_limit, const KeepGoing& keep_going, bool& abandoned);
  RunResult collect();

  std::unique_ptr<SimTop> top_;
  BuildInfo info_;
  std::uint32_t num_counters_ = 1;
  bool toggle_ = false;
  std::optional<TraceRequest> trace_;
};

}  // namespace bittern::sim
