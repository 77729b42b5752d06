// BISMO behind the shell in the SystemC device: a product that is right, and every way in which a
// program can go wrong.
#include <gmock/gmock.h>

#include <algorithm>
#include <optional>

#include "host/cores/bismo/bismo_isa.h"
#include "host/protocol/registers.h"
#include "tests/sim/device_fixture.h"

namespace bittern::sim {
namespace {

namespace isa = bismo_isa;
using registers::ErrorCode;

constexpr std::uint64_t kLhs = 0x4000;
constexpr std::uint64_t kRhs = 0x8000;
constexpr std::uint64_t kOut = 0xc000;

std::size_t counter(const std::string& event) {
  const auto& names = registers::kBismoEvents;
  return 1 + (std::find(names.begin(), names.end(), event) - names.begin());
}

// C = L * R of one 2 x 2 tile (Dm = Dn = 2, K = 64 * words) with `bits` bits, both signed.
class BismoTest : public DeviceTest {
 protected:
  struct Programs {
    isa::FetchLhs lhs;
    isa::FetchRhs rhs;
    isa::Exec exec;
    isa::Result result;
  };

  static Programs product(unsigned bits, unsigned words) {
    Programs p;
    p.lhs.send_filled = 1;
    p.lhs.words = 2 * bits * words;
    p.lhs.dram_base = kLhs;
    p.rhs.send_filled = 1;
    p.rhs.words = 2 * bits * words;
    p.rhs.dram_base = kRhs;
    p.exec.wait_lhs = p.exec.wait_rhs = 1;
    p.exec.lhs_signed = p.exec.rhs_signed = 1;
    p.exec.emit = 1;
    p.exec.lhs_bits = p.exec.rhs_bits = bits - 1;
    p.exec.k_words = words;
    p.exec.lhs_stride = p.exec.rhs_stride = bits * words;
    p.result.tiles = 1;
    p.result.dram_base = kOut;
    return p;
  }

  static std::vector<Instruction> program(const Programs& p) {
    return {p.lhs.encode(), p.rhs.encode(), p.exec.encode(), p.result.encode(),
            isa::End().encode()};
  }

  // Stores a 2 x (64 * words) operand as bit planes: word i of the run goes to row i mod 2, address
  // i / 2, and the planes of a row follow each other.
  void store(std::uint64_t base, const std::vector<std::vector<int>>& rows, unsigned bits,
             unsigned words) {
    std::vector<std::uint64_t> image(2 * bits * words);
    for (unsigned r = 0; r < 2; ++r) {
      for (unsigned b = 0; b < bits; ++b) {
        for (unsigned k = 0; k < 64 * words; ++k) {
          const std::uint64_t bit = (static_cast<unsigned>(rows[r][k]) >> b) & 1;
          image[2 * (b * words + k / 64) + r] |= bit << (k % 64);
        }
      }
    }
    device_->write_memory(
        base, Bytes(reinterpret_cast<const std::uint8_t*>(image.data()), image.size() * 8));
  }

  void expect_product(unsigned bits, unsigned words, std::uint64_t seed) {
    std::uint64_t state = seed;
    const auto random = [&] {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return static_cast<int>(state >> 40) % (1 << bits) - (1 << (bits - 1));
    };
    std::vector<std::vector<int>> lhs(2), rhs(2);
    for (unsigned k = 0; k < 64 * words; ++k) {
      for (unsigned r = 0; r < 2; ++r) {
        lhs[r].push_back(random());
        rhs[r].push_back(random());
      }
    }
    store(kLhs, lhs, bits, words);
    store(kRhs, rhs, bits, words);
    const RunResult result = run(program(product(bits, words)));
    ASSERT_EQ(result.status, RunStatus::kDone)
        << registers::error_name(ErrorCode(result.error_code));
    std::vector<std::int32_t> out(4);
    device_->read_memory(kOut, MutableBytes(reinterpret_cast<std::uint8_t*>(out.data()), 16));
    for (unsigned m = 0; m < 2; ++m) {
      for (unsigned n = 0; n < 2; ++n) {
        int sum = 0;
        for (unsigned k = 0; k < 64 * words; ++k) {
          sum += lhs[m][k] * rhs[n][k];
        }
        EXPECT_EQ(out[2 * m + n], sum) << m << ", " << n;
      }
    }
    EXPECT_EQ(result.counters[counter("exec_run")], bits * bits * words);
    EXPECT_EQ(result.counters[counter("tiles_emitted")], 1);
    EXPECT_EQ(result.counters[counter("write_beats")], 2);
    EXPECT_EQ(result.counters[counter("read_beats")], 2 * 2 * bits * words);
  }

