// The whole Stripes core against a behavioural memory: products of every kind, staggered columns,
// double buffering, back-pressure, counters, errors. Builds with each operand serial, several words
// a plane, and two fetch groups; the fast and the structural form must agree in every cycle.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string_view>

#include "Vstripes_both.h"
#include "Vstripes_edge.h"
#include "Vstripes_long.h"
#include "Vstripes_struct.h"
#include "Vstripes_struct_both.h"
#include "Vstripes_struct_long.h"
#include "Vstripes_tiny.h"
#include "Vstripes_weights.h"
#include "Vstripes_wide.h"
#include "host/protocol/registers.h"
#include "tests/rtl/stripes_case.h"

namespace bittern::rtl_test {
namespace {

namespace isa = stripes_isa;

std::size_t event(std::string_view name) {
  const auto& names = registers::kStripesEvents;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw std::logic_error("no event " + std::string(name));
  return static_cast<std::size_t>(found - names.begin());
}

// Shapes of the builds in CMakeLists.txt.
struct Tiny {
  using Dut = Vstripes_tiny;
  static StripesShape shape() { return {4, 8, 16, 0, 128, 64, 1, 1, 1, 8, 64, 8, 8}; }
};
struct Weights {  // four planes of activations in a fetch word, 16 bits
  using Dut = Vstripes_weights;
  static StripesShape shape() { return {4, 16, 16, 1, 64, 128, 4, 8, 1, 8, 8, 16}; }
};
struct Both {  // 16 bits
  using Dut = Vstripes_both;
  static StripesShape shape() { return {4, 8, 16, 2, 128, 128, 1, 1, 2, 8, 16, 16}; }
};
struct Long {  // 16 bits, up to 16 staggered columns
  using Dut = Vstripes_long;
  static StripesShape shape() { return {16, 2, 4, 0, 128, 64, 1, 1, 1, 8, 64, 16}; }
};
struct Edge {  // the array and the ports of stripes_edge
  using Dut = Vstripes_edge;
  static StripesShape shape() { return {8, 8, 32, 0, 128, 64, 4, 4, 4, 8, 256}; }
};
struct Wide {  // words of a wide port, two of them a plane of weights
  using Dut = Vstripes_wide;
  static StripesShape shape() { return {8, 16, 32, 0, 128, 64, 1, 2, 1, 32, 4, 8, 2}; }
};
struct Structural {
  using Dut = Vstripes_struct;
  static StripesShape shape() { return Tiny::shape(); }
};
struct StructuralBoth {
  using Dut = Vstripes_struct_both;
  static StripesShape shape() { return Both::shape(); }
};
struct StructuralLong {
  using Dut = Vstripes_struct_long;
  static StripesShape shape() { return Long::shape(); }
};

constexpr std::size_t kMemoryBytes = 1u << 20;

template <typename Build>
class StripesCoreTest : public ::testing::Test {
 protected:
  using Dut = typename Build::Dut;
  const StripesShape core_ = Build::shape();

