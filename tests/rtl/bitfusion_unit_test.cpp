// BitBricks and the fusion unit, exhaustively: every pair of operands of every product, in all
// modes and signs; the same unit in a second simulator.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "Vbitbrick.h"
#include "Vfusion_unit.h"
#include "tests/rtl/bitfusion_model.h"
#include "tests/rtl/capture.h"

namespace bittern::rtl_test {
namespace {

TEST(BitBrick, AllOperandsAndSignsGiveTheProduct) {
  Vbitbrick dut;
  for (unsigned i = 0; i < 64; ++i) {
    const int x_bits = i & 3;
    const int y_bits = i >> 2 & 3;
    dut.x_i = x_bits;
    dut.y_i = y_bits;
    dut.x_signed_i = i >> 4 & 1;
    dut.y_signed_i = i >> 5;
    dut.eval();
    const int x = x_bits - (dut.x_signed_i && x_bits > 1 ? 4 : 0);
    const int y = y_bits - (dut.y_signed_i && y_bits > 1 ? 4 : 0);
    const int product = dut.product_o - (dut.product_o > 15 ? 32 : 0);
    EXPECT_EQ(product, x * y) << "case " << i;
  }
}

// One mode with its signs.
struct Mode {
  unsigned lhs;
  unsigned rhs;
  bool lhs_signed;
  bool rhs_signed;
};

Mode mode_number(unsigned k) { return {k % 3, k / 3 % 3, k / 9 % 2 != 0, k / 18 != 0}; }

std::string name(const Mode& mode) {
  std::ostringstream out;
  out << mode_bits(mode.lhs) << (mode.lhs_signed ? "s" : "u") << " x " << mode_bits(mode.rhs)
      << (mode.rhs_signed ? "s" : "u");
  return out.str();
}

class FusionUnitTest : public ::testing::Test {
 protected:
  void set(const Mode& mode, std::uint32_t lhs, std::uint32_t rhs) {
    dut_.lhs_mode_i = mode.lhs;
    dut_.rhs_mode_i = mode.rhs;
    dut_.lhs_signed_i = mode.lhs_signed;
    dut_.rhs_signed_i = mode.rhs_signed;
    dut_.lhs_i = lhs;
    dut_.rhs_i = rhs;
    dut_.eval();
  }
  std::int32_t bricks_sum() const {
    return static_cast<std::int32_t>(dut_.bricks_sum_o << 15) >> 15;
  }
  std::int32_t fast_sum() const { return static_cast<std::int32_t>(dut_.fast_sum_o); }
  static std::int32_t want(const Mode& mode, std::uint32_t lhs, std::uint32_t rhs) {
    return fusion_unit(lhs, rhs, mode_bits(mode.lhs), mode_bits(mode.rhs), mode.lhs_signed,
                       mode.rhs_signed);
  }
  Vfusion_unit dut_;
};

TEST_F(FusionUnitTest, AllOperandPairsOfEveryProductInAllModesAndSigns) {
  std::mt19937 rng(1);
  for (unsigned k = 0; k < 36; ++k) {
    const Mode mode = mode_number(k);
    const unsigned a = mode_bits(mode.lhs);
    const unsigned w = mode_bits(mode.rhs);
    for (unsigned j = 0; j < 64 / (a * w); ++j) {
      const std::uint32_t lhs_mask = ((1u << a) - 1) << (j * a);
      const std::uint32_t rhs_mask = ((1u << w) - 1) << (j * w);
      for (std::uint32_t pair = 0; pair < 1u << (a + w); ++pair) {
        // The other products: zero in half of the cases, anything in the others.
        const std::uint32_t others = pair & 1 ? 0 : ~std::uint32_t{0};
        const std::uint32_t lhs = (rng() & others & ~lhs_mask) | ((pair >> w) << (j * a));
        const std::uint32_t rhs =
            (rng() & others & ~rhs_mask) | ((pair & ((1u << w) - 1)) << (j * w));
        set(mode, lhs, rhs);
        ASSERT_EQ(bricks_sum(), want(mode, lhs, rhs)) << name(mode) << " " << lhs << " " << rhs;
        ASSERT_EQ(fast_sum(), want(mode, lhs, rhs)) << name(mode) << " " << lhs << " " << rhs;
      }
    }
  }
}

TEST_F(FusionUnitTest, ExtremesDoNotOverflow) {
  for (unsigned k = 0; k < 36; ++k) {
    const Mode mode = mode_number(k);
    for (const std::uint32_t lhs : {0u, ~0u, 0x80808080u, 0x7f7f7f7fu, 0x88888888u, 0xaaaaaaaau}) {
      for (const std::uint32_t rhs :
           {0u, ~0u, 0x80808080u, 0x7f7f7f7fu, 0x88888888u, 0xaaaaaaaau}) {
        set(mode, lhs, rhs);
        EXPECT_EQ(bricks_sum(), want(mode, lhs, rhs)) << name(mode) << " " << lhs << " " << rhs;
        EXPECT_EQ(fast_sum(), want(mode, lhs, rhs)) << name(mode) << " " << lhs << " " << rhs;
      }
    }
  }
}

// Verilator 5.006 is known to get bit-level logic wrong without the right flags.
TEST_F(FusionUnitTest, IcarusVerilogGivesTheSame) {
  if (capture("command -v iverilog vvp 2>/dev/null").first != 0) {
    GTEST_SKIP() << "iverilog is not installed: the second simulator was not run (apt-get install "
                    "iverilog)";
  }
  const auto folder =
      std::filesystem::temp_directory_path() / ("bittern_fusion_unit_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::mt19937 rng(2);
  std::ostringstream stimuli;
  std::vector<std::string> expected;
  for (unsigned i = 0; i < 36 * 20; ++i) {
    const Mode mode = mode_number(i % 36);
    const auto lhs = static_cast<std::uint32_t>(rng());
    const auto rhs = static_cast<std::uint32_t>(rng());
    stimuli << mode.lhs << ' ' << mode.rhs << ' ' << mode.lhs_signed << ' ' << mode.rhs_signed
            << std::hex << ' ' << lhs << ' ' << rhs << std::dec << '\n';
    const std::string sum = std::to_string(want(mode, lhs, rhs));
    expected.push_back(sum + " " + sum);
  }
  std::ofstream(folder / "stimuli.txt") << stimuli.str();
  const std::string root = BITTERN_SOURCE_DIR;
  std::string command = "iverilog -g2012 -s bitfusion_unit_tb -o " + (folder / "tb.vvp").string();
  for (const char* file : {"tests/rtl/bitfusion_unit_tb", "tests/rtl/bitfusion_unit",
                           "rtl/bitfusion/bitfusion_bitbrick", "rtl/bitfusion/bitfusion_spread",
                           "rtl/bitfusion/bitfusion_fusion_unit", "rtl/bitfusion/bitfusion_dot"}) {
    command += " " + root + "/" + file + ".sv";
  }
  const auto [compiled, messages] = capture(command + " 2>&1");
  EXPECT_EQ(compiled, 0) << command << "\n" << messages;
  const auto [ran, output] = capture("vvp -n " + (folder / "tb.vvp").string() +
                                     " +stimuli=" + (folder / "stimuli.txt").string());
  std::filesystem::remove_all(folder);
  EXPECT_EQ(ran, 0);
  std::istringstream in(output);
  std::size_t count = 0;
  for (std::string line; std::getline(in, line); ++count) {
    ASSERT_LT(count, expected.size());
    ASSERT_EQ(line, expected[count]) << "line " << count;
  }
  EXPECT_EQ(count, expected.size());
}

}  // namespace
}  // namespace bittern::rtl_test
