#include "host/variant/variant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "host/cores/cores.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kGood =
    "name: v\n"
    "core: bismo\n"
    "clock_mhz: 100\n"
    "batch: 2\n"
    "rtl:\n"
    "  Dm: 2\n"
    "  Dk: 64\n"
    "  Dn: 2\n"
    "  LhsDepth: 128\n"
    "  RhsDepth: 128\n"
    "  NumReadPorts: 1\n"
    "  NumWritePorts: 1\n"
    "  PortWidth: 64\n"
    "  MaxBurstBeats: 64\n"
    "memory:\n"
    "  size_mib: 64\n"
    "  latency_cycles: 16\n"
    "  bytes_per_cycle: 8\n"
    "  outstanding: 4\n"
    "lowering:\n"
    "  depthwise_pack: 4\n"
    "energy: fpga_28nm\n";

class VariantTest : public ::testing::Test {
 protected:
  Variant load(const std::string& text) {
    write_file(folder_ / "v.yaml", text);
    return load_variant((folder_ / "v.yaml").string());
  }
  /// The good file with `from` replaced by `to`.
  Variant changed(const std::string& from, const std::string& to) {
    std::string text = kGood;
    const std::size_t at = text.find(from);
    if (at == std::string::npos) throw std::logic_error("test: '" + from + "' is not in the file");
    return load(text.replace(at, from.size(), to));
  }
  std::string error_of(const std::string& from, const std::string& to) {
    return message_of(ExitStatus::kUsage, [&] { changed(from, to); });
  }
  TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
};

TEST_F(VariantTest, AllShippedVariantsLoad) {
  const auto names = variant_names();
  EXPECT_THAT(names, ::testing::IsSupersetOf(
                         {"bismo_cloud", "bismo_edge", "bismo_tiny", "bitfusion_cloud",
                          "bitfusion_edge", "bitfusion_paper", "bitfusion_tiny", "stripes_cloud",
                          "stripes_edge", "stripes_paper", "stripes_releq", "stripes_tiny"}));
  for (const std::string& name : names) EXPECT_EQ(load_variant(name).name, name);
}

TEST_F(VariantTest, ShippedEdgeHasWhatTheFileSays) {
  const Variant edge = load_variant("bismo_edge");
  EXPECT_EQ(edge.core, "bismo");
  EXPECT_EQ(edge.parameter("Dk"), 256);
  EXPECT_EQ(edge.memory.size_bytes, 512ull << 20);
  EXPECT_EQ(edge.memory.latency_cycles, 16);
  EXPECT_EQ(edge.lowering_choice("depthwise_pack", 7), 1);
  EXPECT_EQ(edge.lowering_choice("other", 7), 7);
  EXPECT_EQ(edge.energy, "fpga_28nm");
  EXPECT_EQ(edge.synthesis.budget.at("BRAM36"), 140);
  EXPECT_FALSE(edge.axi_checks);
  EXPECT_TRUE(load_variant("bismo_tiny").axi_checks);
  EXPECT_DOUBLE_EQ(edge.seconds(200000000), 1.0);
}

TEST_F(VariantTest, KeyChangesWithWhateverChangesCycles) {
  const std::string key = load(kGood).key();
  EXPECT_NE(changed("Dm: 2", "Dm: 4").key(), key);
  EXPECT_NE(changed("batch: 2", "batch: 3").key(), key);
  EXPECT_NE(changed("latency_cycles: 16", "latency_cycles: 17").key(), key);
  EXPECT_NE(changed("outstanding: 4", "outstanding: 5").key(), key);
  EXPECT_NE(changed("depthwise_pack: 4", "depthwise_pack: 2").key(), key);
}

TEST_F(VariantTest, KeyStaysWhenOnlyTheClockOrTheTextChanges) {
  const std::string key = load(kGood).key();
  EXPECT_EQ(changed("clock_mhz: 100", "clock_mhz: 200").key(), key);
  EXPECT_EQ(changed("batch: 2", "batch: 2\ndescription: other").key(), key);
  EXPECT_EQ(changed("energy: fpga_28nm", "energy: fpga_16nm").key(), key);
}

