// Programs without their tensors, and what stands for them in measurement keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/cores/core.h"
#include "host/cores/cores.h"
#include "host/integer/layer_data.h"
#include "tests/host/cores/random_layers.h"

namespace bittern {
namespace {

class ProgramTest : public ::testing::TestWithParam<const char*> {
 protected:
  const Variant variant_ =
      load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/" + GetParam() + ".yaml");
  const std::unique_ptr<Core> core_ = make_core(variant_);
};

TEST_P(ProgramTest, WhatIsBuiltIsTheOutlineFilledWithData) {
  Rng rng(11);
  for (int i = 0; i < 30; ++i) {
    const Layer layer = random_layer(rng, 8);
    Precision precision = random_precision(rng);
    precision.bits = core_->supported(precision.bits);
    const int batch = static_cast<int>(rng.integer(1, 3));
    const auto plan = core_->plan(layer, precision, batch);
    const ProgramOutline outline = core_->outline(*plan);
    const Program program =
        core_->build(*plan, random_layer_data(layer, precision, batch, static_cast<unsigned>(i)));
    EXPECT_EQ(program.program_address, outline.program_address);
    EXPECT_EQ(program.instruction_count, outline.instruction_count);
    EXPECT_EQ(program.result_address, outline.result_address);
    EXPECT_EQ(program.result_bytes, outline.result_bytes);
    EXPECT_EQ(program.memory_end, outline.memory_end);
    ASSERT_EQ(program.segments.size(), outline.tensors.size() + 1);
    for (std::size_t t = 0; t < outline.tensors.size(); ++t) {
      EXPECT_EQ(program.segments[t].address, outline.tensors[t].address);
      EXPECT_EQ(program.segments[t].bytes.size(), outline.tensors[t].bytes);
    }
    EXPECT_EQ(program.segments.back().address, outline.program_address);
    EXPECT_EQ(program.segments.back().bytes, outline.instructions);
    EXPECT_EQ(outline.digest(), core_->outline(*core_->plan(layer, precision, batch)).digest());
  }
}

TEST_P(ProgramTest, OneScheduleWithOtherInstructionWordsIsAnotherProgram) {
  Layer layer;
  layer.in_channels = layer.out_channels = 5;
  layer.in_height = layer.in_width = 6;
  layer.kernel_h = layer.kernel_w = 3;
  Precision precision;
  precision.bits = core_->supported({4, 4});
  const auto plan = core_->plan(layer, precision, 1);
  precision.activation_signed = true;
  const auto other = core_->plan(layer, precision, 1);
  ASSERT_EQ(plan->key(), other->key());
  EXPECT_NE(core_->outline(*plan).instructions, core_->outline(*other).instructions);
  EXPECT_NE(core_->outline(*plan).digest(), core_->outline(*other).digest());
}

TEST_P(ProgramTest, DataOfAnotherLayerAreRefused) {
  const Layer layer;
  Precision precision;
  precision.bits = core_->supported({4, 4});
  const auto plan = core_->plan(layer, precision, 1);
  EXPECT_THROW(core_->build(*plan, random_layer_data(layer, precision, 2, 1)), Error);
}

INSTANTIATE_TEST_SUITE_P(Cores, ProgramTest,
                         ::testing::Values("bismo_tiny", "stripes_tiny", "bitfusion_tiny"),
                         [](const auto& info) { return std::string(info.param); });

TEST(ProgramOutline, EveryAddressSizeAndWordChangesTheDigest) {
  ProgramOutline outline;
  outline.program_address = 4096;
  outline.instruction_count = 2;
  outline.result_address = 8192;
  outline.result_bytes = 64;
  outline.memory_end = 9000;
  outline.tensors = {{0, 128}, {1024, 256}};
  outline.instructions = std::vector<std::uint8_t>(32, 1);
  std::vector<ProgramOutline> others(11, outline);
  others[1].program_address += 64;
  others[2].instruction_count += 1;
  others[3].result_address += 64;
  others[4].result_bytes += 4;
  others[5].memory_end += 1;
  others[6].tensors[0].address += 64;
  others[7].tensors[1].bytes += 64;
  others[8].tensors.pop_back();
  std::swap(others[9].tensors[0], others[9].tensors[1]);
  others[10].instructions[31] = 2;
  std::set<std::string> seen;
  for (const ProgramOutline& other : others) seen.insert(other.digest());
  EXPECT_EQ(seen.size(), others.size());
}

/// Packs other tensors than it lays out.
class CarelessCore : public Core {
 public:
  explicit CarelessCore(const Core& core) : core_(core) {}
  std::unique_ptr<Plan> plan(const Layer& layer, const Precision& precision,
                             int batch) const override {
    return core_.plan(layer, precision, batch);
  }
  ProgramOutline outline(const Plan& plan) const override { return core_.outline(plan); }
  std::vector<std::int32_t> unpack(const Plan& plan, Bytes result) const override {
    return core_.unpack(plan, result);
  }
  ModelResult model(const Plan& plan) const override { return core_.model(plan); }
  BitPair supported(BitPair bits) const override { return bits; }
  double peak_macs_per_cycle(BitPair bits) const override {
    return core_.peak_macs_per_cycle(bits);
  }
  std::vector<std::pair<std::string, std::string>> cycle_split() const override { return {}; }

 private:
  std::vector<std::vector<std::uint8_t>> pack(const Plan&, const LayerData&) const override {
    return {std::vector<std::uint8_t>(3)};
  }
  const Core& core_;
};

TEST(Core, TensorsThatDoNotFillTheirRegionsAreAnError) {
  const Variant variant =
      load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/bismo_tiny.yaml");
  const auto core = make_core(variant);
  const CarelessCore careless(*core);
  Layer layer;
  layer.name = "odd";
  const auto plan = careless.plan(layer, Precision{}, 1);
  try {
    careless.build(*plan, random_layer_data(layer, Precision{}, 1, 1));
    ADD_FAILURE() << "no exception";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("layer odd: tensor 0 has 3 bytes"));
  }
}

}  // namespace
}  // namespace bittern
