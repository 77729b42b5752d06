#include "sim/simulated_device.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

#include "host/base/error.h"
#include "host/protocol/registers.h"

namespace bittern::sim {
namespace {

// More cycles than any register access can take; an access never waits for the core.
constexpr std::uint64_t kAccessLimit = 100;
// The shell reports done 16 cycles after the run, when the counters have caught up.
constexpr std::uint64_t kFlushCycles = 20;

}  // namespace

SimulatedDevice::SimulatedDevice(std::unique_ptr<SimTop> top, BuildInfo info)
    : top_(std::move(top)), info_(std::move(info)) {
  reset_hardware();
  const std::uint32_t magic = SimulatedDevice::read_register(registers::kMagic);
  const std::uint32_t version = SimulatedDevice::read_register(registers::kMapVersion);
  if (magic != registers::kMagicValue || version != registers::kMapVersionValue) {
    fail("device {}: registers say magic {:#x}, map version {}; expected {:#x} and {}: rebuild it",
         info_.variant, magic, version, registers::kMagicValue, registers::kMapVersionValue);
  }
  const std::string hash =
      fmt::format("{:08x}{:08x}", SimulatedDevice::read_register(registers::kRtlHashHi),
                  SimulatedDevice::read_register(registers::kRtlHashLo));
  if (info_.rtl_hash.compare(0, 16, hash) != 0) {
    fail("device {}: registers say RTL hash {}, the build says {}: rebuild it", info_.variant, hash,
         info_.rtl_hash);
  }
  num_counters_ = SimulatedDevice::read_register(registers::kNumEvents) + 1;
}

DeviceIdentity SimulatedDevice::identity() const {
  const PortMemory& memory = top_->memory();
  DeviceIdentity identity;
  identity.kind = DeviceKind::kSimulation;
  identity.variant = info_.variant;
  identity.core = info_.core;
  identity.parameters = info_.parameters;
  identity.memory = {{"latency_cycles", memory.timing().latency},
                     {"bytes_per_cycle", memory.timing().bytes_per_cycle},
                     {"outstanding", memory.timing().outstanding}};
  identity.memory_bytes = memory.storage().size();
  identity.rtl_hash = info_.rtl_hash;
  identity.tools = {{"verilator", info_.verilator}};
  return identity;
}

void SimulatedDevice::read_memory(std::uint64_t address, MutableBytes out) {
  const Storage& storage = top_->memory().storage();
  if (address > storage.size() || out.size() > storage.size() - address) {
    fail("device memory read of {} bytes at {:#x}: memory ends at {:#x}", out.size(), address,
         storage.size());
  }
  if (!out.empty()) {
    std::memcpy(out.data(), storage.data() + address, out.size());
  }
}

void SimulatedDevice::write_memory(std::uint64_t address, Bytes data) {
  Storage& storage = top_->memory().storage();
  if (address > storage.size() || data.size() > storage.size() - address) {
    fail("device memory write of {} bytes at {:#x}: memory ends at {:#x}", data.size(), address,
         storage.size());
  }
  if (!data.empty()) {
    std::memcpy(storage.data() + address, data.data(), data.size());
  }
}

std::uint64_t SimulatedDevice::clock(std::uint64_t cycles, std::uint64_t mask,
                                     std::uint64_t value) {
  std::uint64_t done = 0;
  try {
    done = top_->clock(cycles, mask, value);
  } catch (const Error&) {
    reset_hardware();  // the RTL stopped itself in the middle of a cycle
    throw;
  }
  if (top_->memory().violated()) {
    const std::string what = top_->memory().violation();
    reset_hardware();
    fail(
        "device {}: AXI rule broken: {}; the run was stopped and the device reset. This is a bug "
        "of the RTL: run once more with a trace",
        info_.variant, what);
  }
  return done;
}

SimulatedDevice::Answer SimulatedDevice::access(std::uint64_t command) {
  toggle_ = !toggle_;
  top_->set_command(command | (toggle_ ? pins::kRequest : 0));
  const std::uint64_t answered = toggle_ ? pins::kAnswered : 0;
  clock(kAccessLimit, pins::kAnswered, answered);
  const std::uint64_t response = top_->response();
  if ((response & pins::kAnswered) != answered) {
    reset_hardware();
    fail("device {}: the shell did not answer a register access within {} cycles; it was reset",
         info_.variant, kAccessLimit);
  }
  return {static_cast<std::uint32_t>(response), (response & pins::kError) != 0};
}

std::uint32_t SimulatedDevice::read_register(std::uint32_t offset) {
  const Answer answer = access(std::uint64_t{offset & 0xfff} << pins::kAddressLsb);
  if (answer.error) {
    fail("device {}: there is no register at {:#05x} (SLVERR)", info_.variant, offset);
  }
  return answer.data;
}

void SimulatedDevice::write_register(std::uint32_t offset, std::uint32_t value) {
  write_register(offset, value, 0xf, WriteOrder::kTogether);
}

void SimulatedDevice::write_register(std::uint32_t offset, std::uint32_t value,
                                     std::uint32_t strobes, WriteOrder order) {
  std::uint64_t command = pins::kWrite | value;
  command |= std::uint64_t{offset & 0xfff} << pins::kAddressLsb;
  command |= std::uint64_t{strobes & 0xf} << pins::kStrobesLsb;
  command |= order == WriteOrder::kAddressFirst ? pins::kHoldData : 0;
  command |= order == WriteOrder::kDataFirst ? pins::kHoldAddress : 0;
  if (access(command).error) {
    fail(
        "device {}: register {:#05x} cannot be written (SLVERR): it is read-only, does not exist, "
        "or a run is in progress",
        info_.variant, offset);
  }
}

void SimulatedDevice::reset_hardware() {
  toggle_ = false;
  top_->set_command(0);
  top_->set_reset(true);
  top_->memory().reset();
  top_->clock(2, 0, 1);
  top_->memory().reset();
  top_->set_reset(false);
  top_->clock(1, 0, 1);
}

void SimulatedDevice::reset() {
  stop_trace();
  reset_hardware();
}

void SimulatedDevice::start_trace(const TraceRequest& request) {
  if (request.path.empty() || request.last_cycle < request.first_cycle) {
    fail("trace of cycles {} to {} into '{}': expected a path and first <= last",
         request.first_cycle, request.last_cycle, request.path);
  }
  // Find out now whether the file can be written, not in the middle of a run.
  top_->start_trace(request.path);
  top_->stop_trace();
  trace_ = request;
}

void SimulatedDevice::stop_trace() {
  top_->stop_trace();
  trace_.reset();
}

// Clocks until status.done rises or until `cycle_limit` cycles of the run are certainly over.
// Returns whether it is done.
bool SimulatedDevice::clock_until_done(std::uint64_t cycle_limit, const KeepGoing& keep_going,
                                       bool& abandoned) {
  using Clock = std::chrono::steady_clock;
  const std::uint64_t end =
      cycle_limit > ~std::uint64_t{0} - kFlushCycles ? cycle_limit : cycle_limit + kFlushCycles;
  std::uint64_t now = 0;  // the write of ctrl is answered in cycle 0 of the run
  std::uint64_t slice = 2000;
  bool tracing = false;
  while (now < end) {
    std::uint64_t stop = std::min(end, now + slice);
    if (trace_) {
      if (!tracing && now >= trace_->first_cycle && now <= trace_->last_cycle) {
        top_->start_trace(trace_->path);
        tracing = true;
      }
      if (now < trace_->first_cycle) {
        stop = std::min(stop, trace_->first_cycle);
      } else if (now <= trace_->last_cycle) {
        stop = std::min(stop, trace_->last_cycle + 1);
      } else if (tracing) {
        top_->stop_trace();
        tracing = false;
      }
    }
    const auto started = Clock::now();
    now += clock(stop - now, pins::kIrq, pins::kIrq);
    if (top_->response() & pins::kIrq) {
      top_->stop_trace();
      return true;
    }
    // Slices of about 10 ms: long enough to be free, short enough to notice a dead host at once.
    const auto took = Clock::now() - started;
    if (took < std::chrono::milliseconds(5)) {
      slice = std::min<std::uint64_t>(slice * 2, 1u << 20);
    } else if (took > std::chrono::milliseconds(20)) {
      slice = std::max<std::uint64_t>(slice / 2, 100);
    }
    if (keep_going && !keep_going(now)) {
      abandoned = true;
      break;
    }
  }
  top_->stop_trace();
  return false;
}

RunResult SimulatedDevice::collect() {
  RunResult result;
  const std::uint32_t status = read_register(registers::kStatus);
  if (status & registers::kStatusError) {
    result.status = RunStatus::kFault;
    result.error_code = read_register(registers::kErrorCode);
    result.error_info = read_register(registers::kErrorInfo);
  }
  result.counters.resize(num_counters_);
  for (std::uint32_t i = 0; i < num_counters_; ++i) {
    const std::uint32_t offset = registers::kCounterBase + 8 * i;
    const std::uint64_t low = read_register(offset);
    result.counters[i] = low | static_cast<std::uint64_t>(read_register(offset + 4)) << 32;
  }
  result.cycles = result.counters[0];
  return result;
}

RunResult SimulatedDevice::run(const RunRequest& request, const KeepGoing& keep_going) {
  if (request.program_address > 0xffffffffu) {
    fail("program at {:#x}: addresses have 32 bits", request.program_address);
  }
  if (read_register(registers::kStatus) & registers::kStatusBusy) {
    fail("device {} is busy with a run that was started by register writes: reset it first",
         info_.variant);
  }
  write_register(registers::kProgAddr, static_cast<std::uint32_t>(request.program_address));
  write_register(registers::kProgLength, request.instruction_count);
  // A limit of 4 GiB and more is beyond what an address can reach, as is no limit.
  write_register(registers::kMemLimit, request.mem_limit > 0xffffffffu
                                           ? 0
                                           : static_cast<std::uint32_t>(request.mem_limit));
  write_register(registers::kCtrl, registers::kCtrlStart);
  bool abandoned = false;
  const bool done = clock_until_done(request.cycle_limit, keep_going, abandoned);
  RunResult result = collect();
  if (abandoned) {
    result.status = RunStatus::kAbandoned;
  } else if (!done || result.cycles > request.cycle_limit) {
    result.status = RunStatus::kCycleLimit;
    result.cycles = request.cycle_limit;
  }
  if (!done) {
    reset_hardware();
  }
  return result;
}

}  // namespace bittern::sim