TEST_F(VariantTest, MistakesAreNamedWithFileAndLine) {
  EXPECT_THAT(error_of("clock_mhz", "clock_mzh"),
              HasSubstr("v.yaml:3: unknown key 'clock_mzh', did you mean 'clock_mhz'?"));
  EXPECT_THAT(error_of("  Dk: 64\n", ""), HasSubstr("missing key 'Dk'"));
  EXPECT_THAT(error_of("  Dk: 64", "  DK: 64"), HasSubstr("unknown key 'DK', did you mean 'Dk'?"));
  EXPECT_THAT(error_of("Dk: 64", "Dk: 96"),
              HasSubstr("v.yaml:7: rtl.Dk: 96 is not a power of two"));
  EXPECT_THAT(error_of("PortWidth: 64", "PortWidth: 512"), HasSubstr("out of range"));
  EXPECT_THAT(error_of("MaxBurstBeats: 64", "MaxBurstBeats: 1024"), HasSubstr("out of range"));
  EXPECT_THAT(error_of("Dk: 64\n  Dn: 2\n  LhsDepth: 128\n  RhsDepth: 128\n  NumReadPorts: 1\n  "
                       "NumWritePorts: 1\n  PortWidth: 64\n  MaxBurstBeats: 64",
                       "Dk: 256\n  Dn: 2\n  LhsDepth: 128\n  RhsDepth: 128\n  NumReadPorts: 1\n  "
                       "NumWritePorts: 1\n  PortWidth: 256\n  MaxBurstBeats: 256"),
              HasSubstr("a burst of 8192 bytes"));
  EXPECT_THAT(error_of("NumReadPorts: 1", "NumReadPorts: 4"),
              HasSubstr("NumReadPorts is 4, expected Dk/PortWidth = 1"));
  EXPECT_THAT(error_of("PortWidth: 64", "PortWidth: 128"), HasSubstr("Dk must be at least"));
  EXPECT_THAT(error_of("NumWritePorts: 1", "NumWritePorts: 4"), HasSubstr("whole number of beats"));
  EXPECT_THAT(error_of("MaxBurstBeats: 64", "MaxBurstBeats: 64\n  MinResultBits: 16"),
              HasSubstr("MinResultBits is 16, expected 2, 4, 8 or 32"));
  EXPECT_THAT(error_of("MaxBurstBeats: 64", "MaxBurstBeats: 64\n  MinResultBits: 8"),
              HasSubstr("a result tile (Dm*Dn*8 = 32 bits) must be a whole number of beats"));
  EXPECT_THAT(error_of("depthwise_pack", "requantise: 1\n  depthwise_pack"),
              HasSubstr("true or false"));
  EXPECT_THAT(error_of("core: bismo", "core: bisno"), HasSubstr("did you mean 'bismo'?"));
  EXPECT_THAT(error_of("name: v", "name: w"), HasSubstr("differs from the file's name 'v'"));
  EXPECT_THAT(error_of("size_mib: 64", "size_mib: 4096"), HasSubstr("memory.size_mib: 4096"));
  EXPECT_THAT(error_of("outstanding: 4", "outstanding: 0"), HasSubstr("out of range"));
  EXPECT_THAT(error_of("depthwise_pack", "depthwise_pac"),
              HasSubstr("did you mean 'depthwise_pack'?"));
  EXPECT_THAT(error_of("energy: fpga_28nm\n", ""), HasSubstr("missing key 'energy'"));
  EXPECT_THAT(error_of("batch: 2", "axi_checks: 1\nbatch: 2"), HasSubstr("true or false"));
}