  // Runs the product and compares every value.
  RunResult check(const StripesProduct& product, const MemoryConfig& memory, std::uint32_t seed,
                  const RunOptions& options = {}) {
    std::mt19937 rng(seed);
    const StripesCase work = make_stripes(core_, product, rng);
    CoreHarness<Dut> harness(core_, memory, kMemoryBytes, seed);
    std::copy(work.image.begin(), work.image.end(), harness.memory().data().begin());
    RunResult result = harness.run(work.program, options);
    EXPECT_EQ(result.error_code, 0u);
    EXPECT_EQ(read_tiles(core_, work, harness.memory().data()), work.expected)
        << "bits " << product.lhs_bits << (product.lhs_signed ? "s x " : "u x ") << product.rhs_bits
        << (product.rhs_signed ? "s" : "u") << ", tiles " << product.lhs_tiles << " x "
        << product.rhs_tiles << ", bricks " << product.bricks << " x " << product.chunks
        << ", columns " << product.columns << (product.cascade ? " in cascade" : "")
        << ", results of " << product.result.bits << " bits, seed " << seed;
    EXPECT_EQ(result.events[event("exec_run")], work.steps);
    const auto planes = [&](std::string_view lower, std::string_view upper, std::uint64_t all,
                            bool parallel) {
      const std::uint64_t part = parallel ? all * 8 / core_.max_bits : all;
      EXPECT_EQ(result.events[event(lower)], part);
      EXPECT_EQ(result.events[event(upper)], all - part);
    };
    planes("array_planes", "array_upper_planes",
           work.steps * (core_.serial == 2 ? 1 : core_.max_bits), core_.serial != 2);
    planes("lhs_buffer_reads", "lhs_buffer_upper_reads", work.lhs_reads, core_.serial == 1);
    planes("rhs_buffer_reads", "rhs_buffer_upper_reads", work.rhs_reads, core_.serial == 0);
    EXPECT_EQ(result.events[event("tiles_emitted")], product.lhs_tiles * product.rhs_tiles);
    return result;
  }
};

using Builds = ::testing::Types<Tiny, Weights, Both, Edge, Wide, Long, Structural, StructuralBoth,
                                StructuralLong>;
TYPED_TEST_SUITE(StripesCoreTest, Builds);

TYPED_TEST(StripesCoreTest, AllBitPairsAndSignednessMatchTheReference) {
  std::uint32_t seed = 1;
  const unsigned most = this->core_.max_bits;
  for (unsigned l = 1; l <= most && !this->HasFailure(); ++l) {
    for (unsigned r = 1; r <= most; ++r, ++seed) {
      StripesProduct product;
      product.lhs_bits = l;
      product.rhs_bits = r;
      product.lhs_signed = seed & 1;
      product.rhs_signed = (l + r) & 1;
      product.bricks = 1 + seed % 3;
      product.lhs_tiles = 1 + seed % 2;
      this->check(product, {}, seed);
    }
  }
}

TYPED_TEST(StripesCoreTest, RandomProductsMatchTheReference) {
  std::mt19937 rng(7);
  for (std::uint32_t i = 0; i < 60 && !this->HasFailure(); ++i) {
    this->check(random_product(this->core_, rng), {}, 1000 + i);
  }
}

TYPED_TEST(StripesCoreTest, RandomProductsUnderBackPressureMatchTheReference) {
  std::mt19937 rng(8);
  for (std::uint32_t i = 0; i < 60 && !this->HasFailure(); ++i) {
    MemoryConfig memory;
    memory.stall_percent = rng() % 80;
    memory.latency = 1 + rng() % 40;
    memory.outstanding = 1 + rng() % 12;
    RunOptions options;
    options.gap_percent = rng() % 90;
    this->check(random_product(this->core_, rng), memory, 2000 + i, options);
  }
}

TYPED_TEST(StripesCoreTest, RunsFollowEachOtherAfterClear) {
  CoreHarness<typename TypeParam::Dut> harness(this->core_, {}, kMemoryBytes, 3);
  std::mt19937 rng(9);
  for (int run = 0; run < 10; ++run) {
    const StripesCase work = make_stripes(this->core_, random_product(this->core_, rng), rng);
    std::copy(work.image.begin(), work.image.end(), harness.memory().data().begin());
    EXPECT_EQ(harness.run(work.program).error_code, 0u);
    ASSERT_EQ(read_tiles(this->core_, work, harness.memory().data()), work.expected);
  }
}

// Every output of both forms in every cycle.
template <typename Fast, typename Slow>
void expect_equal_cycle_for_cycle(std::uint32_t first_seed) {
  const StripesShape core = Fast::shape();
  std::mt19937 rng(first_seed);
  for (std::uint32_t seed = first_seed; seed < first_seed + 20; ++seed) {
    const StripesCase work = make_stripes(core, random_product(core, rng), rng);
    MemoryConfig memory;
    memory.stall_percent = seed % 3 * 30;
    std::vector<std::vector<std::uint64_t>> traces[2];
    const auto run = [&](auto& harness, std::vector<std::vector<std::uint64_t>>& trace) {
      std::copy(work.image.begin(), work.image.end(), harness.memory().data().begin());
      harness.run(work.program, {}, [&](const auto& dut, std::uint64_t) {
        std::vector<std::uint64_t> now = {dut.busy_o, dut.instr_ready_o, dut.m_rd_arvalid_o,
                                          dut.m_wr_awvalid_o, dut.m_wr_wvalid_o};
        for (unsigned e = 0; e < 28; ++e) now.push_back(get_bits(dut.event_o, 4 * e, 4));
        trace.push_back(std::move(now));
      });
    };
    CoreHarness<typename Fast::Dut> fast(core, memory, kMemoryBytes, seed);
    CoreHarness<typename Slow::Dut> slow(core, memory, kMemoryBytes, seed);
    run(fast, traces[0]);
    run(slow, traces[1]);
    ASSERT_EQ(traces[0], traces[1]) << "seed " << seed;
    ASSERT_TRUE(fast.memory().data() == slow.memory().data()) << "seed " << seed;
  }
}

TEST(StripesFormsTest, SerialActivationsAreEqualCycleForCycle) {
  expect_equal_cycle_for_cycle<Tiny, Structural>(100);
}
TEST(StripesFormsTest, BothSerialAreEqualCycleForCycle) {
  expect_equal_cycle_for_cycle<Both, StructuralBoth>(200);
}

TEST(StripesFormsTest, SixteenBitsAreEqualCycleForCycle) {
  expect_equal_cycle_for_cycle<Long, StructuralLong>(300);
}

// Rates and latencies that the headers promise and the cycle model counts on, on the array of
// stripes_edge.
class StripesRateTest : public StripesCoreTest<Edge> {};

TEST_F(StripesRateTest, LatenciesAreThoseOfTheHeader) {
  for (const unsigned columns : {1u, 4u}) {
    StripesProduct product;
    product.bricks = 2;
    product.lhs_bits = 4;
    product.columns = columns;
    std::mt19937 rng(6);
    const StripesCase work = make_stripes(core_, product, rng);
    CoreHarness<Vstripes_edge> harness(core_, {}, kMemoryBytes, 6);
    std::copy(work.image.begin(), work.image.end(), harness.memory().data().begin());
    std::vector<std::uint64_t> beats;
    std::vector<std::uint64_t> steps;
    std::vector<std::uint64_t> aw;
    std::vector<std::uint64_t> w;
    harness.run(work.program, {}, [&](const Vstripes_edge& dut, std::uint64_t cycle) {
      if (dut.m_rd_rvalid_i) beats.push_back(cycle);
      if (get_bits(dut.event_o, 4 * event("exec_run"), 1)) steps.push_back(cycle);
      if (dut.m_wr_awvalid_o) aw.push_back(cycle);
      if (dut.m_wr_wvalid_o) w.push_back(cycle);
    });
    ASSERT_EQ(steps.size(), 8u);
    EXPECT_EQ(steps.front(), beats.back() + 3 + product.lhs_bits);  // serialised
    EXPECT_EQ(steps.back(), steps.front() + 7);
    ASSERT_FALSE(w.empty());
    EXPECT_EQ(aw.front(), steps.back() + 8 + (columns - 1) + 2);
    EXPECT_EQ(w.front(), aw.front() + 1);
  }
}

// All columns, without a pause between tiles and between instructions.
TYPED_TEST(StripesCoreTest, CascadesAddUpThePartsOfAReduction) {
  if (this->core_.serial != 0) return;
  for (const unsigned columns : {2u, 3u, this->core_.columns}) {
    for (const bool double_buffer : {false, true}) {
      StripesProduct product;
      product.lhs_bits = std::min(this->core_.max_bits, columns + columns % 2);
      product.rhs_bits = 5;
      product.lhs_signed = product.rhs_signed = true;
      product.columns = columns;
      product.cascade = true;
      product.bricks = 2;
      product.lhs_tiles = 3;
      product.double_buffer = double_buffer;
      this->check(product, {}, columns);
    }
  }
}

TEST_F(StripesRateTest, StaggeredColumnsReadAWeightWordACycle) {
  // Eight columns at eight bits: in every step one of them starts a brick.
  StripesProduct product;
  product.lhs_bits = 8;
  product.rhs_bits = 3;
  product.columns = 8;
  product.bricks = 4;
  product.rhs_tiles = 2;
  const RunResult result = check(product, {}, 6);
  EXPECT_EQ(result.events[event("exec_run")], 2u * 4 * 8);
  EXPECT_EQ(result.events[event("rhs_buffer_reads")], 8u * result.events[event("exec_run")]);
}

// Errors: the right code, and nothing of the faulty instruction done.
class StripesErrorTest : public ::testing::Test {
 protected:
  enum ErrorCode : unsigned { kIllegal = 1, kRange = 2 };
  template <typename Build, typename Instruction>
  unsigned error_of(const std::vector<Instruction>& instructions, std::uint32_t mem_limit = 0) {
    std::vector<isa::Word> program;
    for (const Instruction& one : instructions) program.push_back(one.encode());
    CoreHarness<typename Build::Dut> harness(Build::shape(), {}, kMemoryBytes, 1);
    RunOptions options;
    options.mem_limit = mem_limit;
    const RunResult result = harness.run(program, options);
    if (result.error_code != 0 && instructions.size() == 1) {
      EXPECT_EQ(result.events[event("read_beats")], 0u);
      EXPECT_EQ(result.events[event("exec_run")], 0u);
    }
    return result.error_code;
  }
  static isa::Exec exec() {
    isa::Exec exec;
    exec.bricks = 1;  // two
    exec.lhs_bits = 3;
    exec.rhs_bits = 2;
    return exec;
  }
  static isa::FetchRhs fetch() {
    isa::FetchRhs fetch;
    fetch.rows = 4;
    fetch.banks = 15;  // 8 planes of 8 filters x 16 lanes, in words of 64 bits
    fetch.dram_base = 0x400;
    return fetch;
  }
};

TEST_F(StripesErrorTest, StaggeredColumnsMustExistAndHaveTheirTurn) {
  isa::Exec good = exec();
  good.columns = 3;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{good}), 0u);
  isa::Exec too_many = good;
  too_many.columns = 4;
  too_many.lhs_bits = 7;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{too_many}), kIllegal);
  isa::Exec too_fast = good;
  too_fast.lhs_bits = 2;  // 3 bits: the fourth column would get its weights too late
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{too_fast}), kIllegal);
  isa::Exec elsewhere = good;
  elsewhere.columns = 1;
  EXPECT_EQ(error_of<Weights>(std::vector<isa::Exec>{elsewhere}), kIllegal);
  EXPECT_EQ(error_of<Both>(std::vector<isa::Exec>{elsewhere}), kIllegal);
}

