#include "host/energy/energy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "host/cores/cores.h"
#include "host/protocol/registers.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kTable = R"(name: t
static: {value: 0.5, unit: W, technology: x, source: s, basis: measured}
dram:
  - {name: low, value: 10, unit: pJ/bit, technology: x, source: s, basis: measured}
  - {name: high, value: 70, unit: pJ/bit, technology: x, source: s, basis: measured}
sram:
  unit: pJ/bit
  technology: x
  source: s
  basis: derived
  points:
    - {bytes: 1024, read: 0.1, write: 0.2}
    - {bytes: 4096, read: 0.4, write: 0.4}
cores:
  bismo:
    - {part: array, event: exec_run, times: [Dm, Dn, Dk], value: 2, unit: pJ, technology: x, source: s, basis: calibrated}
    - {part: buffer, event: exec_run, times: [Dm, Dk], sram: read, bits: [LhsDepth, PortWidth]}
    - {part: buffer, event: lhs_buffer_writes, times: [PortWidth], sram: write, bits: [LhsDepth, PortWidth]}
    - {part: control, event: cycles, value: 3, unit: pJ, technology: x, source: s, basis: assumption}
)";

class EnergyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    variant_.name = "v";
    variant_.core = "bismo";
    variant_.clock_mhz = 100.0;
    variant_.rtl = {{"Dm", 2}, {"Dn", 4}, {"Dk", 64}, {"LhsDepth", 256}, {"PortWidth", 64}};
    counts_.cycles = 1000;
    counts_.events = {{"exec_run", 500}, {"lhs_buffer_writes", 30}};
    counts_.bytes_read = 100;
    counts_.bytes_written = 50;
  }

  EnergyTable table(const std::string& from = "", const std::string& to = "") {
    std::string text = kTable;
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    write_file(folder_ / "t.yaml", text);
    return load_energy_table((folder_ / "t.yaml").string());
  }
  std::string error_of(const std::string& from, const std::string& to) {
    return message_of(ExitStatus::kUsage, [&] { table(from, to); });
  }
  TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
  Variant variant_;
  RunCounts counts_;
};

TEST_F(EnergyTest, SumsEventsStaticPowerAndBothMemories) {
  const Energy energy = energy_of(counts_, table(), variant_);
  ASSERT_EQ(energy.parts.size(), 4u);
  EXPECT_EQ(energy.parts[0].part, "array");
  EXPECT_DOUBLE_EQ(energy.parts[0].joules, 500.0 * 2 * 4 * 64 * 2e-12);
  // A lane memory of 256 x 64 bits has 2048 bytes: half way between the points in the logarithm.
  EXPECT_EQ(energy.parts[1].part, "buffer");
  const double read = 0.2, write = std::sqrt(0.2 * 0.4);
  EXPECT_NEAR(energy.parts[1].joules, (500.0 * 2 * 64 * read + 30.0 * 64 * write) * 1e-12, 1e-20);
  EXPECT_DOUBLE_EQ(energy.parts[2].joules, 1000 * 3e-12);
  EXPECT_EQ(energy.parts[3].part, "static");
  EXPECT_DOUBLE_EQ(energy.parts[3].joules, 0.5 * 1000 / 100e6);
  EXPECT_DOUBLE_EQ(energy.dram_j[0], 150 * 8 * 10e-12);
  EXPECT_DOUBLE_EQ(energy.dram_j[1], 150 * 8 * 70e-12);
  EXPECT_NEAR(energy.high_j() - energy.low_j(), 150 * 8 * 60e-12, 1e-18);
}

TEST_F(EnergyTest, CurveIsExactAtItsPointsAndEndsAtTheLast) {
  const EnergyTable t = table();
  EXPECT_DOUBLE_EQ(sram_pj_per_bit(t, 1024, false), 0.1);
  EXPECT_DOUBLE_EQ(sram_pj_per_bit(t, 4096, true), 0.4);
  EXPECT_DOUBLE_EQ(sram_pj_per_bit(t, 10, false), 0.1);
  try {
    sram_pj_per_bit(t, 4097, false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("does not reach a memory of 4097 bytes"));
  }
}

