// Yosys proves that the fast form of a small Stripes array equals the one of SIPs in every cycle
// from reset until the first tile is complete, with and without staggered columns and their
// cascade. Whole cores with larger arrays are compared in simulation (stripes_core_test.cpp).
#include <gtest/gtest.h>

#include "tests/rtl/capture.h"

namespace bittern::rtl_test {
namespace {

void prove(int columns, int cascade, int cycles) {
  if (capture("command -v yosys 2>/dev/null").first != 0) {
    GTEST_SKIP() << "yosys is not installed: nothing was proven (apt-get install yosys)";
  }
  const std::string root = BITTERN_SOURCE_DIR;
  std::string script = "read_verilog -sv " + root + "/rtl/stripes/stripes_sip.sv " + root +
                       "/rtl/stripes/stripes_array.sv " + root +
                       "/tests/rtl/stripes_miter.sv; hierarchy -check -top stripes_array_miter "
                       "-chparam Columns " +
                       std::to_string(columns) + " -chparam Cascade " + std::to_string(cascade) +
                       "; proc; flatten; async2sync; opt -full; sat -verify -seq " +
                       std::to_string(cycles) + " -set-at 1 rst_ni 0";
  for (int cycle = 2; cycle <= cycles; ++cycle) {
    script += " -set-at " + std::to_string(cycle) + " rst_ni 1";
  }
  script += " -prove differ_o 0 -prove-skip 1";
  const auto [status, output] = capture("yosys -p '" + script + "' 2>&1");
  EXPECT_EQ(status, 0) << output.substr(output.size() > 3000 ? output.size() - 3000 : 0);
  EXPECT_NE(output.find("SAT proof finished - no model found: SUCCESS!"), std::string::npos);
}

TEST(StripesYosysTest, ArrayIsTheSameInEveryCycle) { prove(0, 0, 9); }
TEST(StripesYosysTest, ArrayWithStaggeredColumnsIsTheSameInEveryCycle) { prove(1, 0, 10); }
TEST(StripesYosysTest, ArrayInCascadeIsTheSameInEveryCycle) { prove(1, 1, 11); }

}  // namespace
}  // namespace bittern::rtl_test
