// How the BitFusion core stops on errors: the right code, nothing of the faulty instruction done,
// no burst left open.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "Vfusion_tiny.h"
#include "host/protocol/registers.h"
#include "tests/rtl/bitfusion_case.h"

namespace bittern::rtl_test {
namespace {

namespace isa = bitfusion_isa;

enum ErrorCode : unsigned { kIllegal = 1, kRange = 2, kRead = 3, kWrite = 4 };
constexpr std::size_t kMemoryBytes = 1u << 20;

class BitfusionErrorTest : public ::testing::Test {
 protected:
  const BitfusionShape core_{4, 2, 128, 64, 64, 1, 1, 1, 8, 64};

  static std::uint64_t count(const RunResult& run, std::string_view name) {
    const auto& names = registers::kBitfusionEvents;
    return run.events[static_cast<std::size_t>(std::find(names.begin(), names.end(), name) -
                                               names.begin())];
  }
  RunResult expect(const std::vector<InstructionWord>& program, unsigned code,
                   std::uint32_t mem_limit = 0, const MemoryConfig& memory = {}) {
    CoreHarness<Vfusion_tiny> harness(core_, memory, kMemoryBytes, 1);
    RunOptions options;
    options.mem_limit = mem_limit;
    RunResult result = harness.run(program, options);
    EXPECT_EQ(result.error_code, code);
    return result;
  }
  // `code`, and no access and no step for this instruction alone.
  template <typename Instruction>
  void refused(const Instruction& instruction, unsigned code, std::uint32_t mem_limit = 0) {
    const RunResult run = expect({instruction.encode()}, code, mem_limit);
    EXPECT_EQ(count(run, "read_beats") + count(run, "write_beats"), 0u);
    EXPECT_EQ(count(run, "exec_run"), 0u);
  }
  template <typename Instruction>
  void accepted(const Instruction& instruction, std::uint32_t mem_limit = 0) {
    expect({instruction.encode()}, 0, mem_limit);
  }

  // A STORE with the tiles that it waits for.
  void accepted_store(const isa::Store& store, std::uint32_t mem_limit = 0) {
    isa::Compute compute;
    compute.emit = 1;
    std::vector<InstructionWord> program(1 + store.tiles, compute.encode());
    program[0] = store.encode();
    expect(program, 0, mem_limit);
  }