TEST_F(EnergyTest, MissingCountsCoresAndParametersAreErrors) {
  const auto message = [&](const EnergyTable& t) -> std::string {
    try {
      energy_of(counts_, t, variant_);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message(table("event: exec_run", "event: exec_rum")),
              HasSubstr("charges for event 'exec_rum', which was not counted, did you mean"));
  EXPECT_THAT(message(table("times: [Dm, Dn, Dk]", "times: [Dm, Do]")),
              HasSubstr("no RTL parameter 'Do'"));
  variant_.core = "stripes";
  EXPECT_THAT(message(table()), HasSubstr("says nothing about core 'stripes'"));
}

TEST_F(EnergyTest, EveryNumberMustCarryItsSource) {
  EXPECT_THAT(error_of("value: 3, unit: pJ, technology: x, source: s, ",
                       "value: 3, unit: pJ, technology: x, "),
              HasSubstr("missing key 'source'"));
  EXPECT_THAT(error_of("unit: W", "unit: mW"), HasSubstr("unknown value 'mW'"));
  EXPECT_THAT(error_of("basis: assumption", "basis: guess"), HasSubstr("basis"));
  EXPECT_THAT(error_of("value: 0.5", "value: -1"), HasSubstr("out of range"));
  EXPECT_THAT(error_of("value: 10", "value: 100"), HasSubstr("the lower of the two"));
  EXPECT_THAT(error_of("bytes: 4096", "bytes: 512"), HasSubstr("must ascend"));
  EXPECT_THAT(error_of("sram: write, bits", "sram: write, value: 2, bits"),
              HasSubstr("comes from the curve"));
  EXPECT_THAT(error_of("event: cycles,", "event: cycles, bits: [Dm],"),
              HasSubstr("only used with sram"));
}

TEST_F(EnergyTest, ShippedTablesGiveBoardPowerBelowThePublishedBounds) {
  for (const char* name : {"bismo_edge", "bismo_cloud"}) {
    const Variant variant = load_variant(name);
    const EnergyTable t = load_energy_table(variant.energy);
    // One second of an array that is never idle, writing its buffers and emitting tiles all along.
    RunCounts busy;
    busy.cycles = static_cast<std::uint64_t>(variant.clock_mhz * 1e6);
    busy.events = {{"exec_run", busy.cycles},
                   {"lhs_buffer_writes", busy.cycles},
                   {"rhs_buffer_writes", busy.cycles},
                   {"tiles_emitted", busy.cycles / 64}};
    const double watts = energy_of(busy, t, variant).on_chip_j();
    const double binary_ops = 2.0 * static_cast<double>(variant.parameter("Dm")) *
                              static_cast<double>(variant.parameter("Dn")) *
                              static_cast<double>(variant.parameter("Dk")) *
                              static_cast<double>(busy.cycles);
    // BISMO README: 5 W at 6.55 TOPS (Z7020), 8 W at 15.4 TOPS (ZU3EG), for whole boards.
    const double bound = std::string(name) == "bismo_edge" ? 0.76e-12 : 0.52e-12;
    EXPECT_LT(watts / binary_ops, bound) << name;
    EXPECT_GT(watts / binary_ops, bound / 4) << name;
  }
}

TEST_F(EnergyTest, EveryShippedTableServesEveryVariantThatNamesIt) {
  for (const std::string& name : variant_names()) {
    const Variant variant = load_variant(name);
    RunCounts counts;
    const registers::CoreMap* map = registers::core_map(variant.core);
    for (std::size_t i = 0; i < map->num_events; ++i) {
      counts.events[std::string(map->events[i])] = 1;
    }
    EXPECT_GT(energy_of(counts, load_energy_table(variant.energy), variant).low_j(), 0.0) << name;
  }
  EXPECT_THAT(energy_table_names(),
              ::testing::IsSupersetOf({"asic_45nm", "fpga_16nm", "fpga_28nm"}));
}

}  // namespace
}  // namespace bittern
