// Run control, fetcher, counters and errors of the shell, with the probe core behind it.
#include "tests/sim/probe.h"

#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "host/base/error.h"
#include "host/protocol/registers.h"

namespace bittern::sim {
namespace {

using registers::ErrorCode;
using testing::HasSubstr;

constexpr std::uint32_t kEvents = 35;

class ShellTest : public DeviceTest {
 protected:
  static std::uint32_t code(ErrorCode error) { return static_cast<std::uint32_t>(error); }

  void expect_fault(const RunResult& result, ErrorCode error, std::uint32_t handed) {
    EXPECT_EQ(result.status, RunStatus::kFault);
    EXPECT_EQ(result.error_code, code(error))
        << registers::error_name(ErrorCode(result.error_code));
    EXPECT_EQ(result.error_info, handed);
  }

  /// The device still works: a program without errors ends well.
  void expect_good_run() {
    const RunResult result = run({probe::count(3), probe::end()});
    EXPECT_EQ(result.status, RunStatus::kDone);
    EXPECT_EQ(result.counters.at(2), 3);
  }
};

nlohmann::json register_map() {
  std::ifstream file(std::string(BITTERN_SOURCE_DIR) + "/rtl/shell/register_map.json");
  return nlohmann::json::parse(file);
}

std::uint32_t number(const nlohmann::json& text) {
  return static_cast<std::uint32_t>(std::stoul(text.get<std::string>(), nullptr, 16));
}

TEST_F(ShellTest, EveryRegisterOfTheMapAnswersAndNothingElseDoes) {
  device();
  std::set<std::uint32_t> readable;
  std::set<std::uint32_t> writable;
  const nlohmann::json map = register_map();
  for (const nlohmann::json& entry : map["registers"]) {
    readable.insert(number(entry["offset"]));
    if (entry["access"] != "ro") {
      writable.insert(number(entry["offset"]));
    }
  }
  for (std::uint32_t i = 0; i < map["num_parameters"].get<std::uint32_t>(); ++i) {
    readable.insert(number(map["parameter_base"]) + 4 * i);
  }
  for (std::uint32_t i = 0; i < 2 * (kEvents + 1); ++i) {
    readable.insert(number(map["counter_base"]) + 4 * i);
  }
  for (std::uint32_t offset = 0; offset < 4096; offset += 4) {
    if (readable.count(offset)) {
      EXPECT_NO_THROW(device_->read_register(offset)) << offset;
    } else {
      EXPECT_THROW(device_->read_register(offset), Error) << offset;
    }
    if (writable.count(offset)) {
      EXPECT_NO_THROW(device_->write_register(offset, 0)) << offset;
    } else {
      EXPECT_THROW(device_->write_register(offset, 0), Error) << offset;
    }
  }
}

TEST_F(ShellTest, IdentityRegistersHoldTheConstantsOfTheMap) {
  device();
  EXPECT_EQ(device_->read_register(registers::kMagic), registers::kMagicValue);
  EXPECT_EQ(device_->read_register(registers::kMapVersion), registers::kMapVersionValue);
  EXPECT_EQ(device_->read_register(registers::kCoreId), 255);
  EXPECT_EQ(device_->read_register(registers::kNumEvents), kEvents);
  for (std::uint32_t i = 0; i < registers::kNumParameters; ++i) {
    EXPECT_EQ(device_->read_register(registers::kParameterBase + 4 * i), 0x01010101u * i);
  }
  EXPECT_EQ(device_->identity().rtl_hash.size(), 64);
}

TEST_F(ShellTest, WritesHonourByteStrobesInEitherOrderOfAddressAndData) {
  device();
  using Order = SimulatedDevice::WriteOrder;
  for (const std::uint32_t offset :
       {registers::kProgAddr, registers::kProgLength, registers::kMemLimit}) {
    for (const Order order : {Order::kTogether, Order::kAddressFirst, Order::kDataFirst}) {
      device_->write_register(offset, 0x11223344, 0xf, order);
      EXPECT_EQ(device_->read_register(offset), 0x11223344);
      device_->write_register(offset, 0xaabbccdd, 0x5, order);
      EXPECT_EQ(device_->read_register(offset), 0x11bb33dd);
      device_->write_register(offset, 0xffffffff, 0x0, order);
      EXPECT_EQ(device_->read_register(offset), 0x11bb33dd);
    }
  }
}

TEST_F(ShellTest, StartWithoutItsStrobeDoesNothing) {
  device();
  device_->write_register(registers::kCtrl, registers::kCtrlStart, 0xe,
                          SimulatedDevice::WriteOrder::kTogether);
  EXPECT_EQ(device_->read_register(registers::kStatus), 0);
}

TEST_F(ShellTest, EndOnlyProgramTakesTheLatencyOfOneFetch) {
  device(23);
  const RunResult result = run({probe::end()});
  EXPECT_EQ(result.status, RunStatus::kDone);
  // Clear, range check, request, address accepted; latency; second beat; END seen; idle seen.
  EXPECT_EQ(result.cycles, 23 + 7);
}

TEST_F(ShellTest, LatencyOfOneCycleIsTheShortest) {
  device(1);
  EXPECT_EQ(run({probe::end()}).cycles, 1 + 7);
}

TEST_F(ShellTest, CountersCountEveryEventExactly) {
  device();
  for (const std::uint32_t cycles : {1u, 2u, 15u, 16u, 17u, 300u, 70001u}) {
    const RunResult result = run({probe::count(cycles), probe::end()}, 200000);
    ASSERT_EQ(result.counters.size(), kEvents + 1);
    for (std::uint32_t e = 0; e < kEvents; ++e) {
      EXPECT_EQ(result.counters[1 + e], std::uint64_t{cycles} * (e % 16)) << e << ", " << cycles;
    }
    EXPECT_EQ(result.counters[0], result.cycles);
  }
}

TEST_F(ShellTest, CountersReadZeroBeforeTheFirstRunAndAfterClear) {
  device();
  EXPECT_EQ(device_->read_register(registers::kCounterBase + 8 * 3), 0);
  run({probe::count(9), probe::end()});
  EXPECT_EQ(device_->read_register(registers::kCounterBase + 8 * 3), 18);
  EXPECT_EQ(device_->read_register(registers::kStatus), registers::kStatusDone);
  device_->write_register(registers::kCtrl, registers::kCtrlClear);
  EXPECT_EQ(device_->read_register(registers::kStatus), 0);
  EXPECT_EQ(device_->read_register(registers::kCounterBase), 0);
  EXPECT_EQ(device_->read_register(registers::kCounterBase + 8 * 3), 0);
}

TEST_F(ShellTest, ProgramLargerThanThePrefetchQueueRunsToItsEnd) {
  device();
  std::vector<Instruction> program(500, probe::count(2));
  program.push_back(probe::end());
  const RunResult result = run(program);
  EXPECT_EQ(result.status, RunStatus::kDone);
  EXPECT_EQ(result.counters[2], 1000);
  // The first is taken when END would have been, each takes three cycles, END is hidden behind the
  // last one: fetching costs nothing after the start.
  EXPECT_EQ(result.cycles, kLatency + 6 + 500 * 3);
}

// Instructions that take one cycle each: the stream is as fast as its port.
TEST_F(ShellTest, InstructionsStreamWithoutGapsAtUsualLatency) {
  device(16);
  std::vector<Instruction> program(200, probe::Line().encode());
  program.push_back(probe::end());
  EXPECT_EQ(run(program).cycles, 16 + 7 + 2 * 200);
}

TEST_F(ShellTest, InstructionsStreamWithoutGapsAtLongLatency) {
  device(40);
  std::vector<Instruction> program(200, probe::Line().encode());
  program.push_back(probe::end());
  EXPECT_EQ(run(program).cycles, 40 + 7 + 2 * 200);
}

TEST_F(ShellTest, ProgramMayLieAnywhereInMemory) {
  device();
  for (const std::uint64_t address : {std::uint64_t{16}, std::uint64_t{4096 - 16},
                                      std::uint64_t{4096 - 160}, kMemoryBytes - 21 * 16}) {
    std::vector<Instruction> program(20, probe::count(1));
    program.push_back(probe::end());
    const RunResult result = run(program, 100000, address);
    EXPECT_EQ(result.status, RunStatus::kDone) << address;
    EXPECT_EQ(result.counters[2], 20) << address;
  }
}

TEST_F(ShellTest, InstructionsAfterEndAreNotExecuted) {
  device();
  std::vector<Instruction> program(100, probe::hang());
  program[0] = probe::count(5);
  program[1] = probe::end();
  const RunResult result = run(program);
  EXPECT_EQ(result.status, RunStatus::kDone);
  EXPECT_EQ(result.counters[2], 5);
  expect_good_run();
}

TEST_F(ShellTest, RunsRepeatCycleForCycle) {
  device();
  std::vector<Instruction> program(77, probe::count(3));
  program.push_back(probe::end());
  const RunResult first = run(program);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(run(program).counters, first.counters);
  }
  device_->reset();
  EXPECT_EQ(run(program).counters, first.counters);
}

TEST_F(ShellTest, MissingEndIsAnError) {
  device();
  expect_fault(run({probe::count(4), probe::count(5)}), ErrorCode::kMissingEnd, 2);
  expect_good_run();
}

TEST_F(ShellTest, EmptyProgramIsMissingItsEnd) {
  device();
  expect_fault(run({}), ErrorCode::kMissingEnd, 0);
  expect_good_run();
}

TEST_F(ShellTest, EndWithOtherBitsSetIsIllegal) {
  device();
  for (int bit = 4; bit < 128; bit += 9) {
    Instruction end = probe::end();
    end[bit / 64] = std::uint64_t{1} << (bit % 64);
    expect_fault(run({probe::count(1), end}), ErrorCode::kIllegalInstruction, 1);
  }
  expect_good_run();
}

TEST_F(ShellTest, ErrorOfTheCoreStopsTheProgramAndIsKept) {
  device();
  std::vector<Instruction> program(100, probe::count(10));
  program[7] = probe::fault(code(ErrorCode::kIllegalInstruction));
  program[8] = probe::fault(code(ErrorCode::kAxiWriteError));
  program.push_back(probe::end());
  const RunResult result = run(program);
  expect_fault(result, ErrorCode::kIllegalInstruction, 7);
  EXPECT_EQ(result.counters[2], 70);
  expect_good_run();
}

TEST_F(ShellTest, ProgramBeyondTheMemoryLimitIsNeverFetched) {
  device();
  const std::vector<Instruction> program = {probe::count(1), probe::end()};
  expect_fault(run(program, 1000, 0x1000, 0x1010), ErrorCode::kAddressOutOfRange, 0);
  EXPECT_EQ(run(program, 1000, 0x1000, 0x1020).status, RunStatus::kDone);
  // Wraps around 2^32.
  device_->write_register(registers::kProgAddr, 0xfffffff0);
  device_->write_register(registers::kProgLength, 0xffffffff);
  device_->write_register(registers::kMemLimit, 0);
  device_->write_register(registers::kCtrl, registers::kCtrlStart);
  for (int i = 0; i < 20; ++i) {
    device_->read_register(registers::kStatus);
  }
  EXPECT_EQ(device_->read_register(registers::kStatus),
            registers::kStatusDone | registers::kStatusError);
  EXPECT_EQ(device_->read_register(registers::kErrorCode), code(ErrorCode::kAddressOutOfRange));
  expect_good_run();
}

TEST_F(ShellTest, MisalignedProgramIsAnError) {
  device();
  expect_fault(run({probe::end()}, 1000, 8), ErrorCode::kAddressOutOfRange, 0);
}

TEST_F(ShellTest, ErrorResponseToAFetchStopsTheRun) {
  device();
  std::vector<Instruction> program(40, probe::count(1));
  program.push_back(probe::end());
  device_->memory().storage().set_fault(FaultRange{30 * 16, 30 * 16 + 1});
  const RunResult result = run(program);
  EXPECT_EQ(result.status, RunStatus::kFault);
  EXPECT_EQ(result.error_code, code(ErrorCode::kAxiReadError));
  EXPECT_LT(result.error_info, 30);
  device_->memory().storage().set_fault(std::nullopt);
  EXPECT_EQ(run(program).status, RunStatus::kDone);
}

TEST_F(ShellTest, FetchBeyondTheMemoryWithoutLimitIsAnAxiError) {
  device();
  device_->write_register(registers::kMemLimit, 0);
  RunRequest request;
  request.program_address = kMemoryBytes;
  request.instruction_count = 1;
  request.mem_limit = 0;
  request.cycle_limit = 1000;
  expect_fault(device_->run(request, nullptr), ErrorCode::kAxiReadError, 0);
}

TEST_F(ShellTest, RunThatNeverEndsStopsAtItsCycleLimitAndTheNextOneIsGood) {
  device();
  const RunResult result = run({probe::count(4), probe::hang(), probe::end()}, 5000);
  EXPECT_EQ(result.status, RunStatus::kCycleLimit);
  EXPECT_EQ(result.cycles, 5000);
  EXPECT_EQ(device_->read_register(registers::kStatus), 0);
  expect_good_run();
}

TEST_F(ShellTest, AssertionOfTheRtlIsAnErrorAndAResetMends) {
  device();
  try {
    run({probe::count(4), probe::fail_assertion(), probe::end()});
    ADD_FAILURE() << "the assertion did not stop the run";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("probe_core.sv"));
  }
  expect_good_run();
}

