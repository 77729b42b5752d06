#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "host/base/error.h"
#include "host/protocol/backend.h"
#include "host/protocol/frame.h"

namespace bittern {

/// A device was lost: it died, went silent, or broke the protocol. The message says which device,
/// what it was doing, how it ended, and its last log lines. The device cannot be used any more; the
/// same work may succeed on another.
class DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& message) : Error(message) {}
};

/// A device that runs elsewhere serves another client. It may be free later.
class DeviceBusy : public DeviceError {
 public:
  explicit DeviceBusy(const std::string& message) : DeviceError(message) {}
};

/// A device answered that it will not do what it was asked for: a wrong request, an address that it
/// does not have, a trace that cannot be written. It goes on working; asking again does not help.
class DeviceRefusal : public Error {
 public:
  DeviceRefusal(WireError code, const std::string& message) : Error(message), code_(code) {}
  WireError code() const { return code_; }

 private:
  WireError code_;
};

/// Something that runs a variant: a simulation process of ours, a remote simulation, a board. For
/// one thread at a time. Every method throws DeviceError when the device is lost, DeviceRefusal
/// when it refuses, and Stopped when the user asked to stop while it waited (the device is given up
/// then).
class Device {
 public:
  virtual ~Device() = default;

  /// Who it is, as it said when it was connected.
  virtual const DeviceIdentity& identity() const = 0;
  /// Name for messages, for example "bismo_edge (process 4711)".
  virtual const std::string& name() const = 0;
  /// Whether it was not lost so far.
  virtual bool usable() const = 0;
  /// Endpoint of a device that runs elsewhere, whose word is not ours; empty for a process that we
  /// started.
  virtual std::string remote() const { return {}; }
  /// Whether the other side has closed the connection, which the next call would find out.
  virtual bool hung_up() const { return false; }
  /// From now on `check` is called about ten times a second while a call waits for the device; what
  /// it throws ends the call, and the device is given up. Otherwise it is throw_if_stopped().
  virtual void on_wait(const std::function<void()>& check) { static_cast<void>(check); }

  /// Copies bytes to device memory, any length.
  virtual void write_memory(std::uint64_t address, Bytes data) = 0;
  /// Copies out.size() bytes from device memory.
  virtual void read_memory(std::uint64_t address, MutableBytes out) = 0;
  std::vector<std::uint8_t> read_memory(std::uint64_t address, std::uint64_t size) {
    std::vector<std::uint8_t> bytes(size);
    read_memory(address, MutableBytes(bytes));
    return bytes;
  }

  /// Values of registers, one round trip for up to kMaxRegisterBatch.
  virtual std::vector<std::uint32_t> read_registers(const std::vector<std::uint32_t>& offsets) = 0;
  /// Writes (offset, value) pairs in order.
  virtual void write_registers(
      const std::vector<std::pair<std::uint32_t, std::uint32_t>>& writes) = 0;

  /// Runs a program and returns when it is done, faulted, or past its cycle limit; those are
  /// results, not errors. `progress`, when given, is called a few times a second with the cycles so
  /// far.
  virtual RunResult run(const RunRequest& request,
                        const std::function<void(std::uint64_t cycles)>& progress = {}) = 0;

  /// Traces the runs that follow, see TraceRequest.
  virtual void start_trace(const TraceRequest& request) = 0;
  virtual void stop_trace() = 0;
  /// Back to idle, counters zero; memory is kept.
  virtual void reset() = 0;
  /// One round trip.
  virtual void ping() = 0;
};

}  // namespace bittern