/// Variants of one core, of which a single parameter is wrong.
class CoreVariantTest : public VariantTest {
 protected:
  /// What a variant with these parameters, one of them changed, is refused with; empty: it is good.
  std::string error_with(const std::string& core, std::map<std::string, int> rtl,
                         const std::string& parameter, int value) {
    rtl[parameter] = value;
    std::string text = "name: v\ncore: " + core + "\nclock_mhz: 100\nbatch: 2\nrtl:\n";
    for (const auto& [name, number] : rtl)
      text += "  " + name + ": " + std::to_string(number) + "\n";
    text +=
        "memory: {size_mib: 64, latency_cycles: 16, bytes_per_cycle: 8, outstanding: 4}\n"
        "energy: fpga_28nm\n";
    try {
      load(text);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(CoreVariantTest, RulesOfBitFusionAreChecked) {
  const auto error = [this](const std::string& parameter, int value) {
    return error_with("bitfusion",
                      {{"N", 8},
                       {"M", 8},
                       {"IbufDepth", 64},
                       {"WbufDepth", 64},
                       {"ObufDepth", 64},
                       {"FetchLanes", 2},
                       {"NumReadPorts", 4},
                       {"NumWritePorts", 2},
                       {"PortWidth", 64},
                       {"MaxBurstBeats", 64}},
                      parameter, value);
  };
  EXPECT_EQ(error("N", 8), "");
  EXPECT_EQ(error("NumReadPorts", 2), "");
  EXPECT_THAT(error("N", 2), HasSubstr("input buffer (N*32 = 64 bits)"));
  EXPECT_THAT(error("PortWidth", 128), HasSubstr("PortWidth is 128, expected 64 or 256"));
  EXPECT_THAT(error("FetchLanes", 8), HasSubstr("FetchLanes*PortWidth = 512 bits"));
  EXPECT_THAT(error("NumReadPorts", 1), HasSubstr("expected FetchLanes = 2"));
  EXPECT_THAT(error("NumWritePorts", 8), HasSubstr("output word (M*32 = 256 bits)"));
  EXPECT_THAT(error("WbufDepth", 100), HasSubstr("not a power of two"));
  EXPECT_THAT(error("M", 1), HasSubstr("out of range"));
  EXPECT_THAT(error("ObufDepth", 2), HasSubstr("out of range"));
}

TEST_F(CoreVariantTest, RulesOfStripesAreChecked) {
  const auto error = [this](const std::string& parameter, int value) {
    return error_with("stripes",
                      {{"Rows", 4},
                       {"Columns", 8},
                       {"Tiles", 2},
                       {"Lanes", 16},
                       {"Serial", 0},
                       {"MaxBits", 8},
                       {"LhsDepth", 256},
                       {"RhsDepth", 64},
                       {"FetchLanes", 2},
                       {"NumReadPorts", 4},
                       {"NumWritePorts", 2},
                       {"PortWidth", 64},
                       {"MaxBurstBeats", 64}},
                      parameter, value);
  };
  for (const int serial : {0, 1, 2}) EXPECT_EQ(error("Serial", serial), "");
  EXPECT_EQ(error("NumReadPorts", 2), "");
  EXPECT_THAT(error("Serial", 3), HasSubstr("out of range"));
  EXPECT_EQ(error("MaxBits", 16), "");
  EXPECT_THAT(error("MaxBits", 4), HasSubstr("out of range"));
  EXPECT_THAT(error("MaxBits", 12), HasSubstr("not a power of two"));
  EXPECT_THAT(error("Lanes", 128), HasSubstr("Lanes must be at most PortWidth"));
  EXPECT_THAT(error("Columns", 4), HasSubstr("a bit plane of 4 rows of 16 lanes"));
  EXPECT_EQ(error("Tiles", 1), "");  // two planes of weights in a word
  EXPECT_THAT(error("FetchLanes", 4), HasSubstr("a bit plane of 8 rows of 16 lanes"));
  EXPECT_THAT(error("NumReadPorts", 8), HasSubstr("expected FetchLanes = 2"));
  EXPECT_THAT(error("NumWritePorts", 16), HasSubstr("16 is out of range, expected 1 to 8"));
  EXPECT_THAT(error("Rows", 3), HasSubstr("not a power of two"));
  EXPECT_THAT(error("Columns", 1), HasSubstr("out of range"));
}

TEST_F(VariantTest, NamesThatCannotBeIdentifiersAreErrors) {
  write_file(folder_ / "V-1.yaml", "name: V-1\ncore: bismo\n");
  try {
    load_variant((folder_ / "V-1.yaml").string());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("lower-case letter"));
  }
}

TEST_F(VariantTest, AskingForAMissingParameterSuggestsOne) {
  try {
    load(kGood).parameter("LhsDeph");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "variant 'v' has no RTL parameter 'LhsDeph', did you mean 'LhsDepth'?");
  }
}

}  // namespace
}  // namespace bittern