  isa::FetchLhs fetch() const {
    isa::FetchLhs fetch;
    fetch.words = 16;
    fetch.dram_base = 0x400;
    return fetch;
  }
  isa::FetchRhs fetch_weights() const {
    isa::FetchRhs fetch;
    fetch.words = 16;
    fetch.dram_base = 0x400;
    return fetch;
  }
  isa::Store store() const {
    isa::Store store;
    store.tiles = 1;
    store.words = 4;
    store.dram_base = 0x800;
    return store;
  }
};

TEST_F(BitfusionErrorTest, UnknownOpcodesAreIllegal) {
  expect({InstructionWord{0, 0}}, kIllegal);
  for (std::uint64_t opcode = 7; opcode < 16; ++opcode) {
    expect({InstructionWord{opcode, 0}}, kIllegal);
  }
}

TEST_F(BitfusionErrorTest, ReservedBitsAreIllegal) {
  const std::vector<std::pair<InstructionWord, InstructionWord>> cases = {
      {fetch().encode(), {0x40, 0}},
      {fetch_weights().encode(), {std::uint64_t{1} << 56, 0}},
      {isa::Compute().encode(), {0x100, 0}},
      {isa::Compute().encode(), {0, std::uint64_t{1} << 20}},
      {store().encode(), {0x10, 0}},
      {isa::Setup().encode(), {0x10000, 0}},
      {isa::Setup().encode(), {0, 1}},
      {isa::Loop().encode(), {0x800, 0}},
      {isa::Loop().encode(), {std::uint64_t{1} << 52, 0}},
  };
  for (const auto& [good, bits] : cases) {
    if (good != store().encode()) expect({good}, 0);
    expect({InstructionWord{good[0] | bits[0], good[1] | bits[1]}}, kIllegal);
  }
}

TEST_F(BitfusionErrorTest, ZeroCountsAndMisalignedAddressesAreIllegal) {
  auto no_words = fetch();
  no_words.words = 0;
  refused(no_words, kIllegal);
  auto no_tiles = store();
  no_tiles.tiles = 0;
  refused(no_tiles, kIllegal);
  auto empty = store();
  empty.words = 0;
  refused(empty, kIllegal);
  auto base = fetch();
  base.dram_base += 32;
  refused(base, kIllegal);
  auto stride = fetch_weights();
  stride.lane_stride = 8;
  refused(stride, kIllegal);
  auto write = store();
  write.dram_base += 8;
  refused(write, kIllegal);
}

TEST_F(BitfusionErrorTest, ResultsNarrowerThanTheBuildHasAreIllegal) {
  for (unsigned width = 1; width < 4; ++width) {
    isa::Store narrow = store();
    narrow.width = width;
    refused(narrow, kIllegal);
  }
}

TEST_F(BitfusionErrorTest, ModesThatDoNotExistAreIllegal) {
  for (unsigned k = 0; k < 64; ++k) {
    isa::Setup setup;
    setup.lhs_mode = k % 4;
    setup.rhs_mode = k / 4 % 4;
    setup.lhs_wide = k / 16 % 2;
    setup.rhs_wide = k / 32;
    const bool good = setup.lhs_mode < 3 && setup.rhs_mode < 3 &&
                      (!setup.lhs_wide || setup.lhs_mode == 2) &&
                      (!setup.rhs_wide || setup.rhs_mode == 2);
    expect({setup.encode()}, good ? 0u : unsigned{kIllegal});
  }
}

TEST_F(BitfusionErrorTest, AccumulateNeedsAnOpenTile) {
  isa::Compute orphan;
  orphan.accumulate = orphan.emit = 1;
  refused(orphan, kIllegal);
  isa::Compute open;
  expect({open.encode(), orphan.encode()}, 0);
  expect({open.encode(), orphan.encode(), orphan.encode()}, kIllegal);
  expect({open.encode(), isa::Setup().encode(), isa::Loop().encode(), orphan.encode()}, 0);
}

TEST_F(BitfusionErrorTest, BufferRangesAreChecked) {
  auto last = fetch();
  last.buffer_base = 120;  // 16 words of 64 bits, two to a word of the buffer: rows 120 .. 127
  accepted(last);
  last.words = 17;
  refused(last, kRange);
  auto weights = fetch_weights();
  weights.buffer_base = 60;  // four to a word: rows 60 .. 63
  accepted(weights);
  weights.words = 17;
  refused(weights, kRange);
  auto tile = store();
  tile.words = 32;
  accepted_store(tile);
  tile.words = 33;
  refused(tile, kRange);

  isa::Setup setup;
  setup.lhs_mode = setup.rhs_mode = 2;
  isa::Loop loop;
  loop.iterations = 7;
  loop.lhs_jump = 1;
  isa::Compute compute;
  compute.lhs_base = 4 * 128 - 8;
  expect({setup.encode(), loop.encode(), compute.encode()}, 0);
  compute.lhs_base += 1;
  const RunResult run = expect({setup.encode(), loop.encode(), compute.encode()}, kRange);
  EXPECT_EQ(count(run, "exec_run"), 8u);  // the eighth step is beyond
}

TEST_F(BitfusionErrorTest, MemoryLimitIsChecked) {
  auto read = fetch();
  read.dram_base = 0x4000 - 128;
  accepted(read, 0x4000);
  refused(read, kRange, 0x4000 - 1);
  read.dram_base = 0xffffffc0;  // would wrap, with the check off
  refused(read, kRange, 0);
  auto write = store();  // 3 tiles of 4 words of 8 bytes
  write.tiles = 3;
  write.dram_base = 0x4000 - 128;
  accepted_store(write, 0x4000);
  write.tiles = 5;
  refused(write, kRange, 0x4000);
  write.tiles = 0xffffff;  // beyond 2^32
  write.words = 32;
  refused(write, kRange, 0);
}

TEST_F(BitfusionErrorTest, InstructionsAfterAnErrorAreDropped) {
  auto far = fetch();
  far.dram_base = 0x1000000;
  std::vector<InstructionWord> program{far.encode()};
  for (int i = 0; i < 100; ++i) program.push_back(fetch().encode());
  const RunResult run = expect(program, kRange, kMemoryBytes);
  EXPECT_EQ(count(run, "read_beats"), 0u);
  EXPECT_LE(count(run, "instr_fetch_lhs"), 1u);  // at most the one that was right behind
}

TEST_F(BitfusionErrorTest, ReadAndWriteErrorsStopTheRunCleanly) {
  std::mt19937 rng(4);
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    const BitfusionCase program = make_bitfusion(core_, 6, rng);
    MemoryConfig memory;
    memory.stall_percent = seed % 2 * 40;
    // The first byte of some fetch, or of the first STORE.
    const bool read = seed % 4 < 2;
    std::vector<std::int64_t> places;
    for (const InstructionWord& word : program.program) {
      const std::uint64_t opcode = word[0] & 15;
      const auto base = static_cast<std::int64_t>(isa::FetchLhs::decode(word).dram_base);
      if (read ? opcode == isa::FetchLhs::kOpcode || opcode == isa::FetchRhs::kOpcode
               : opcode == isa::Store::kOpcode) {
        places.push_back(base);
      }
    }
    (read ? memory.read_error : memory.write_error) = places[rng() % places.size()];
    CoreHarness<Vfusion_tiny> harness(core_, memory, program.image.size(), seed);
    harness.memory().data() = program.image;
    EXPECT_EQ(harness.run(program.program).error_code, read ? kRead : kWrite) << "seed " << seed;
  }
}

}  // namespace
}  // namespace bittern::rtl_test
