#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <sstream>

#include "host/base/error.h"
#include "host/cores/bismo/bismo_core.h"
#include "host/cores/cores.h"
#include "host/cores/matrix/matrix_core.h"
#include "host/cores/matrix/matrix_planner.h"
#include "host/cores/stripes/stripes_core.h"
#include "host/integer/layer_data.h"
#include "host/integer/reference.h"
#include "tests/host/cores/bismo/bismo_interpreter.h"
#include "tests/host/cores/random_layers.h"
#include "tests/host/cores/stripes/stripes_interpreter.h"

namespace bittern {
namespace {

Variant variant_of(const std::string& name) {
  return load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/" + name + ".yaml");
}

/// The core of a shipped variant, or of stripes_tiny with other parameters ("stripes_tiny Serial 1
/// MaxBits 16"), with changes to its configuration.
std::unique_ptr<MatrixCore> core_of(const std::string& name,
                                    const std::function<void(MatrixConfig&)>& change = {}) {
  std::istringstream words(name);
  std::string word;
  words >> word;
  Variant variant = variant_of(word);
  while (words >> word) words >> variant.rtl[word];
  // What can make results narrow does.
  if (variant.rtl.count("MinResultBits") != 0) variant.lowering["requantise"] = 1;
  const bool stripes = variant.core == "stripes";
  MatrixConfig config = stripes ? stripes_config(variant) : bismo_config(variant);
  if (change) change(config);
  if (stripes) return std::make_unique<StripesCore>(config);
  return std::make_unique<BismoCore>(config);
}

std::string test_name(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

/// Lowers, interprets and compares; `what` is printed with a difference.
void expect_correct(const MatrixCore& core, const MatrixPlan& plan, std::uint64_t seed,
                    StageOrder order, int queue_depth) {
  const LayerData data = random_layer_data(plan.layer, plan.precision, plan.batch, seed);
  const Program program = core.build(plan, data);
  std::vector<std::uint8_t> bytes;
  const auto interpret = [&] {
    if (core.config().bricks) {
      bytes = StripesInterpreter(core.config(), order, queue_depth, seed).run(program);
    } else {
      bytes = BismoInterpreter(core.config(), order, queue_depth, seed).run(program);
    }
  };
  ASSERT_NO_THROW(interpret()) << plan.layer.name << " " << plan.key();
  const std::vector<std::int32_t> outputs = core.unpack(plan, bytes);
  std::vector<std::int32_t> expected = reference_outputs(plan.layer, plan.batch, data);
  for (std::int32_t& value : expected) {
    value = requantised(value, plan.result.bits, plan.result.shift, plan.result.is_signed);
  }
  ASSERT_EQ(outputs.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(outputs[i], expected[i])
        << plan.layer.name << " " << plan.key() << " w" << plan.precision.bits.weight << " a"
        << plan.precision.bits.activation << " batch " << plan.batch << " output " << i;
  }
}

class LoweringTest : public testing::TestWithParam<std::string> {};

TEST_P(LoweringTest, BestScheduleOfRandomLayersComputesTheReference) {
  const auto owned = core_of(GetParam());
  const MatrixCore& core = *owned;
  Rng rng(11);
  for (int i = 0; i < 60; ++i) {
    const Layer layer = random_layer(rng);
    const Precision precision = random_precision(rng, core.max_bits());
    const int batch = static_cast<int>(rng.integer(1, 3));
    const auto plan = core.plan(layer, precision, batch);
    expect_correct(core, dynamic_cast<const MatrixPlan&>(*plan), 100 + i,
                   i % 2 == 0 ? StageOrder::kProgram : StageOrder::kRandom, 1 + i % 32);
    if (HasFatalFailure()) return;
  }
}

TEST_P(LoweringTest, EveryCandidateScheduleIsCorrectInAnyOrderOfStages) {
  const auto owned = core_of(GetParam());
  const MatrixCore& core = *owned;
  Rng rng(12);
  std::set<MatrixSchedule::Mode> modes;
  for (int i = 0; i < 12; ++i) {
    Layer layer = random_layer(rng, 8);
    if (i == 0) {
      // Small bundles, and more of them than the pack: fetched several at a time.
      layer = Layer{};
      layer.name = "depthwise";
      layer.kind = LayerKind::kDepthwise;
      layer.in_channels = layer.out_channels = layer.groups = 40;
      layer.in_height = layer.in_width = 4;
      layer.kernel_h = layer.kernel_w = 3;
    }
    const Precision precision = i == 0 ? Precision{{2, 3}} : random_precision(rng, core.max_bits());
    int number = 0;
    for (const MatrixSchedule& schedule : core.candidates(layer, 2, precision.bits)) {
      const StageOrder orders[] = {StageOrder::kFetchFirst, StageOrder::kExecFirst,
                                   StageOrder::kRandom, StageOrder::kProgram};
      modes.insert(schedule.mode);
      const auto plan = core.plan_with(layer, precision, 2, schedule);
      expect_correct(core, *plan, i, orders[number % 4], number % 3 == 0 ? 1 : 32);
      if (HasFatalFailure()) return;
      ++number;
    }
  }
  EXPECT_EQ(modes.count(MatrixSchedule::Mode::kTiled), 1);
  EXPECT_EQ(modes.count(MatrixSchedule::Mode::kBundled), 1);
}

INSTANTIATE_TEST_SUITE_P(
    Variants, LoweringTest,
    testing::Values("bismo_tiny", "bismo_edge", "bismo_cloud", "stripes_tiny",
                    "stripes_tiny Serial 1", "stripes_tiny Serial 2", "stripes_tiny MaxBits 16",
                    "stripes_tiny Serial 1 MaxBits 16", "stripes_tiny Serial 2 MaxBits 16",
                    "stripes_edge", "stripes_cloud", "stripes_paper", "bismo_edge MinResultBits 4",
                    "stripes_edge MinResultBits 8"),
    [](const auto& info) { return test_name(info.param); });

class LoweringSmallTest : public testing::TestWithParam<std::string> {};

TEST_P(LoweringSmallTest, BuffersOfAFewWordsForceEveryKindOfSplit) {
  Rng rng(13);
  std::set<std::string> kinds;
  for (int i = 0; i < 60; ++i) {
    const auto owned = core_of(GetParam(), [&](MatrixConfig& config) {
      config.lhs.depth = static_cast<int>(rng.integer(config.max_bits, 40));
      config.rhs.depth = static_cast<int>(rng.integer(config.max_bits, 40));
      config.by_image = i % 2 == 1;
    });
    const MatrixCore& core = *owned;
    const Layer layer = random_layer(rng, 12);
    const Precision precision = random_precision(rng, core.max_bits());
    const int batch = 1 + i % 3;
    const std::vector<MatrixSchedule> schedules = core.candidates(layer, batch, precision.bits);
    for (int j = 0; j < 6; ++j) {
      const MatrixSchedule& schedule = schedules[rng.integer(0, schedules.size() - 1)];
      kinds.insert(schedule.mode == MatrixSchedule::Mode::kSplitK
                       ? (schedule.outer_whole ? "whole" : "split")
                       : "fits");
      const auto plan = core.plan_with(layer, precision, batch, schedule);
      expect_correct(core, *plan, i, j % 2 == 0 ? StageOrder::kFetchFirst : StageOrder::kExecFirst,
                     1 + j);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_THAT(kinds, testing::ElementsAre("fits", "split", "whole"));
}

INSTANTIATE_TEST_SUITE_P(Variants, LoweringSmallTest,
                         testing::Values("bismo_tiny", "stripes_tiny", "stripes_tiny Serial 1",
                                         "stripes_tiny Serial 2", "stripes_tiny MaxBits 16",
                                         "stripes_tiny Serial 2 MaxBits 16"),
                         [](const auto& info) { return test_name(info.param); });

TEST(LoweringSplitTest, CountsThatExceedTheInstructionFieldsBecomeSeveralInstructions) {
  MatrixConfig config = bismo_config(variant_of("bismo_edge"));
  config.max_fetch_words = 200;
  config.max_exec_tiles = 3;
  config.max_result_tiles = 70;
  Layer layer;
  layer.name = "cut";
  layer.in_channels = 20;
  layer.in_height = 30;
  layer.in_width = 31;
  layer.kernel_h = 3;
  layer.kernel_w = 3;
  layer.out_channels = 40;
  const BismoCore core(config);
  const auto plan = core.plan(layer, Precision{}, 1);
  const LayerData data = random_layer_data(layer, plan->precision, 1, 3);
  const Program program = core.build(*plan, data);
  BismoInterpreter interpreter(config, StageOrder::kRandom, 32);
  const auto bytes = interpreter.run(program);
  EXPECT_EQ(core.unpack(*plan, bytes), reference_outputs(layer, 1, data));
  EXPECT_GE(interpreter.executed(bismo_isa::Result::kOpcode), 2);
  EXPECT_GE(interpreter.executed(bismo_isa::Exec::kOpcode), 20);
}

TEST(LoweringSplitTest, AReductionBeyondTheInstructionFieldIsCutThoughItFitsTheBuffers) {
  const auto core =
      core_of("stripes_edge", [](MatrixConfig& config) { config.max_exec_words = 7; });
  Layer layer;
  layer.name = "deep";
  layer.kind = LayerKind::kLinear;
  layer.in_channels = 32 * 20;
  layer.out_channels = 20;
  for (const MatrixSchedule& schedule : core->candidates(layer, 3, {4, 4})) {
    if (schedule.cascade) continue;  // its parts are short enough
    EXPECT_EQ(schedule.mode, MatrixSchedule::Mode::kSplitK);
    EXPECT_LE(schedule.k_chunk, 7);
  }
  Precision precision;
  precision.bits = {4, 4};
  const auto plan = core->plan(layer, precision, 3);
  expect_correct(*core, dynamic_cast<const MatrixPlan&>(*plan), 5, StageOrder::kRandom, 32);
}

TEST(LoweringSplitTest, AReductionBeyondTheBufferAccumulatesOverExecs) {
  // 8 bits of 128 buffer words leave 16 words, 1024 elements of K; this layer has 5000.
  const BismoCore core(bismo_config(variant_of("bismo_tiny")));
  Layer layer;
  layer.name = "wide";
  layer.kind = LayerKind::kLinear;
  layer.in_channels = 5000;
  layer.out_channels = 5;
  const auto plan = core.plan(layer, Precision{}, 3);
  EXPECT_EQ(dynamic_cast<const MatrixPlan&>(*plan).schedule.mode, MatrixSchedule::Mode::kSplitK);
  expect_correct(core, dynamic_cast<const MatrixPlan&>(*plan), 5, StageOrder::kRandom, 32);
}

TEST_P(LoweringTest, NoScheduleUndercutsItsBoundAndThePlanIsAmongTheBest) {
  const auto owned = core_of(GetParam());
  const MatrixCore& core = *owned;
  Rng rng(14);
  for (int i = 0; i < 40; ++i) {
    const Layer layer = random_layer(rng);
    const Precision precision = random_precision(rng, core.max_bits());
    std::uint64_t best = ~std::uint64_t{0};
    std::uint64_t least_bound = best;
    for (const MatrixSchedule& schedule : core.candidates(layer, 1, precision.bits)) {
      const auto plan = core.plan_with(layer, precision, 1, schedule);
      const MatrixConfig config = core.config()
                                      .staggered(schedule.columns, schedule.cascade)
                                      .for_results(plan->result.bits);
      const MatrixShape shape = MatrixShape::of(layer, 1, config);
      const auto bound =
          static_cast<std::uint64_t>(cycle_bound(config, shape, schedule, precision.bits));
      ASSERT_LE(bound, plan->predicted.cycles) << layer.name << " " << plan->key();
      best = std::min(best, plan->predicted.cycles);
      least_bound = std::min(least_bound, bound);
    }
    const std::uint64_t chosen = core.model(*core.plan(layer, precision, 1)).cycles;
    EXPECT_GE(chosen, best);
    EXPECT_LE(chosen, std::max(best, least_bound + least_bound / 1000)) << layer.name;
  }
}

TEST(LoweringErrorTest, LayersThatExceedDeviceMemoryNameTheLayerAndTheBytes) {
  MatrixConfig config = bismo_config(variant_of("bismo_tiny"));
  config.memory.size_bytes = 1 << 16;
  Layer layer;
  layer.name = "big";
  layer.in_channels = 64;
  layer.in_height = layer.in_width = 32;
  layer.out_channels = 64;
  const BismoCore core(config);
  try {
    core.plan(layer, Precision{}, 1);
    FAIL() << "planned";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("layer big"));
    EXPECT_THAT(error.what(), testing::HasSubstr("memory.size_mib"));
  }
}

TEST(LoweringErrorTest, PlansThatFitMemoryAlwaysBuildHoweverLongTheProgram) {
  // Thousands of instructions: memories around the point where the program just fits.
  MatrixConfig config = bismo_config(variant_of("bismo_tiny"));
  Layer layer;
  layer.name = "long";
  layer.kind = LayerKind::kLinear;
  layer.in_channels = 3000;
  layer.out_channels = 256;
  const LayerData data = random_layer_data(layer, Precision{}, 16, 1);
  const BismoCore roomy(config);
  const Program program = roomy.build(*roomy.plan(layer, Precision{}, 16), data);
  ASSERT_GT(program.instruction_count, 4096);
  int built = 0;
  for (int kib = -64; kib <= 8; kib += 8) {
    config.memory.size_bytes = program.memory_end + kib * 1024;
    const BismoCore core(config);
    std::unique_ptr<Plan> plan;
    try {
      plan = core.plan(layer, Precision{}, 16);
    } catch (const Error&) {
      continue;
    }
    EXPECT_NO_THROW(core.build(*plan, data)) << kib;
    ++built;
  }
  EXPECT_GE(built, 2);
  // Even the shortest program does not fit where its operands do not.
  config.memory.size_bytes = program.result_address;
  EXPECT_THROW(BismoCore(config).plan(layer, Precision{}, 16), Error);
}

TEST(LoweringErrorTest, DataOutsideItsPrecisionOrSizeIsRefused) {
  const BismoCore core(bismo_config(variant_of("bismo_tiny")));
  Layer layer;
  layer.name = "fc";
  layer.kind = LayerKind::kLinear;
  layer.in_channels = 10;
  layer.out_channels = 4;
  Precision precision;
  precision.bits = {3, 2};
  const auto plan = core.plan(layer, precision, 1);
  LayerData data = random_layer_data(layer, precision, 1, 1);
  EXPECT_NO_THROW(core.build(*plan, data));
  data.weights[7] = 4;  // 3 bits signed end at 3
  EXPECT_THROW(core.build(*plan, data), Error);
  data.weights[7] = -4;
  EXPECT_NO_THROW(core.build(*plan, data));
  data.activations[3] = -1;
  EXPECT_THROW(core.build(*plan, data), Error);
  data.activations.pop_back();
  EXPECT_THROW(core.build(*plan, data), Error);
  EXPECT_THROW(reference_outputs(layer, 1, data), Error);
  EXPECT_THROW(core.unpack(*plan, Bytes{}), Error);
}

TEST(LoweringErrorTest, BitsThatTheCoreDoesNotHaveAreRefused) {
  for (const auto& [name, most] :
       {std::pair("bismo_tiny", 8), std::pair("stripes_tiny", 8), std::pair("stripes_paper", 16)}) {
    const auto core = core_of(name);
    EXPECT_EQ(core->max_bits(), most);
    EXPECT_EQ(core->supported({most + 1, 0}), (BitPair{most, 1}));
    Layer layer;
    layer.name = "fc";
    Precision precision;
    precision.bits = {most, most};
    EXPECT_NO_THROW(core->plan(layer, precision, 1));
    for (const BitPair bits : {BitPair{most + 1, 8}, BitPair{8, most + 1}, BitPair{8, 0}}) {
      precision.bits = bits;
      try {
        core->plan(layer, precision, 1);
        FAIL() << name;
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("expected 1 to " + std::to_string(most)));
      }
    }
    EXPECT_THROW(core->plan(layer, Precision{}, 0), Error);
  }
}

TEST(MakeCoreTest, UnknownCoresAndImpossibleParametersAreRefused) {
  Variant variant =
      load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/bismo_tiny.yaml");
  EXPECT_NE(make_core(variant), nullptr);
  Variant other = variant;
  other.core = "nothing";
  EXPECT_THROW(make_core(other), Error);
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::int64_t>>{
           {"Dm", 0}, {"Dk", 96}, {"PortWidth", 128}, {"NumReadPorts", 3}, {"MaxBurstBeats", 48}}) {
    other = variant;
    other.rtl[key] = value;
    EXPECT_THROW(make_core(other), Error) << key;
  }
  // Write ports that cannot requantise, or not so narrow; one that can.
  other = variant;
  other.lowering["requantise"] = 1;
  EXPECT_THROW(make_core(other), Error);
  for (const int bits : {1, 3, 8, 16, 64}) {
    other.rtl["MinResultBits"] = bits;
    EXPECT_THROW(make_core(other), Error) << bits;
  }
  other = variant_of("bismo_edge");
  other.rtl["MinResultBits"] = 4;
  other.lowering["requantise"] = 1;
  EXPECT_NE(make_core(other), nullptr);
}

}  // namespace
}  // namespace bittern
