#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "host/base/error.h"
#include "host/protocol/backend.h"
#include "host/protocol/registers.h"

namespace bittern::testing {

/// What the fake device does with a program: second word of its first instruction. The first word
/// is the number of cycles.
enum class FakeProgram : std::uint64_t { kDone = 0, kFault = 1, kThrow = 2, kSlow = 3 };

/// Device in memory: keeps bytes and registers, and "runs" programs whose first instruction says
/// how long they take and how they end.
class FakeBackend : public DeviceBackend {
 public:
  static constexpr std::uint64_t kMemoryBytes = 1 << 20;

  FakeBackend() : memory_(kMemoryBytes) {
    identity_.variant = "fake";
    identity_.core = "bismo";
    identity_.parameters = {{"Dm", 2}, {"Dk", 64}, {"Dn", 4}};
    identity_.memory = {{"latency_cycles", 16}, {"bytes_per_cycle", 8}, {"outstanding", 4}};
    identity_.memory_bytes = kMemoryBytes;
    identity_.rtl_hash = "0123456789abcdef00";
    identity_.tools = {{"fake", "1.0"}};
    registers_[registers::kMagic] = registers::kMagicValue;
    registers_[registers::kMapVersion] = registers::kMapVersionValue;
    registers_[registers::kCoreId] = static_cast<std::uint32_t>(registers::CoreId::kBismo);
    registers_[registers::kRtlHashLo] = 0x89abcdef;
    registers_[registers::kRtlHashHi] = 0x01234567;
    registers_[registers::kParameterBase + 0] = 2;
    registers_[registers::kParameterBase + 4] = 64;
    registers_[registers::kParameterBase + 8] = 4;
  }

  DeviceIdentity identity() const override { return identity_; }

  void read_memory(std::uint64_t address, MutableBytes out) override {
    check(address, out.size());
    std::copy_n(memory_.begin() + static_cast<std::ptrdiff_t>(address), out.size(), out.begin());
  }
  void write_memory(std::uint64_t address, Bytes data) override {
    check(address, data.size());
    std::copy(data.begin(), data.end(), memory_.begin() + static_cast<std::ptrdiff_t>(address));
  }
  std::uint32_t read_register(std::uint32_t offset) override { return registers_[offset]; }
  void write_register(std::uint32_t offset, std::uint32_t value) override {
    registers_[offset] = value;
  }

  RunResult run(const RunRequest& request, const KeepGoing& keep_going) override {
    std::uint64_t words[2] = {0, 0};
    check(request.program_address, sizeof words);
    std::memcpy(words, memory_.data() + request.program_address, sizeof words);
    const std::uint64_t cycles = std::min(words[0], request.cycle_limit);
    RunResult result;
    result.cycles = cycles;
    result.counters = {cycles, cycles / 2, 7};
    if (words[0] >= request.cycle_limit) result.status = RunStatus::kCycleLimit;
    switch (static_cast<FakeProgram>(words[1])) {
      case FakeProgram::kThrow:
        fail("AXI rule violated in cycle 17");
      case FakeProgram::kFault:
        result.status = RunStatus::kFault;
        result.error_code = 2;
        result.error_info = request.instruction_count - 1;
        break;
      case FakeProgram::kSlow:
        for (std::uint64_t cycle = 0; cycle < cycles; cycle += 1000) {
          std::this_thread::sleep_for(std::chrono::milliseconds(2));
          if (!keep_going(cycle)) {
            result.status = RunStatus::kAbandoned;
            return result;
          }
        }
        break;
      case FakeProgram::kDone:
        break;
      default:
        special(words[1]);
    }
    return result;
  }

  void start_trace(const TraceRequest& request) override {
    if (request.path == "/unwritable") fail("cannot write {}", request.path);
    trace_ = request;
  }
  void stop_trace() override { trace_ = {}; }
  void reset() override { ++resets_; }

  DeviceIdentity identity_;
  std::vector<std::uint8_t> memory_;
  std::map<std::uint32_t, std::uint32_t> registers_;
  TraceRequest trace_;
  int resets_ = 0;

 protected:
  /// Programs of another kind than FakeProgram.
  virtual void special(std::uint64_t) {}

 private:
  /// The server promises that ranges are within memory.
  void check(std::uint64_t address, std::uint64_t size) const {
    if (address > memory_.size() || size > memory_.size() - address) {
      throw std::logic_error("the server let a range through that is not in memory");
    }
  }
};

/// Bytes of a fake program.
inline std::vector<std::uint8_t> fake_program(std::uint64_t cycles, std::uint64_t kind) {
  std::vector<std::uint8_t> bytes(16);
  std::memcpy(bytes.data(), &cycles, 8);
  std::memcpy(bytes.data() + 8, &kind, 8);
  return bytes;
}

inline std::vector<std::uint8_t> fake_program(std::uint64_t cycles, FakeProgram kind) {
  return fake_program(cycles, static_cast<std::uint64_t>(kind));
}

}  // namespace bittern::testing
