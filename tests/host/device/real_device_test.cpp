// The client against a real simulated device: skipped where none was built.
#include <signal.h>

#include <memory>

#include "host/base/file.h"
#include "host/cores/bismo/bismo_isa.h"
#include "host/cores/cores.h"
#include "host/device/device_pool.h"
#include "host/protocol/registers.h"
#include "tests/host/device/helpers.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::pid_of;

class RealDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.folder = BITTERN_BINARY_DIR "/bin";
    if (!std::filesystem::exists(options_.folder / "bittern-device-bismo_tiny")) {
      GTEST_SKIP() << "bittern-device-bismo_tiny was not built (BITTERN_DEVICES=OFF)";
    }
    device_ = start_device(variant_, options_);
  }

  /// Puts instructions at an address.
  void load(std::uint64_t address, const std::vector<bismo_isa::Word>& program) {
    std::vector<std::uint8_t> bytes;
    for (const auto& word : program) {
      for (int i = 0; i < 16; ++i) {
        bytes.push_back(static_cast<std::uint8_t>(word[i / 8] >> (8 * (i % 8))));
      }
    }
    device_->write_memory(address, bytes);
  }

  /// Waits for a token that nobody sends.
  static bismo_isa::Word waits_for_ever() {
    bismo_isa::Exec exec;
    exec.wait_lhs = 1;
    exec.k_words = 1;
    return exec.encode();
  }

  Variant variant_ = load_variant("bismo_tiny");
  DeviceOptions options_;
  std::unique_ptr<Device> device_;
};

TEST_F(RealDevice, KeepsMemoryOfAllItsSize) {
  const std::uint64_t size = device_->identity().memory_bytes;
  EXPECT_EQ(size, variant_.memory.size_bytes);
  const std::vector<std::uint8_t> bytes = {1, 2, 3, 4, 5};
  for (const std::uint64_t address : {std::uint64_t{0}, std::uint64_t{4093}, size - 5}) {
    device_->write_memory(address, bytes);
    EXPECT_EQ(device_->read_memory(address, 5), bytes);
  }
  EXPECT_THROW(device_->write_memory(size - 4, bytes), DeviceRefusal);
}

TEST_F(RealDevice, RunsTheShortestProgram) {
  load(64, {bismo_isa::End{}.encode()});
  const RunResult first = device_->run({64, 1, 0, 10000});
  EXPECT_EQ(first.status, RunStatus::kDone);
  EXPECT_GT(first.cycles, 0u);
  EXPECT_EQ(first.counters.at(0), first.cycles);
  EXPECT_EQ(first.counters.size(), 1 + device_->read_registers({registers::kNumEvents}).at(0));
  EXPECT_EQ(device_->run({64, 1, 0, 10000}).cycles, first.cycles);
}

TEST_F(RealDevice, ReportsFaults) {
  load(0, {bismo_isa::Word{0xf, 0}, bismo_isa::End{}.encode()});
  const RunResult illegal = device_->run({0, 2, 0, 10000});
  EXPECT_EQ(illegal.status, RunStatus::kFault);
  EXPECT_EQ(registers::ErrorCode{illegal.error_code}, registers::ErrorCode::kIllegalInstruction);
  load(0, {bismo_isa::End{}.encode()});
  EXPECT_EQ(device_->run({0, 1, 0, 10000}).status, RunStatus::kDone);
}

TEST_F(RealDevice, StopsAtItsCycleLimitAndGoesOn) {
  load(0, {waits_for_ever(), bismo_isa::End{}.encode()});
  const RunResult result = device_->run({0, 2, 0, 5000});
  EXPECT_EQ(result.status, RunStatus::kCycleLimit);
  EXPECT_GE(result.cycles, 5000u);
  load(0, {bismo_isa::End{}.encode()});
  EXPECT_EQ(device_->run({0, 1, 0, 10000}).status, RunStatus::kDone);
}

TEST_F(RealDevice, ItsDeathInARunIsReported) {
  load(0, {waits_for_ever(), bismo_isa::End{}.encode()});
  std::uint64_t cycles = 0;
  const std::string message = message_of<DeviceError>([&] {
    device_->run({0, 2, 0, ~std::uint64_t{0}}, [&](std::uint64_t so_far) {
      cycles = so_far;
      ::kill(pid_of(*device_), SIGKILL);
    });
  });
  EXPECT_GT(cycles, 0u);
  EXPECT_THAT(message, AllOf(HasSubstr("bismo_tiny"), HasSubstr("running a program of 2"),
                             HasSubstr("killed by signal 9")));
}

TEST_F(RealDevice, EndsSoonWhenItsHostLeavesDuringARun) {
  load(0, {waits_for_ever(), bismo_isa::End{}.encode()});
  const int pid = pid_of(*device_);
  EXPECT_THROW(device_->run({0, 2, 0, ~std::uint64_t{0}},
                            [](std::uint64_t) { throw std::runtime_error("enough"); }),
               std::runtime_error);
  // Only its connection has been closed, its process not been killed.
  EXPECT_TRUE(testing::eventually([&] { return !testing::process_runs(pid); }));
}

TEST_F(RealDevice, TakesItsMemoryModelFromTheFileOfTheVariant) {
  std::string text = read_file(variant_.file);
  const std::string line = "latency_cycles: 16";
  ASSERT_NE(text.find(line), std::string::npos);
  text.replace(text.find(line), line.size(), "latency_cycles: 90");
  const auto file = std::filesystem::temp_directory_path() /
                    ("bittern_" + std::to_string(::getpid())) / "bismo_tiny.yaml";
  std::filesystem::create_directories(file.parent_path());
  write_file(file, text);
  load(0, {bismo_isa::End{}.encode()});
  const std::uint64_t before = device_->run({0, 1, 0, 10000}).cycles;
  device_ = start_device(load_variant(file.string()), options_);
  EXPECT_EQ(device_->identity().memory.at("latency_cycles"), 90);
  load(0, {bismo_isa::End{}.encode()});
  EXPECT_EQ(device_->run({0, 1, 0, 10000}).cycles, before + 74);
  std::filesystem::remove_all(file.parent_path());
}

TEST_F(RealDevice, AnotherMemoryModelIsNoticed) {
  Variant slower = variant_;
  slower.memory.latency_cycles += 5;
  EXPECT_THAT(message_of<Error>([&] { start_device(slower, options_); }),
              HasSubstr("memory.latency_cycles is 16, expected 21"));
}

}  // namespace
}  // namespace bittern
