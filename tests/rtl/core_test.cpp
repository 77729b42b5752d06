// The whole BISMO core against a behavioural memory: products of every kind, double buffering,
// back-pressure, counters. Every test runs on four builds: one port, split fetch groups, several
// lanes, and one wide port.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "Vcore_edge.h"
#include "Vcore_split.h"
#include "Vcore_tiny.h"
#include "Vcore_wide.h"
#include "tests/rtl/gemm_case.h"

namespace bittern::rtl_test {
namespace {

// Events of register_map.json, in order.
enum Event {
  kFetchLhsRun,
  kFetchLhsWaitMemory,
  kFetchLhsWaitToken,
  kFetchRhsRun,
  kFetchRhsWaitMemory,
  kFetchRhsWaitToken,
  kExecRun,
  kExecWaitLhs,
  kExecWaitRhs,
  kExecWaitResult,
  kResultRun,
  kResultWaitMemory,
  kResultWaitToken,
  kLhsBufferWrites,
  kRhsBufferWrites,
  kTilesEmitted,
  kReadBeats,
  kWriteBeats,
  kInstrFetchLhs,
  kInstrFetchRhs,
  kInstrExec,
  kInstrResult,
  kPortBeats
};

// Shapes of the builds in CMakeLists.txt.
struct Tiny {
  using Dut = Vcore_tiny;
  static CoreShape shape() { return {2, 64, 2, 128, 128, 1, 1, 8, 64}; }
};
struct Split {
  using Dut = Vcore_split;
  static CoreShape shape() { return {2, 64, 2, 128, 64, 2, 1, 8, 8}; }
};
struct Edge {  // the array and the ports of bismo_edge
  using Dut = Vcore_edge;
  static CoreShape shape() { return {8, 256, 8, 128, 128, 4, 4, 8, 256, 4}; }
};
struct Wide {
  using Dut = Vcore_wide;
  static CoreShape shape() { return {8, 256, 4, 128, 64, 2, 1, 32, 4, 8}; }
};

constexpr std::size_t kMemoryBytes = 1u << 20;

template <typename Build>
class CoreTest : public ::testing::Test {
 protected:
  using Dut = typename Build::Dut;
  const CoreShape core_ = Build::shape();

  // Runs the product and compares every value.
  RunResult check(const GemmShape& shape, const MemoryConfig& memory, std::uint32_t seed,
                  const RunOptions& options = {}) {
    std::mt19937 rng(seed);
    const GemmCase gemm = make_gemm(core_, shape, rng);
    CoreHarness<Dut> harness(core_, memory, kMemoryBytes, seed);
    std::copy(gemm.image.begin(), gemm.image.end(), harness.memory().data().begin());
    RunResult result = harness.run(gemm.program, options);
    EXPECT_EQ(result.error_code, 0u);
    EXPECT_EQ(read_tiles(core_, gemm, harness.memory().data()), gemm.expected)
        << "bits " << shape.lhs_bits << (shape.lhs_signed ? "s x " : "u x ") << shape.rhs_bits
        << (shape.rhs_signed ? "s" : "u") << ", tiles " << shape.lhs_tiles << " x "
        << shape.rhs_tiles << ", words " << shape.k_words << " x " << shape.k_chunks
        << ", schedule " << static_cast<int>(shape.schedule) << ", results of " << shape.result.bits
        << " bits, seed " << seed;
    EXPECT_EQ(result.events[kExecRun], gemm.exec_words);
    return result;
  }