TEST_F(StripesErrorTest, ACascadeNeedsColumns) {
  isa::Exec good = exec();
  good.columns = 3;
  good.cascade = 1;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{good}), 0u);
  good.columns = 0;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{good}), kIllegal);
}

TEST_F(StripesErrorTest, BitsMustExist) {
  for (const bool lhs : {true, false}) {
    isa::Exec most = exec();
    (lhs ? most.lhs_bits : most.rhs_bits) = 7;
    EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{most}), 0u);
    isa::Exec more = exec();
    (lhs ? more.lhs_bits : more.rhs_bits) = 8;
    EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{more}), kIllegal);
    EXPECT_EQ(error_of<Long>(std::vector<isa::Exec>{more}), 0u);
    (lhs ? more.lhs_bits : more.rhs_bits) = 15;
    EXPECT_EQ(error_of<Long>(std::vector<isa::Exec>{more}), 0u);
  }
}

TEST_F(StripesErrorTest, FetchesOfAnOperandAgreeInTheBitsOfItsElements) {
  const auto lhs = [](unsigned bits, unsigned base) {
    isa::FetchLhs fetch;
    fetch.rows = bits;
    fetch.bits = bits - 1;
    fetch.buffer_base = base;
    fetch.dram_base = 0x400;
    return fetch;
  };
  const auto pair = [](const auto& first, const auto& second) {
    return std::vector<std::decay_t<decltype(first)>>{first, second};
  };
  EXPECT_EQ(error_of<Tiny>(pair(lhs(5, 0), lhs(5, 5))), 0u);
  EXPECT_EQ(error_of<Tiny>(pair(lhs(5, 0), lhs(4, 5))), kIllegal);
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::FetchLhs>{lhs(8, 0)}), 0u);
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::FetchLhs>{lhs(9, 0)}), kIllegal);
  EXPECT_EQ(error_of<Long>(std::vector<isa::FetchLhs>{lhs(16, 0)}), 0u);
  // The operand that is not serial is not cut into planes.
  isa::FetchRhs weights = fetch();
  weights.bits = 1;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::FetchRhs>{weights}), kIllegal);
  EXPECT_EQ(error_of<Weights>(std::vector<isa::FetchLhs>{lhs(2, 0)}), kIllegal);
  // Each operand has its own.
  weights.banks = 1;
  weights.rows = 2;
  isa::FetchRhs more = weights;
  more.bits = 2;
  EXPECT_EQ(error_of<Both>(pair(weights, weights)), 0u);
  EXPECT_EQ(error_of<Both>(pair(weights, more)), kIllegal);
}

