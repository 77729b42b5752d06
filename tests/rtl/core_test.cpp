// The whole BISMO core against a behavioural memory: products of every kind, double buffering,
// back-pressure, counters. Every test runs on four builds: one port, split fetch groups, several
// lanes, and one wide port.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "Vcore_lanes.h"
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
struct ManyLanes {
  using Dut = Vcore_lanes;
  static CoreShape shape() { return {4, 256, 8, 128, 128, 4, 4, 8, 256}; }
};
struct Wide {
  using Dut = Vcore_wide;
  static CoreShape shape() { return {8, 256, 4, 128, 64, 2, 1, 32, 4}; }
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
    const RunResult result = harness.run(gemm.program, options);
    EXPECT_EQ(result.error_code, 0u);
    EXPECT_EQ(read_tiles(core_, gemm, harness.memory().data()), gemm.expected)
        << "bits " << shape.lhs_bits << (shape.lhs_signed ? "s x " : "u x ") << shape.rhs_bits
        << (shape.rhs_signed ? "s" : "u") << ", tiles " << shape.lhs_tiles << " x "
        << shape.rhs_tiles << ", words " << shape.k_words << " x " << shape.k_chunks
        << ", schedule " << static_cast<int>(shape.schedule) << ", seed " << seed;
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
    return shape;
  }
};

using Builds = ::testing::Types<Tiny, Split, ManyLanes, Wide>;
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

TYPED_TEST(CoreTest, ComputeBoundRunHasNoBubbles) {
  GemmShape shape;
  shape.lhs_bits = 8;
  shape.rhs_bits = 8;
  shape.k_words = 4;
  shape.lhs_tiles = 12;
  shape.schedule = Schedule::kStriped;
  const RunResult result = this->check(shape, {}, 6);
  // 64 * 4 cycles a stripe against at most 8 * 4 * 8 beats: compute decides. Before the first
  // address and after the last there are only latencies.
  const std::uint64_t fill = 8u * 4 * (this->core_.dm + this->core_.dn) + 16 + 20;
  const std::uint64_t drain = 16 + 40;
  EXPECT_LE(result.cycles, 64u * 4 * 12 + fill + drain);
  EXPECT_EQ(result.events[kExecWaitLhs] + result.events[kExecWaitRhs] +
                result.events[kExecWaitResult] + result.events[kExecRun],
            result.events[kExecRun] + result.events[kExecWaitLhs] + result.events[kExecWaitRhs]);
}

}  // namespace
}  // namespace bittern::rtl_test