  void expect_fault(const Programs& p, ErrorCode code) {
    const RunResult result = run(program(p));
    EXPECT_EQ(result.status, RunStatus::kFault);
    EXPECT_EQ(ErrorCode(result.error_code), code)
        << registers::error_name(ErrorCode(result.error_code));
  }
};

TEST_F(BismoTest, ProductIsRightForEveryNumberOfBits) {
  device();
  for (unsigned bits = 2; bits <= 8; ++bits) {
    expect_product(bits, 1 + bits % 3, bits);
  }
}

TEST_F(BismoTest, UnknownInstructionIsIllegal) {
  device();
  Instruction unknown = {0xf, 0};
  const RunResult result = run({unknown, isa::End().encode()});
  EXPECT_EQ(result.status, RunStatus::kFault);
  EXPECT_EQ(ErrorCode(result.error_code), ErrorCode::kIllegalInstruction);
  expect_product(3, 2, 1);
}

TEST_F(BismoTest, FetchOfNoWordsIsIllegal) {
  device();
  Programs p = product(4, 1);
  p.lhs.words = 0;
  expect_fault(p, ErrorCode::kIllegalInstruction);
  expect_product(3, 2, 1);
}

TEST_F(BismoTest, FetchBeyondTheMemoryLimitIsOutOfRange) {
  device();
  Programs p = product(4, 1);
  p.rhs.dram_base = kMemoryBytes - 32;
  p.rhs.dram_base &= ~std::uint64_t{63};
  p.rhs.words = 9;
  expect_fault(p, ErrorCode::kAddressOutOfRange);
  expect_product(3, 2, 1);
}

TEST_F(BismoTest, FetchBeyondTheBufferIsOutOfRange) {
  device();
  Programs p = product(4, 1);
  p.lhs.buffer_base = 127;
  expect_fault(p, ErrorCode::kAddressOutOfRange);
  expect_product(3, 2, 1);
}

TEST_F(BismoTest, ResultBeyondTheMemoryLimitIsOutOfRange) {
  device();
  Programs p = product(4, 1);
  p.result.dram_base = kMemoryBytes;
  expect_fault(p, ErrorCode::kAddressOutOfRange);
  expect_product(3, 2, 1);
}

TEST_F(BismoTest, ErrorResponseToAReadEndsTheRun) {
  device();
  device_->memory().storage().set_fault(FaultRange{kRhs + 24, kRhs + 25});
  expect_fault(product(4, 1), ErrorCode::kAxiReadError);
  device_->memory().storage().set_fault(std::nullopt);
  expect_product(3, 2, 1);
}

TEST_F(BismoTest, ErrorResponseToAWriteEndsTheRun) {
  device();
  device_->memory().storage().set_fault(FaultRange{kOut + 8, kOut + 9});
  expect_fault(product(4, 1), ErrorCode::kAxiWriteError);
  device_->memory().storage().set_fault(std::nullopt);
  expect_product(3, 2, 1);
}

TEST_F(BismoTest, TokenThatNeverComesReachesTheCycleLimitAndAResetMends) {
  device();
  Programs p = product(4, 1);
  p.lhs.send_filled = 0;
  const RunResult result = run(program(p), 20000);
  EXPECT_EQ(result.status, RunStatus::kCycleLimit);
  EXPECT_EQ(result.cycles, 20000);
  EXPECT_GT(result.counters[counter("exec_wait_lhs")], 19000);
  expect_product(5, 3, 2);
}

TEST_F(BismoTest, RunsRepeatCycleForCycleAlsoAfterOtherRunsAndResets) {
  device();
  const std::vector<Instruction> first = program(product(6, 2));
  const RunResult reference = run(first);
  run(program(product(2, 1)));
  EXPECT_EQ(run(first).counters, reference.counters);
  Programs hang = product(4, 1);
  hang.lhs.send_filled = 0;
  run(program(hang), 5000);
  EXPECT_EQ(run(first).counters, reference.counters);
}

TEST_F(BismoTest, SlowMemoryTakesMoreCyclesForTheSameResult) {
  device(90, 2, 1);
  expect_product(5, 3, 2);
}

TEST_F(BismoTest, LongProgramsFlowThroughTheQueues) {
  device();
  const Programs p = product(2, 1);
  std::vector<Instruction> all;
  for (int i = 0; i < 200; ++i) {
    for (const Instruction& instruction : program(p)) {
      all.push_back(instruction);
    }
    all.pop_back();
  }
  all.push_back(isa::End().encode());
  const RunResult result = run(all, 1000000, 0x20000);
  EXPECT_EQ(result.status, RunStatus::kDone);
  EXPECT_EQ(result.counters[counter("instr_exec")], 200);
  EXPECT_EQ(result.counters[counter("tiles_emitted")], 200);
}

}  // namespace
}  // namespace bittern::sim