TEST_F(ShellTest, CycleLimitIsExact) {
  device();
  const std::vector<Instruction> program = {probe::count(1000), probe::end()};
  const std::uint64_t cycles = run(program).cycles;
  EXPECT_EQ(run(program, cycles).status, RunStatus::kDone);
  EXPECT_EQ(run(program, cycles - 1).status, RunStatus::kCycleLimit);
  EXPECT_EQ(run(program, cycles).status, RunStatus::kDone);
}

TEST_F(ShellTest, RunIsAbandonedWhenNobodyWaits) {
  device();
  const std::vector<Instruction> program = {probe::hang(), probe::end()};
  std::vector<std::uint8_t> bytes(32);
  std::memcpy(bytes.data(), program.data(), 32);
  device_->write_memory(0, Bytes(bytes.data(), 32));
  RunRequest request;
  request.instruction_count = 2;
  request.cycle_limit = ~std::uint64_t{0};
  int calls = 0;
  std::uint64_t last = 0;
  const RunResult result = device_->run(request, [&](std::uint64_t cycles) {
    EXPECT_GT(cycles, last);
    last = cycles;
    return ++calls < 5;
  });
  EXPECT_EQ(result.status, RunStatus::kAbandoned);
  EXPECT_EQ(calls, 5);
  expect_good_run();
}

