// The whole BitFusion core against a behavioural memory: random programs of every kind,
// back-pressure, counters, latencies. Every test runs on several builds; the fast and the
// structural form of one of them must agree in every cycle.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

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
    const RunResult result = harness.run(program.program, options);
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

}  // namespace
}  // namespace bittern::rtl_test
