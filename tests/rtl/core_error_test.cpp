// How the core stops on errors: the right code, nothing of the faulty instruction done, no burst
// left open.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "Vcore_tiny.h"
#include "tests/rtl/gemm_case.h"

namespace bittern::rtl_test {
namespace {

using bismo_isa::Word;

enum ErrorCode : unsigned { kIllegal = 1, kRange = 2, kRead = 3, kWrite = 4 };
constexpr std::size_t kMemoryBytes = 1u << 16;

class CoreErrorTest : public ::testing::Test {
 protected:
  const CoreShape core_{2, 64, 2, 128, 128, 1, 1, 8, 64};

  // Runs and expects `code`; afterwards a good program must still give the right result on the same
  // core.
  RunResult expect_error(const std::vector<Word>& program, unsigned code,
                         const MemoryConfig& memory = {}, const RunOptions& options = {}) {
    CoreHarness<Vcore_tiny> harness(core_, memory, kMemoryBytes, 1);
    RunResult result = harness.run(program, options);
    EXPECT_EQ(result.error_code, code);
    return result;
  }

  std::uint64_t accesses(const RunResult& result) const {
    return result.events[16] + result.events[17];  // read and write beats
  }

  bismo_isa::FetchLhs fetch() const {
    bismo_isa::FetchLhs fetch;
    fetch.words = 16;
    fetch.dram_base = 0x400;
    return fetch;
  }
  bismo_isa::Exec exec() const {
    bismo_isa::Exec exec;
    exec.k_words = 2;
    exec.emit = 1;
    return exec;
  }
  bismo_isa::Result result() const {
    bismo_isa::Result result;
    result.tiles = 1;
    result.dram_base = 0x800;
    return result;
  }
  // `code` and no access for this instruction alone.
  template <typename Instruction>
  void expect_refused(const Instruction& instruction, unsigned code, std::uint32_t mem_limit = 0) {
    RunOptions options;
    options.mem_limit = mem_limit;
    const RunResult run = expect_error({instruction.encode()}, code, {}, options);
    EXPECT_EQ(accesses(run), 0u);
    EXPECT_EQ(run.events[6], 0u);  // exec_run
  }
  template <typename Instruction>
  void expect_accepted(const std::vector<Instruction>& instructions, std::uint32_t mem_limit = 0) {
    std::vector<Word> program;
    for (const auto& instruction : instructions) program.push_back(instruction.encode());
    RunOptions options;
    options.mem_limit = mem_limit;
    expect_error(program, 0, {}, options);
  }
};

TEST_F(CoreErrorTest, UnknownOpcodesAreIllegal) {
  expect_error({Word{0, 0}}, kIllegal);
  for (std::uint64_t opcode = 5; opcode < 16; ++opcode) expect_error({Word{opcode, 0}}, kIllegal);
}

TEST_F(CoreErrorTest, ReservedBitsAreIllegal) {
  const std::vector<std::pair<Word, Word>> cases = {
      {fetch().encode(), Word{0x0200000000000040, 0}},
      {exec().encode(), Word{0, std::uint64_t{1} << 62}},
      {exec().encode(), Word{0, std::uint64_t{1} << 63}},
      {result().encode(), Word{0x10, 0}},
      {result().encode(), Word{std::uint64_t{1} << 56, 0}},
  };
  for (const auto& [good, bits] : cases) {
    expect_error({Word{good[0] | bits[0], good[1] | bits[1]}}, kIllegal);
  }
}

TEST_F(CoreErrorTest, ResultsNarrowerThanTheBuildHasAreIllegal) {
  for (unsigned width = 1; width < 4; ++width) {
    auto narrow = result();
    narrow.width = width;
    expect_refused(narrow, kIllegal);
  }
}

TEST_F(CoreErrorTest, ZeroCountsAreIllegal) {
  auto no_words = fetch();
  no_words.words = 0;
  expect_refused(no_words, kIllegal);
  auto no_k = exec();
  no_k.k_words = 0;
  expect_refused(no_k, kIllegal);
  auto no_tiles = result();
  no_tiles.tiles = 0;
  expect_refused(no_tiles, kIllegal);
}

TEST_F(CoreErrorTest, AFetchFillsAtLeastOneBank) {
  for (unsigned narrow = 2; narrow < 8; ++narrow) {
    auto none = fetch();
    none.narrow = narrow;
    expect_refused(none, kIllegal);
  }
}

TEST_F(CoreErrorTest, MisalignedAddressesAreIllegal) {
  auto base = fetch();
  base.dram_base += 32;
  expect_refused(base, kIllegal);
  auto stride = fetch();
  stride.lane_stride = 8;
  expect_refused(stride, kIllegal);
  auto write = result();
  write.dram_base += 8;
  expect_refused(write, kIllegal);
}

TEST_F(CoreErrorTest, AccumulateNeedsAnOpenSlotAndOneTile) {
  auto orphan = exec();
  orphan.accumulate = 1;
  expect_refused(orphan, kIllegal);
  auto open = exec();
  open.emit = 0;
  auto many = orphan;
  many.lhs_tiles = 1;
  expect_error({open.encode(), many.encode()}, kIllegal);
  expect_error({open.encode(), orphan.encode()}, 0);
  expect_error({open.encode(), orphan.encode(), orphan.encode()}, kIllegal);
}

TEST_F(CoreErrorTest, BufferRangesAreChecked) {
  auto last = fetch();
  last.buffer_base = 120;  // 16 words over two banks: rows 120 .. 127
  expect_accepted<bismo_isa::FetchLhs>({last});
  last.words = 17;
  expect_refused(last, kRange);
  bismo_isa::FetchRhs rhs;
  rhs.words = 258;
  expect_refused(rhs, kRange);
  auto narrow = fetch();
  narrow.narrow = 1;
  narrow.buffer_base = 112;  // 16 words in one bank
  expect_accepted<bismo_isa::FetchLhs>({narrow});
  narrow.buffer_base = 113;
  expect_refused(narrow, kRange);

  auto tiles = exec();
  tiles.emit = 0;
  tiles.lhs_tiles = 3;
  tiles.lhs_bits = 7;
  tiles.lhs_stride = 16;
  tiles.lhs_base = 64;  // 64 + 3 * 16 + 8 * 2 = 128
  expect_accepted<bismo_isa::Exec>({tiles});
  tiles.lhs_base = 65;
  expect_refused(tiles, kRange);
  tiles.lhs_base = 64;
  tiles.rhs_tiles = 16383;
  tiles.rhs_stride = 65535;
  expect_refused(tiles, kRange);
}

TEST_F(CoreErrorTest, MemoryLimitIsChecked) {
  auto read = fetch();
  read.dram_base = 0x4000 - 128;
  expect_accepted<bismo_isa::FetchLhs>({read}, 0x4000);
  expect_refused(read, kRange, 0x4000 - 1);
  read.dram_base = 0xffffffc0;  // would wrap, with the check off
  expect_refused(read, kRange, 0);
  auto write = result();
  write.dram_base = 0x4000;
  expect_refused(write, kRange, 0x4000);
}

TEST_F(CoreErrorTest, InstructionsAfterAnErrorAreDropped) {
  auto far = fetch();
  far.dram_base = 0x100000;
  std::vector<Word> program{far.encode()};
  for (int i = 0; i < 100; ++i) program.push_back(fetch().encode());
  RunOptions options;
  options.mem_limit = kMemoryBytes;
  const RunResult run = expect_error(program, kRange, {}, options);
  EXPECT_EQ(accesses(run), 0u);
  EXPECT_LE(run.events[18], 1u);  // instr_fetch_lhs: at most the one that was right behind
}

TEST_F(CoreErrorTest, ReadErrorStopsTheRunCleanly) {
  std::mt19937 rng(4);
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    GemmShape shape;
    shape.lhs_bits = shape.rhs_bits = 4;
    shape.k_words = 3;
    shape.lhs_tiles = 4;
    shape.rhs_tiles = 2;
    shape.schedule = Schedule::kStriped;
    const GemmCase gemm = make_gemm(core_, shape, rng);
    MemoryConfig memory;
    memory.stall_percent = seed % 2 * 40;
    // Six stripes of 4 * 3 * 2 words of 8 bytes, each followed by a gap of 64 bytes.
    memory.read_error = 256 * (rng() % 6) + rng() % 192;
    CoreHarness<Vcore_tiny> harness(core_, memory, kMemoryBytes, seed);
    std::copy(gemm.image.begin(), gemm.image.end(), harness.memory().data().begin());
    EXPECT_EQ(harness.run(gemm.program).error_code, kRead) << "seed " << seed;
  }
}

TEST_F(CoreErrorTest, WriteErrorStopsTheRunCleanly) {
  std::mt19937 rng(5);
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    GemmShape shape;
    shape.k_words = 1;
    shape.lhs_tiles = 4;
    shape.rhs_tiles = 4;
    const GemmCase gemm = make_gemm(core_, shape, rng);
    MemoryConfig memory;
    memory.stall_percent = seed % 2 * 40;
    memory.write_error = gemm.result_base + static_cast<std::int64_t>(rng() % (16 * 16));
    CoreHarness<Vcore_tiny> harness(core_, memory, kMemoryBytes, seed);
    std::copy(gemm.image.begin(), gemm.image.end(), harness.memory().data().begin());
    EXPECT_EQ(harness.run(gemm.program).error_code, kWrite) << "seed " << seed;
  }
}

}  // namespace
}  // namespace bittern::rtl_test