TEST_F(ShellTest, RegistersOfTheProgramAreLockedDuringARun) {
  device();
  run({probe::end()});
  std::vector<Instruction> program = {probe::hang(), probe::end()};
  std::vector<std::uint8_t> bytes(32);
  std::memcpy(bytes.data(), program.data(), 32);
  device_->write_memory(0, Bytes(bytes.data(), 32));
  device_->write_register(registers::kProgLength, 2);
  device_->write_register(registers::kCtrl, registers::kCtrlStart);
  EXPECT_EQ(device_->read_register(registers::kStatus), registers::kStatusBusy);
  EXPECT_THROW(device_->write_register(registers::kProgAddr, 64), Error);
  EXPECT_THROW(device_->write_register(registers::kProgLength, 64), Error);
  EXPECT_THROW(device_->write_register(registers::kMemLimit, 64), Error);
  EXPECT_EQ(device_->read_register(registers::kProgLength), 2);
  device_->write_register(registers::kCtrl, registers::kCtrlStart);
  device_->write_register(registers::kCtrl, registers::kCtrlClear);
  EXPECT_EQ(device_->read_register(registers::kStatus), registers::kStatusBusy);
  RunRequest request;
  request.instruction_count = 2;
  request.cycle_limit = 100;
  EXPECT_THROW(device_->run(request, nullptr), Error);
  device_->reset();
  expect_good_run();
}

