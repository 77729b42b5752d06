// The whole BitFusion core against a behavioural memory: random programs of every kind,
// back-pressure, counters, latencies. Every test runs on several builds; the fast and the
// structural form of one of them must agree in every cycle.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

#include "Vfusion_edge.h"
#include "Vfusion_flat.h"
#include "Vfusion_split.h"
#include "Vfusion_struct.h"
#include "Vfusion_tiny.h"
#include "Vfusion_wide.h"
#include "host/protocol/registers.h"
#include "tests/rtl/bitfusion_case.h"

namespace bittern::rtl_test {
namespace {

namespace isa = bitfusion_isa;

// Number of an event of the register map.
std::size_t event(std::string_view name) {
  const auto& names = registers::kBitfusionEvents;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw std::logic_error("no event " + std::string(name));
  return static_cast<std::size_t>(found - names.begin());
}

// Shapes of the builds in CMakeLists.txt.
struct Tiny {
  using Dut = Vfusion_tiny;
  static BitfusionShape shape() { return {4, 2, 128, 64, 64, 1, 1, 1, 8, 64}; }
};
struct Split {  // two fetch groups, two beats a word
  using Dut = Vfusion_split;
  static BitfusionShape shape() { return {2, 8, 64, 32, 32, 1, 2, 2, 8, 8}; }
};
struct Edge {  // the array and the ports of bitfusion_edge
  using Dut = Vfusion_edge;
  static BitfusionShape shape() { return {8, 8, 128, 64, 64, 4, 4, 4, 8, 256}; }
};
struct Wide {  // of bitfusion_cloud
  using Dut = Vfusion_wide;
  static BitfusionShape shape() { return {16, 16, 64, 16, 32, 2, 4, 2, 32, 4}; }
};
struct Flat {
  using Dut = Vfusion_flat;
  static BitfusionShape shape() { return {4, 4, 64, 32, 16, 2, 2, 1, 8, 16}; }
};
struct Structural {
  using Dut = Vfusion_struct;
  static BitfusionShape shape() { return Flat::shape(); }
};

template <typename Build>
class BitfusionCoreTest : public ::testing::Test {
 protected:
  using Dut = typename Build::Dut;
  const BitfusionShape core_ = Build::shape();

