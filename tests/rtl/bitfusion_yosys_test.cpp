// Yosys proves that the fast form of the array equals the one of BitBricks: one fusion unit for all
// operands and signs of every product alone, in every mode, and the array with N = M = 2 over
// eleven cycles from reset. The unit goes through ABC's "collapse", which makes one decision
// diagram of what must never be high; SAT does not end in minutes on products of 8 x 8 bits. What
// is not proven is simulated: several products at once (bitfusion_unit_test.cpp) and arrays with
// any operands (bitfusion_array_test.cpp), at random.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

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
  // ABC leaves a constant, which SAT has no work with.
  void prove_unit(const std::string& top) {
    prove(top, "opt -full; techmap; opt_clean; abc -g AND -script " +
                   std::string(BITTERN_SOURCE_DIR) +
                   "/tests/rtl/bitfusion_bdd.abc; opt_clean; sat -verify -prove differ_o 0");
  }
};

// Bits of activations and weights.
class YosysUnitTest : public YosysTest,
                      public ::testing::WithParamInterface<std::tuple<unsigned, unsigned>> {};

TEST_P(YosysUnitTest, EveryProductIsTheSameForAllOperands) {
  const auto [lhs_bits, rhs_bits] = GetParam();
  prove_unit("bitfusion_unit_miter -chparam LhsBits " + std::to_string(lhs_bits) +
             " -chparam RhsBits " + std::to_string(rhs_bits));
}

INSTANTIATE_TEST_SUITE_P(Modes, YosysUnitTest,
                         ::testing::Combine(::testing::Values(2, 4, 8), ::testing::Values(2, 4, 8)),
                         [](const auto& info) {
                           return std::to_string(std::get<0>(info.param)) + "And" +
                                  std::to_string(std::get<1>(info.param)) + "Bits";
                         });

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
