#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "sim/build_info.h"
#include "sim/simulated_device.h"

namespace bittern::sim {

/// One 128-bit instruction, low word first.
using Instruction = std::array<std::uint64_t, 2>;

/// A simulated device with small memory. One a process, so one test a process.
class DeviceTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kMemoryBytes = 1 << 20;
  static constexpr std::uint32_t kLatency = 16;

  /// Makes the device; call once.
  SimulatedDevice& device(std::uint32_t latency = kLatency, std::uint32_t bytes_per_cycle = 8,
                          std::uint32_t outstanding = 4) {
    MemoryTiming timing;
    timing.size_bytes = kMemoryBytes;
    timing.latency = latency;
    timing.bytes_per_cycle = bytes_per_cycle;
    timing.outstanding = outstanding;
    device_ = std::make_unique<SimulatedDevice>(make_systemc_top(timing, 200.0), build_info());
    return *device_;
  }

  /// Writes a program to memory and runs it.
  RunResult run(const std::vector<Instruction>& program, std::uint64_t cycle_limit = 100000,
                std::uint64_t address = 0, std::uint64_t mem_limit = kMemoryBytes) {
    std::vector<std::uint8_t> bytes(program.size() * 16);
    if (!bytes.empty()) {
      std::memcpy(bytes.data(), program.data(), bytes.size());
    }
    device_->write_memory(address, Bytes(bytes.data(), bytes.size()));
    RunRequest request;
    request.program_address = address;
    request.instruction_count = static_cast<std::uint32_t>(program.size());
    request.mem_limit = mem_limit;
    request.cycle_limit = cycle_limit;
    return device_->run(request, nullptr);
  }

  std::unique_ptr<SimulatedDevice> device_;
};

}  // namespace bittern::sim