  // Runs the program and compares all of memory.
  RunResult check(const BitfusionCase& program, const MemoryConfig& memory, std::uint32_t seed,
                  const RunOptions& options = {}) {
    CoreHarness<Dut> harness(core_, memory, program.image.size(), seed);
    harness.memory().data() = program.image;
    RunResult result = harness.run(program.program, options);
    EXPECT_EQ(result.error_code, 0u);
    EXPECT_TRUE(harness.memory().data() == program.expected) << "seed " << seed;
    EXPECT_EQ(result.events[event("exec_run")], program.steps);
    EXPECT_EQ(result.events[event("lhs_buffer_reads")], program.lhs_reads);
    EXPECT_EQ(result.events[event("rhs_buffer_reads")], program.rhs_reads);
    EXPECT_EQ(result.events[event("obuf_writes")], program.outputs);
    EXPECT_EQ(result.events[event("obuf_reads")], program.stored_words + program.accumulated);
    EXPECT_EQ(result.events[event("tiles_emitted")], program.tiles);
    return result;
  }
};

using Builds = ::testing::Types<Tiny, Split, Edge, Wide, Flat, Structural>;
TYPED_TEST_SUITE(BitfusionCoreTest, Builds);

TYPED_TEST(BitfusionCoreTest, AllModesAndSignsMatchTheModel) {
  std::mt19937 rng(1);
  for (std::uint32_t k = 0; k < 36; ++k) {
    BitfusionModes modes;
    modes.random = false;
    modes.setup.lhs_mode = k % 3;
    modes.setup.rhs_mode = k / 3 % 3;
    modes.setup.lhs_signed = k / 9 % 2;
    modes.setup.rhs_signed = k / 18;
    this->check(make_bitfusion(this->core_, 2, rng, modes), {}, k);
    if (this->HasFailure()) FAIL() << "modes " << k;
  }
}

TYPED_TEST(BitfusionCoreTest, WideOperandsMatchTheModel) {
  std::mt19937 rng(2);
  for (std::uint32_t k = 0; k < 12; ++k) {
    BitfusionModes modes;
    modes.random = false;
    modes.setup.lhs_mode = modes.setup.rhs_mode = 2;
    modes.setup.lhs_wide = k % 3 != 0;
    modes.setup.rhs_wide = k % 3 != 1;
    modes.setup.lhs_signed = k / 3 % 2;
    modes.setup.rhs_signed = k / 6;
    this->check(make_bitfusion(this->core_, 2, rng, modes), {}, k);
    if (this->HasFailure()) FAIL() << "modes " << k;
  }
}

TYPED_TEST(BitfusionCoreTest, RandomProgramsMatchTheModel) {
  std::mt19937 rng(7);
  for (std::uint32_t i = 0; i < 40 && !this->HasFailure(); ++i) {
    this->check(make_bitfusion(this->core_, 1 + rng() % 8, rng), {}, 1000 + i);
  }
}

TYPED_TEST(BitfusionCoreTest, RandomProgramsUnderBackPressureMatchTheModel) {
  std::mt19937 rng(8);
  for (std::uint32_t i = 0; i < 40 && !this->HasFailure(); ++i) {
    MemoryConfig memory;
    memory.stall_percent = rng() % 80;
    memory.latency = 1 + rng() % 40;
    memory.outstanding = 1 + rng() % 12;
    RunOptions options;
    options.gap_percent = rng() % 90;
    this->check(make_bitfusion(this->core_, 1 + rng() % 8, rng), memory, 2000 + i, options);
  }
}

TYPED_TEST(BitfusionCoreTest, CountersAddUp) {
  std::mt19937 rng(9);
  const BitfusionCase program = make_bitfusion(this->core_, 6, rng);
  const RunResult result = this->check(program, {}, 5);
  const BitfusionShape& core = this->core_;
  const auto count = [&](const char* name) { return result.events[event(name)]; };
  std::map<std::uint64_t, std::uint64_t> instructions;  // by opcode
  std::uint64_t lhs_words = 0;
  std::uint64_t rhs_words = 0;
  for (const InstructionWord& word : program.program) {
    ++instructions[word[0] & 15];
    if ((word[0] & 15) == isa::FetchLhs::kOpcode) lhs_words += isa::FetchLhs::decode(word).words;
    if ((word[0] & 15) == isa::FetchRhs::kOpcode) rhs_words += isa::FetchRhs::decode(word).words;
  }
  EXPECT_EQ(count("instr_fetch_lhs"), instructions[isa::FetchLhs::kOpcode]);
  EXPECT_EQ(count("instr_fetch_rhs"), instructions[isa::FetchRhs::kOpcode]);
  EXPECT_EQ(count("instr_compute"), instructions[isa::Compute::kOpcode]);
  EXPECT_EQ(count("instr_store"), instructions[isa::Store::kOpcode]);
  EXPECT_EQ(count("instr_setup"), instructions[isa::Setup::kOpcode]);
  EXPECT_EQ(count("instr_loop"), instructions[isa::Loop::kOpcode]);
  EXPECT_EQ(count("lhs_buffer_writes"), lhs_words * core.lanes);
  EXPECT_EQ(count("rhs_buffer_writes"), rhs_words * core.lanes);
  EXPECT_EQ(count("read_beats"), (lhs_words + rhs_words) * core.lanes);
  EXPECT_EQ(count("write_beats"), program.stored_words * core.m * 4 / core.port_bytes);
  // Ports: reads first, then writes.
  const auto ports = result.events.begin() + registers::kBitfusionEvents.size();
  EXPECT_EQ(std::accumulate(ports, ports + core.read_ports, std::uint64_t{0}), count("read_beats"));
  EXPECT_EQ(std::accumulate(ports + core.read_ports, result.events.end(), std::uint64_t{0}),
            count("write_beats"));
  // A stage is in one state at a time.
  EXPECT_LE(count("exec_run") + count("exec_wait_lhs") + count("exec_wait_rhs") +
                count("exec_wait_result"),
            result.cycles);
  EXPECT_LE(count("exec_run") + count("array_drain"), result.cycles);
  EXPECT_GE(count("array_drain"), core.n + core.m + 5);
  EXPECT_LE(count("result_run") + count("result_wait_memory") + count("result_wait_token"),
            result.cycles);
}

TYPED_TEST(BitfusionCoreTest, RunsFollowEachOtherAfterClear) {
  CoreHarness<typename TypeParam::Dut> harness(this->core_, {}, 1u << 20, 3);
  std::mt19937 rng(10);
  for (int run = 0; run < 10; ++run) {
    const BitfusionCase program = make_bitfusion(this->core_, 3, rng);
    harness.memory().data() = program.image;
    EXPECT_EQ(harness.run(program.program).error_code, 0u);
    ASSERT_TRUE(harness.memory().data() == program.expected) << run;
  }
}

// What is simulated and what is synthesised: cycles and all events, also under back-pressure.
TEST(BitfusionForms, TakeTheSameCyclesAndCountTheSame) {
  const BitfusionShape shape = Flat::shape();
  std::mt19937 rng(11);
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    const BitfusionCase program = make_bitfusion(shape, 1 + rng() % 6, rng);
    MemoryConfig memory;
    memory.stall_percent = seed % 3 * 30;
    memory.latency = 1 + rng() % 20;
    CoreHarness<Vfusion_flat> flat(shape, memory, program.image.size(), seed);
    CoreHarness<Vfusion_struct> structural(shape, memory, program.image.size(), seed);
    flat.memory().data() = program.image;
    structural.memory().data() = program.image;
    const RunResult one = flat.run(program.program);
    const RunResult other = structural.run(program.program);
    ASSERT_EQ(one.cycles, other.cycles) << "seed " << seed;
    ASSERT_EQ(one.events, other.events) << "seed " << seed;
  }
}

// The latencies that the header of bitfusion_core promises and the cycle model counts on, on the
// array of bitfusion_edge.
class BitfusionTimingTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kDepth = 8 + 8;  // N + M
  const BitfusionShape core_ = Edge::shape();

