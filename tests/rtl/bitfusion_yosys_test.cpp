// Yosys proves that the fast form of the array equals the one of BitBricks: one unit for every
// product alone, and the array with N = M = 2 over eleven cycles from reset. What SAT cannot do in
// seconds is simulated exhaustively (bitfusion_unit_test.cpp) and at random
// (bitfusion_array_test.cpp).
#include <gtest/gtest.h>

#include "tests/rtl/capture.h"

namespace bittern::rtl_test {
namespace {

class YosysTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (capture("command -v yosys 2>/dev/null").first != 0) {
      GTEST_SKIP() << "yosys is not installed: nothing was proven (apt-get install yosys)";
    }
  }
  // Runs a proof on a module of bitfusion_miter.sv.
  void prove(const std::string& top, const std::string& steps) {
    const std::string root = BITTERN_SOURCE_DIR;
    std::string script = "read_verilog -sv";
    for (const char* module :
         {"bitbrick", "spread", "fusion_unit", "dot", "delay", "systolic", "array"}) {
      script += " " + root + "/rtl/bitfusion/bitfusion_" + module + ".sv";
    }
    script += " " + root + "/tests/rtl/bitfusion_miter.sv; hierarchy -check -top " + top +
              "; proc; flatten; " + steps;
    const auto [status, output] = capture("yosys -p '" + script + "' 2>&1");
    EXPECT_EQ(status, 0) << output.substr(output.size() > 3000 ? output.size() - 3000 : 0);
    EXPECT_NE(output.find("SAT proof finished - no model found: SUCCESS!"), std::string::npos);
  }
  void prove_unit(unsigned lhs_bits, unsigned rhs_bits) {
    prove("bitfusion_unit_miter -chparam LhsBits " + std::to_string(lhs_bits) +
              " -chparam RhsBits " + std::to_string(rhs_bits),
          "opt -full; techmap; opt -full; abc -g AND; opt_clean; sat -verify -prove differ_o 0");
  }
};

TEST_F(YosysTest, UnitOf2And2BitsIsTheSame) { prove_unit(2, 2); }
TEST_F(YosysTest, UnitOf4And4BitsIsTheSame) { prove_unit(4, 4); }
TEST_F(YosysTest, UnitOf2And8BitsIsTheSame) { prove_unit(2, 8); }
TEST_F(YosysTest, UnitOf8And4BitsIsTheSame) { prove_unit(8, 4); }

TEST_F(YosysTest, ArrayIsTheSameInEveryCycle) {
  std::string steps =
      "async2sync; opt -full; memory -nomap; memory_map; opt -full; sat -verify -seq 11 -set-at 1 "
      "rst_ni 0";
  for (int cycle = 2; cycle <= 11; ++cycle)
    steps += " -set-at " + std::to_string(cycle) + " rst_ni 1";
  prove("bitfusion_array_miter", steps + " -prove differ_o 0 -prove-skip 1");
}

}  // namespace
}  // namespace bittern::rtl_test