TEST_F(ShellTest, MemoryAccessesOfTheHostStayWithinTheMemory) {
  device();
  std::vector<std::uint8_t> bytes(16, 0x5a);
  device_->write_memory(kMemoryBytes - 16, Bytes(bytes.data(), 16));
  std::vector<std::uint8_t> back(16);
  device_->read_memory(kMemoryBytes - 16, MutableBytes(back.data(), 16));
  EXPECT_EQ(back, bytes);
  EXPECT_THROW(device_->write_memory(kMemoryBytes - 15, Bytes(bytes.data(), 16)), Error);
  EXPECT_THROW(device_->read_memory(~std::uint64_t{0}, MutableBytes(back.data(), 16)), Error);
}

// Start and end time of an FST file, in its header block: type 0, length, start, end (big endian).
std::pair<std::uint64_t, std::uint64_t> fst_times(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::uint8_t> head(25);
  file.read(reinterpret_cast<char*>(head.data()), 25);
  EXPECT_TRUE(file.good() && head[0] == 0) << path << " is not an FST file";
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  for (int i = 0; i < 8; ++i) {
    start = start << 8 | head[9 + i];
    end = end << 8 | head[17 + i];
  }
  return {start, end};
}

TEST_F(ShellTest, TraceHoldsTheCyclesOfItsWindow) {
  device();
  const std::string path = testing::TempDir() + "bittern_window.fst";
  const std::vector<Instruction> program = {probe::count(500), probe::end()};
  const std::uint64_t cycles = run(program).cycles;
  for (const std::uint64_t first : {0u, 100u}) {
    std::filesystem::remove(path);
    device_->start_trace({path, first, first + 49});
    const RunResult result = run(program);
    EXPECT_EQ(result.cycles, cycles);
    const auto [start, end] = fst_times(path);
    // 50 cycles of 5 ns, the last of which is dumped up to its falling edge.
    EXPECT_EQ(end - start, 50 * 5000 + 2500);
  }
  device_->stop_trace();
  std::filesystem::remove(path);
  run(program);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ShellTest, TraceThatCannotBeWrittenIsAnError) {
  device();
  EXPECT_THROW(device_->start_trace({"/nonexistent/trace.fst", 0, 10}), Error);
  EXPECT_THROW(device_->start_trace({testing::TempDir() + "x.fst", 11, 10}), Error);
  expect_good_run();
}

}  // namespace
}  // namespace bittern::sim
