// A second simulator on the same vectors: Verilator 5.006 is known to get bit-level logic wrong
// without the right flags, so the dot-product unit and array must give the same in Icarus Verilog
// as in Verilator (and as the model in C++).
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "Vdpa_flat1.h"
#include "Vdpa_flat2.h"
#include "Vdpa_struct1.h"
#include "Vdpa_struct2.h"
#include "Vdpu1.h"
#include "Vdpu2.h"
#include "tests/rtl/capture.h"
#include "tests/rtl/clocked.h"
#include "tests/rtl/dpa_drive.h"
#include "tests/rtl/dpa_model.h"

namespace bittern::rtl_test {
namespace {

namespace fs = std::filesystem;

std::string hex(const std::vector<bool>& bits) {
  std::string out;
  for (std::size_t lsb = 0; lsb < bits.size(); lsb += 4) {
    unsigned digit = 0;
    for (unsigned b = 0; b < 4; ++b) digit |= bits[lsb + b] ? 1u << b : 0;
    out.insert(out.begin(), "0123456789abcdef"[digit]);
  }
  return out;
}

std::string hex_word(std::uint32_t word) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", word);
  return text;
}

class IverilogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (capture("command -v iverilog vvp 2>/dev/null").first != 0) {
      GTEST_SKIP() << "iverilog is not installed: the second simulator was not run (apt-get "
                      "install iverilog)";
    }
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              (std::string("bittern_iverilog_") + test->name() + "_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  // Compiles and runs a test bench of this folder on `stimuli`; the lines that it printed.
  std::vector<std::string> simulate(const std::string& bench, const std::string& parameters,
                                    const std::string& stimuli) {
    std::ofstream(folder_ / "stimuli.txt") << stimuli;
    const std::string root = BITTERN_SOURCE_DIR;
    std::string command = "iverilog -g2012 -s " + bench + " -o " + (folder_ / "bench.vvp").string();
    for (std::istringstream in(parameters); in;) {
      std::string parameter;
      if (in >> parameter) command += " -P" + bench + "." + parameter;
    }
    command += " " + root + "/tests/rtl/" + bench + ".sv";
    for (const char* module : {"dpa", "dpu", "and3", "compress63", "popcount"}) {
      command += " " + root + "/rtl/bismo/bismo_" + module + ".sv";
    }
    const auto [compiled, messages] = capture(command + " 2>&1");
    EXPECT_EQ(compiled, 0) << command << "\n" << messages;
    const auto [ran, output] = capture("vvp -n " + (folder_ / "bench.vvp").string() +
                                       " +stimuli=" + (folder_ / "stimuli.txt").string());
    EXPECT_EQ(ran, 0);
    std::vector<std::string> lines;
    std::istringstream in(output);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }

  // The array: stimuli, outputs of Verilator as text, both simulators line by line.
  template <typename Dut>
  void check_array(const DpaShape& shape, unsigned structural, unsigned cycles) {
    std::mt19937 rng(11 + structural);
    const auto inputs = random_inputs(shape, cycles, rng);
    Clocked<Dut> dut;
    dut.reset();
    DpaModel model(shape);
    std::string stimuli;
    std::vector<std::string> verilator;
    for (const DpaInput& in : inputs) {
      std::ostringstream line;
      line << in.valid << ' ' << in.clear << ' ' << in.shift << ' ' << in.negate << ' ' << in.last
           << ' ' << in.tag << ' ' << hex(in.lhs) << ' ' << hex(in.rhs) << '\n';
      stimuli += line.str();
      apply(*dut, in);
      dut.tick();
      std::string out;
      for (const std::uint32_t word : accumulators(*dut, shape)) out = hex_word(word) + out;
      verilator.push_back(std::to_string(dut->last_o) + " " + std::to_string(dut->tag_o) + " " +
                          out);
      ASSERT_EQ(accumulators(*dut, shape), model.step(in).acc);
    }
    std::ostringstream parameters;
    parameters << "Dm=" << shape.dm << " Dk=" << shape.dk << " Dn=" << shape.dn
               << " Lanes=" << shape.lanes << " PopStages=" << shape.pop_stages
               << " Structural=" << structural;
    const auto iverilog = simulate("dpa_tb", parameters.str(), stimuli);
    ASSERT_EQ(iverilog.size(), verilator.size());
    // Before the first (clearing) input has arrived at the accumulators, Icarus shows them as
    // unknown.
    for (std::size_t i = shape.pop_stages; i < verilator.size(); ++i) {
      ASSERT_EQ(iverilog[i], verilator[i]) << "cycle " << i;
    }
  }

  template <typename Dut>
  void check_unit(unsigned dk, unsigned pop_stages, unsigned cycles) {
    std::mt19937 rng(13);
    const DpaShape shape{1, dk, 1, 1, pop_stages};
    const auto inputs = random_inputs(shape, cycles, rng);
    Clocked<Dut> dut;
    std::string stimuli;
    std::vector<std::string> verilator;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      apply_unit(*dut, inputs, i, pop_stages);
      std::ostringstream line;
      line << unsigned{dut->valid_i} << ' ' << unsigned{dut->acc_clear_i} << ' '
           << unsigned{dut->acc_shift_i} << ' ' << unsigned{dut->acc_negate_i} << ' '
           << hex(inputs[i].lhs) << ' ' << hex(inputs[i].rhs) << '\n';
      stimuli += line.str();
      dut.tick();
      verilator.push_back(hex_word(dut->acc_o));
    }
    const auto iverilog = simulate(
        "dpu_tb", "Dk=" + std::to_string(dk) + " PopStages=" + std::to_string(pop_stages), stimuli);
    ASSERT_EQ(iverilog.size(), verilator.size());
    for (std::size_t i = pop_stages; i < verilator.size(); ++i) {
      ASSERT_EQ(iverilog[i], verilator[i]) << "cycle " << i;
    }
  }

  fs::path folder_;
};

TEST_F(IverilogTest, FlatArrayWithTwoStagesIsTheSame) {
  check_array<Vdpa_flat2>(kTwoStages, 0, 400);
}
TEST_F(IverilogTest, StructuralArrayWithTwoStagesIsTheSame) {
  check_array<Vdpa_struct2>(kTwoStages, 1, 400);
}
TEST_F(IverilogTest, FlatArrayWithOneStageIsTheSame) { check_array<Vdpa_flat1>(kOneStage, 0, 800); }
TEST_F(IverilogTest, StructuralArrayWithOneStageIsTheSame) {
  check_array<Vdpa_struct1>(kOneStage, 1, 800);
}
TEST_F(IverilogTest, UnitWithTwoStagesIsTheSame) { check_unit<Vdpu2>(256, 2, 800); }
TEST_F(IverilogTest, UnitWithOneStageIsTheSame) { check_unit<Vdpu1>(200, 1, 800); }

}  // namespace
}  // namespace bittern::rtl_test