  struct Log {
    std::vector<std::uint64_t> accepted, requests, beats, steps, drain, aw, w;
    RunResult result;
  };
  Log run(const std::vector<InstructionWord>& program) {
    CoreHarness<Vfusion_edge> harness(core_, {}, 1u << 20, 6);
    Log log;
    log.result = harness.run(program, {}, [&](const Vfusion_edge& dut, std::uint64_t cycle) {
      if (dut.instr_valid_i && dut.instr_ready_o) log.accepted.push_back(cycle);
      if (dut.m_rd_arvalid_o) log.requests.push_back(cycle);
      if (dut.m_rd_rvalid_i) log.beats.push_back(cycle);
      if (get_bits(dut.event_o, 4 * event("exec_run"), 1)) log.steps.push_back(cycle);
      if (get_bits(dut.event_o, 4 * event("array_drain"), 1)) log.drain.push_back(cycle);
      if (dut.m_wr_awvalid_o) log.aw.push_back(cycle);
      if (dut.m_wr_wvalid_o) log.w.push_back(cycle);
    });
    return log;
  }
  static isa::Loop loop(unsigned level, unsigned iterations) {
    isa::Loop loop;
    loop.level = level;
    loop.iterations = iterations - 1;
    return loop;
  }
  isa::Store store(unsigned tiles, unsigned words) const {
    isa::Store store;
    store.tiles = tiles;
    store.words = words;
    store.dram_base = 1 << 16;
    store.lane_stride = 4096;
    return store;
  }
};

TEST_F(BitfusionTimingTest, LatenciesAreThoseOfTheHeader) {
  isa::FetchLhs lhs;
  lhs.words = 6;
  lhs.send_filled = 1;
  lhs.lane_stride = 64;
  isa::FetchRhs rhs;
  rhs.words = 10;
  rhs.send_filled = 1;
  rhs.dram_base = 1024;
  rhs.lane_stride = 128;
  isa::Compute compute;
  compute.wait_lhs = compute.wait_rhs = compute.emit = 1;
  const Log log = run(
      {store(1, 5).encode(), rhs.encode(), lhs.encode(), loop(4, 5).encode(), compute.encode()});
  ASSERT_EQ(log.accepted, (std::vector<std::uint64_t>{0, 1, 2, 3, 4}));
  ASSERT_EQ(log.requests.size(), 2u);
  EXPECT_EQ(log.requests[0], log.accepted[1] + 5);
  EXPECT_EQ(log.requests[1], log.accepted[2] + 5);
  EXPECT_EQ(log.beats.front(), log.requests[0] + 16);
  ASSERT_EQ(log.beats.size(), 16u);
  EXPECT_EQ(log.beats.back() - log.beats.front() + 1, log.beats.size());
  ASSERT_EQ(log.steps.size(), 5u);
  EXPECT_EQ(log.steps.front(), log.beats.back() + 3);
  EXPECT_EQ(log.steps.back(), log.steps.front() + 4);
  EXPECT_EQ(log.drain.size(), kDepth + 5);
  EXPECT_EQ(log.drain.back(), log.steps.back() + kDepth + 5);
  EXPECT_EQ(log.aw, std::vector<std::uint64_t>{log.steps.back() + kDepth + 7});
  ASSERT_EQ(log.w.size(), 5u);
  EXPECT_EQ(log.w.front(), log.steps.back() + kDepth + 8);
  EXPECT_EQ(log.w.back(), log.w.front() + 4);
  EXPECT_EQ(log.result.cycles, log.w.back() + 16 + 1);  // idle after the response
}

TEST_F(BitfusionTimingTest, AnInstructionWithNothingToWaitForStepsFourCyclesAfterItWasAccepted) {
  isa::Compute compute;
  const Log log = run({loop(0, 5).encode(), compute.encode(), compute.encode()});
  EXPECT_EQ(log.steps, (std::vector<std::uint64_t>{5, 6, 7, 8, 9, 10, 11, 12, 13, 14}));
  EXPECT_EQ(log.result.cycles, 14 + kDepth + 5 + 1);  // idle when the output is written
}

// The half of the first tile is written out, beat after beat, before the third tile can begin.
TEST_F(BitfusionTimingTest, AHalfIsTakenTheCycleAfterItsLastBeat) {
  isa::Compute compute;
  compute.emit = 1;
  const unsigned words = core_.half();
  const Log log = run({loop(4, words).encode(), store(3, words).encode(), compute.encode(),
                       compute.encode(), compute.encode()});
  ASSERT_EQ(log.steps.size(), 3u * words);
  ASSERT_EQ(log.w.size(), 3u * words);
  // Taken in the cycle after the last beat of the first tile, first step one later.
  EXPECT_EQ(log.steps[2 * words], log.w[words - 1] + 2);
  // The second tile is there by then, and follows without a gap.
  EXPECT_EQ(log.w[2 * words - 1] - log.w[0] + 1, 2u * words);
}

}  // namespace
}  // namespace bittern::rtl_test