TEST_F(StripesErrorTest, BanksAndAddressesMustExist) {
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::FetchRhs>{fetch()}), 0u);
  isa::FetchRhs banks = fetch();
  banks.banks = 16;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::FetchRhs>{banks}), kIllegal);
  isa::FetchRhs none = fetch();
  none.rows = 0;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::FetchRhs>{none}), kIllegal);
  isa::FetchRhs high = fetch();
  high.buffer_base = 60;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::FetchRhs>{high}), 0u);
  high.buffer_base = 61;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::FetchRhs>{high}), kRange);
  isa::FetchRhs far = fetch();
  far.dram_base = 0x4000 - 4 * 16 * 8;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::FetchRhs>{far}, 0x4000), 0u);
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::FetchRhs>{far}, 0x4000 - 1), kRange);
}

TEST_F(StripesErrorTest, ExecMustStayWithinTheBuffers) {
  // Activations: two bricks of four planes. Weights: two bricks of as many words as columns.
  isa::Exec lhs = exec();
  lhs.lhs_base = 120;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{lhs}), 0u);
  lhs.lhs_base = 121;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{lhs}), kRange);
  isa::Exec rhs = exec();
  rhs.rhs_base = 62;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{rhs}), 0u);
  rhs.columns = 1;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{rhs}), kRange);
  isa::Exec many = exec();
  many.bricks = 2047;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{many}), kRange);
  isa::Exec orphan = exec();
  orphan.accumulate = 1;
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{orphan}), kIllegal);
  EXPECT_EQ(error_of<Tiny>(std::vector<isa::Exec>{exec(), orphan}), 0u);
}

}  // namespace
}  // namespace bittern::rtl_test