  GemmShape random_shape(std::mt19937& rng) const {
    GemmShape shape;
    shape.schedule = static_cast<Schedule>(rng() % 3);
    shape.lhs_bits = 1 + rng() % 8;
    shape.rhs_bits = 1 + rng() % 8;
    shape.lhs_signed = rng() % 2;
    shape.rhs_signed = rng() % 2;
    const unsigned lhs_half = core_.lhs_depth / 2 / shape.lhs_bits;
    const unsigned rhs_half = core_.rhs_depth / 2 / shape.rhs_bits;
    shape.k_words = 1 + rng() % std::min({lhs_half, rhs_half, 6u});
    const unsigned fit = std::min(lhs_half, rhs_half) / (shape.k_words + 3);
    shape.lhs_tiles = 1 + rng() % std::max(1u, std::min(fit, 4u));
    shape.rhs_tiles = 1 + rng() % std::max(1u, std::min(fit, 3u));
    if (shape.schedule == Schedule::kStriped) shape.lhs_tiles = 1 + rng() % 5;
    if (shape.schedule == Schedule::kSplitK) shape.k_chunks = 1 + rng() % 4;
    shape.result = ResultFields::draw(rng, core_.min_result_bits);
    return shape;
  }
};

using Builds = ::testing::Types<Tiny, Split, Edge, Wide>;
TYPED_TEST_SUITE(CoreTest, Builds);

TYPED_TEST(CoreTest, AllBitPairsAndSignednessMatchTheReference) {
  std::uint32_t seed = 1;
  for (unsigned l = 1; l <= 8; ++l) {
    for (unsigned r = 1; r <= 8; ++r) {
      for (unsigned s = 0; s < 4; ++s, ++seed) {
        GemmShape shape;
        shape.lhs_bits = l;
        shape.rhs_bits = r;
        shape.lhs_signed = s & 1;
        shape.rhs_signed = s & 2;
        shape.k_words = 1 + seed % 3;
        this->check(shape, {}, seed);
      }
      if (this->HasFailure()) return;
    }
  }
}

TYPED_TEST(CoreTest, RandomProductsOfAllSchedulesMatchTheReference) {
  std::mt19937 rng(7);
  for (std::uint32_t i = 0; i < 60 && !this->HasFailure(); ++i) {
    this->check(this->random_shape(rng), {}, 1000 + i);
  }
}

TYPED_TEST(CoreTest, RandomProductsUnderBackPressureMatchTheReference) {
  std::mt19937 rng(8);
  for (std::uint32_t i = 0; i < 60 && !this->HasFailure(); ++i) {
    MemoryConfig memory;
    memory.stall_percent = rng() % 80;
    memory.latency = 1 + rng() % 40;
    memory.outstanding = 1 + rng() % 12;
    RunOptions options;
    options.gap_percent = rng() % 90;
    this->check(this->random_shape(rng), memory, 2000 + i, options);
  }
}

TYPED_TEST(CoreTest, CountersAddUp) {
  GemmShape shape;
  shape.lhs_bits = 3;
  shape.rhs_bits = 2;
  shape.k_words = 3;
  shape.lhs_tiles = 3;
  shape.rhs_tiles = 2;
  shape.schedule = Schedule::kStriped;
  const RunResult result = this->check(shape, {}, 5);
  const CoreShape& core = this->core_;
  const auto& events = result.events;
  const std::uint64_t lhs = 3u * 3 * 3 * core.dm * core.lanes();
  const std::uint64_t rhs = 2u * 3 * 2 * core.dn * core.lanes();
  const std::uint64_t writes = 6u * core.dm * core.dn * 4 / core.port_bytes;
  EXPECT_EQ(events[kLhsBufferWrites], lhs);
  EXPECT_EQ(events[kRhsBufferWrites], rhs);
  EXPECT_EQ(events[kReadBeats], lhs + rhs);
  EXPECT_EQ(events[kWriteBeats], writes);
  EXPECT_EQ(events[kTilesEmitted], 6u);
  EXPECT_EQ(events[kInstrFetchLhs], 3u);
  EXPECT_EQ(events[kInstrFetchRhs], 2u);
  EXPECT_EQ(events[kInstrExec], 4u);
  // Ports: reads first, then writes.
  const auto ports = events.begin() + kPortBeats;
  EXPECT_EQ(std::accumulate(ports, ports + core.read_ports, std::uint64_t{0}), lhs + rhs);
  EXPECT_EQ(std::accumulate(ports + core.read_ports, events.end(), std::uint64_t{0}), writes);
  // A stage is in one state at a time.
  EXPECT_LE(
      events[kExecRun] + events[kExecWaitLhs] + events[kExecWaitRhs] + events[kExecWaitResult],
      result.cycles);
  EXPECT_LE(events[kFetchLhsRun] + events[kFetchLhsWaitMemory] + events[kFetchLhsWaitToken],
            result.cycles);
  EXPECT_LE(events[kFetchRhsRun] + events[kFetchRhsWaitMemory] + events[kFetchRhsWaitToken],
            result.cycles);
  EXPECT_LE(events[kResultRun] + events[kResultWaitMemory] + events[kResultWaitToken],
            result.cycles);
  EXPECT_GT(events[kResultWaitToken], 0u);
  EXPECT_GT(events[kFetchLhsWaitMemory], 0u);
}

TYPED_TEST(CoreTest, RunsFollowEachOtherAfterClear) {
  CoreHarness<typename TypeParam::Dut> harness(this->core_, {}, kMemoryBytes, 3);
  std::mt19937 rng(9);
  for (int run = 0; run < 10; ++run) {
    const GemmCase gemm = make_gemm(this->core_, this->random_shape(rng), rng);
    std::copy(gemm.image.begin(), gemm.image.end(), harness.memory().data().begin());
    EXPECT_EQ(harness.run(gemm.program).error_code, 0u);
    ASSERT_EQ(read_tiles(this->core_, gemm, harness.memory().data()), gemm.expected);
  }
}

// Rates on the array of bismo_edge: the slowest stage decides, the others hide behind it.
class EdgeRateTest : public CoreTest<Edge> {};

TEST_F(EdgeRateTest, ComputeBoundRunKeepsTheArrayBusy) {
  GemmShape shape;
  shape.lhs_bits = shape.rhs_bits = 8;
  shape.k_words = 8;
  shape.lhs_tiles = 12;
  shape.schedule = Schedule::kStriped;
  // 64 * 8 cycles a tile against 64 * 8 beats a stripe to fetch: just hidden.
  const RunResult result = check(shape, {}, 6);
  EXPECT_EQ(result.events[kExecRun], 64u * 8 * 12);
  EXPECT_EQ(result.events[kExecWaitResult], 0u);
  // RHS and the first stripe come before anything can run; after that, the array never waits for
  // more than a latency.
  const std::uint64_t fill = 2 * 64 * 8 + 40;
  EXPECT_LE(result.events[kExecWaitLhs] + result.events[kExecWaitRhs], fill + 12 * 30);
}

TEST_F(EdgeRateTest, FetchBoundRunTakesABeatACycle) {
  GemmShape shape;
  shape.k_words = 32;
  shape.lhs_tiles = 20;
  shape.schedule = Schedule::kStriped;
  const RunResult result = check(shape, {}, 6);
  EXPECT_EQ(result.events[kFetchLhsRun], 32u * 8 * 20);
  // One latency at the start, and the cycles of the RHS beats that are under way before those of
  // LHS.
  EXPECT_LE(result.events[kFetchLhsWaitMemory], 32u * 8 + 25);
  EXPECT_EQ(result.events[kFetchLhsWaitToken], 0u);
}

TEST_F(EdgeRateTest, ResultBoundRunWritesABeatACycle) {
  GemmShape shape;
  shape.lhs_tiles = shape.rhs_tiles = 8;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::mt19937 rng(6);
  const GemmCase gemm = make_gemm(core_, shape, rng);
  CoreHarness<Vcore_edge> harness(core_, {}, kMemoryBytes, 6);
  std::copy(gemm.image.begin(), gemm.image.end(), harness.memory().data().begin());
  const RunResult result =
      harness.run(gemm.program, {}, [&](const Vcore_edge& dut, std::uint64_t cycle) {
        if (dut.m_wr_wvalid_o == 0) return;
        if (first == 0) first = cycle;
        last = cycle;
      });
  EXPECT_EQ(read_tiles(core_, gemm, harness.memory().data()), gemm.expected);
  EXPECT_EQ(result.events[kResultRun], 64u * 8);
  EXPECT_EQ(last - first + 1, 64u * 8);
}

// The latencies that the header of bismo_core promises and the cycle model counts on. PopStages
// is 2.
TEST_F(EdgeRateTest, LatenciesAreThoseOfTheHeader) {
  constexpr std::uint64_t kPopStages = 2;
  GemmShape shape;
  shape.k_words = 3;
  std::mt19937 rng(6);
  const GemmCase gemm = make_gemm(core_, shape, rng);
  CoreHarness<Vcore_edge> harness(core_, {}, kMemoryBytes, 6);
  std::copy(gemm.image.begin(), gemm.image.end(), harness.memory().data().begin());
  std::vector<std::uint64_t> accepted;
  std::vector<std::uint64_t> requests;
  std::vector<std::uint64_t> beats;
  std::vector<std::uint64_t> words;
  std::vector<std::uint64_t> aw;
  std::vector<std::uint64_t> w;
  const RunResult result =
      harness.run(gemm.program, {}, [&](const Vcore_edge& dut, std::uint64_t cycle) {
        if (dut.instr_valid_i && dut.instr_ready_o) accepted.push_back(cycle);
        if (dut.m_rd_arvalid_o) requests.push_back(cycle);
        if (dut.m_rd_rvalid_i) beats.push_back(cycle);
        if (get_bits(dut.event_o, 4 * kExecRun, 1)) words.push_back(cycle);
        if (dut.m_wr_awvalid_o) aw.push_back(cycle);
        if (dut.m_wr_wvalid_o) w.push_back(cycle);
      });
  // RESULT, FETCH_RHS, FETCH_LHS, EXEC, one a cycle.
  ASSERT_EQ(accepted, (std::vector<std::uint64_t>{0, 1, 2, 3}));
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0], accepted[1] + 5);
  EXPECT_EQ(requests[1], accepted[2] + 5);
  EXPECT_EQ(beats.front(), requests[0] + 16);
  ASSERT_EQ(beats.size(), 2u * 3 * 8);
  EXPECT_EQ(beats.back() - beats.front() + 1, beats.size());
  EXPECT_EQ(words,
            (std::vector<std::uint64_t>{beats.back() + 3, beats.back() + 4, beats.back() + 5}));
  EXPECT_EQ(aw, std::vector<std::uint64_t>{words.back() + 6 + kPopStages});
  ASSERT_EQ(w.size(), 8u);
  EXPECT_EQ(w.front(), words.back() + 7 + kPopStages);
  EXPECT_EQ(w.back(), w.front() + 7);
  EXPECT_EQ(result.cycles, w.back() + 16 + 1);  // idle after the response
}

// An instruction without anything to wait for.
TEST_F(EdgeRateTest, ExecStartsFourCyclesAfterItWasAccepted) {
  bismo_isa::Exec exec;
  exec.k_words = 5;
  CoreHarness<Vcore_edge> harness(core_, {}, kMemoryBytes, 6);
  std::vector<std::uint64_t> words;
  harness.run({exec.encode(), exec.encode()}, {}, [&](const Vcore_edge& dut, std::uint64_t cycle) {
    if (get_bits(dut.event_o, 4 * kExecRun, 1)) words.push_back(cycle);
  });
  EXPECT_EQ(words, (std::vector<std::uint64_t>{4, 5, 6, 7, 8, 9, 10, 11, 12, 13}));
}

}  // namespace
}  // namespace bittern::rtl_test
