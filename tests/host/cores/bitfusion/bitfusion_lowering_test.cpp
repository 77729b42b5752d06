#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "host/base/error.h"
#include "host/cores/bitfusion/bitfusion_core.h"
#include "host/cores/bitfusion/bitfusion_planner.h"
#include "host/cores/cores.h"
#include "host/integer/layer_data.h"
#include "host/integer/reference.h"
#include "tests/host/cores/bitfusion/bitfusion_interpreter.h"
#include "tests/host/cores/random_layers.h"

namespace bittern {
namespace {

/// Arrays of all proportions; ports are 64 bits wide.
BitFusionConfig config_of(const std::string& name) {
  BitFusionConfig config;
  config.port_width = 64;
  config.max_burst_beats = 64;
  config.memory = {64 << 20, 16, 8, 8};
  if (name == "tiny") {
    config.n = config.m = 2;
    config.ibuf_depth = config.wbuf_depth = 32;
    config.obuf_depth = 16;
    config.lanes = config.write_ports = 1;
    config.depthwise_pack = 2;
  } else if (name == "edge") {
    config.n = config.m = 8;
    config.ibuf_depth = 512;
    config.wbuf_depth = 128;
    config.obuf_depth = 256;
    config.lanes = config.write_ports = 4;
  } else if (name == "narrow") {  // one beat of 4-bit results a word
    config.n = 8;
    config.m = 16;
    config.ibuf_depth = config.wbuf_depth = 64;
    config.obuf_depth = 32;
    config.lanes = config.write_ports = 1;
    config.results = {4, true};
  } else {
    config.n = 8;
    config.m = 16;
    config.ibuf_depth = 64;
    config.wbuf_depth = 16;
    config.obuf_depth = 32;
    config.lanes = 2;
    config.split_fetch = true;
    config.write_ports = 8;
    config.depthwise_pack = 8;
  }
  return config;
}

/// 1 to 16 bits, small ones more often; any signs.
Precision any_precision(Rng& rng) {
  Precision precision = random_precision(rng);
  if (rng.integer(0, 3) == 0) precision.bits.weight = static_cast<int>(rng.integer(9, 16));
  if (rng.integer(0, 3) == 0) precision.bits.activation = static_cast<int>(rng.integer(9, 16));
  return precision;
}

/// Lowers, interprets and compares; returns the steps that the interpreter took.
void expect_correct(const BitFusionCore& core, const BitFusionPlan& plan, std::uint64_t seed,
                    StageOrder order, int queue_depth) {
  const std::string what = plan.layer.name + " | " + plan.key() + " | w" +
                           std::to_string(plan.precision.bits.weight) + " a" +
                           std::to_string(plan.precision.bits.activation) + " batch " +
                           std::to_string(plan.batch);
  const LayerData data = random_layer_data(plan.layer, plan.precision, plan.batch, seed);
  const Program program = core.build(plan, data);
  BitFusionInterpreter interpreter(core.config(), order, queue_depth, seed);
  std::vector<std::uint8_t> bytes;
  ASSERT_NO_THROW(bytes = interpreter.run(program)) << what;
  const std::vector<std::int32_t> outputs = core.unpack(plan, bytes);
  std::vector<std::int32_t> expected = reference_outputs(plan.layer, plan.batch, data);
  for (std::int32_t& value : expected) {
    value = requantised(value, plan.result.bits, plan.result.shift, plan.result.is_signed);
  }
  ASSERT_EQ(outputs.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(outputs[i], expected[i]) << what << " output " << i;
  }
  const std::map<std::string, std::uint64_t> events(plan.predicted.events.begin(),
                                                    plan.predicted.events.end());
  ASSERT_EQ(interpreter.steps(), events.at("exec_run")) << what;
  // The published model is a law of its own, which knows nothing of the lowering but the tiling.
  ASSERT_EQ(interpreter.steps(), core.published_for(plan)->compute) << what;
}

class BitFusionLoweringTest : public testing::TestWithParam<std::string> {};

TEST_P(BitFusionLoweringTest, BestScheduleOfRandomLayersComputesTheReference) {
  const BitFusionCore core(config_of(GetParam()));
  Rng rng(11);
  for (int i = 0; i < 50; ++i) {
    const Layer layer = random_layer(rng);
    const Precision precision = any_precision(rng);
    const int batch = static_cast<int>(rng.integer(1, 3));
    const auto plan = core.plan(layer, precision, batch);
    expect_correct(core, dynamic_cast<const BitFusionPlan&>(*plan), 100 + i,
                   i % 2 == 0 ? StageOrder::kProgram : StageOrder::kRandom, 1 + i % 32);
    if (HasFatalFailure()) return;
  }
}

TEST_P(BitFusionLoweringTest, EveryKindOfScheduleIsCorrectInAnyOrderOfStages) {
  const BitFusionCore core(config_of(GetParam()));
  Rng rng(12);
  std::set<StreamSchedule::Mode> modes;
  std::set<bool> forms;
  for (int i = 0; i < 16; ++i) {
    Layer layer = random_layer(rng, 10);
    if (i == 0) {
      // Small bundles, and more of them than the pack: fetched several at a time.
      layer = Layer{};
      layer.name = "depthwise";
      layer.kind = LayerKind::kDepthwise;
      layer.in_channels = layer.out_channels = layer.groups = 20;
      layer.in_height = layer.in_width = 4;
      layer.kernel_h = layer.kernel_w = 2;
    }
    const Precision precision = i == 0 ? Precision{{2, 3}} : any_precision(rng);
    for (const FusionShape& shape : core.shapes(layer, precision.bits, 2)) {
      std::map<StreamSchedule::Mode, std::vector<FusionSchedule>> by_mode;
      for (const FusionCandidate& candidate : candidate_schedules(core.config(), shape)) {
        by_mode[candidate.schedule.mode].push_back(candidate.schedule);
      }
      for (const auto& [mode, schedules] : by_mode) {
        for (int j = 0; j < 4; ++j) {
          const StageOrder orders[] = {StageOrder::kFetchFirst, StageOrder::kExecFirst,
                                       StageOrder::kRandom, StageOrder::kProgram};
          const auto pick = rng.integer(0, static_cast<std::int64_t>(schedules.size()) - 1);
          const auto plan = core.plan_with(layer, precision, 2, schedules[pick]);
          expect_correct(core, *plan, i, orders[j % 4], 1 + 2 * j);
          if (HasFatalFailure()) return;
        }
        modes.insert(mode);
      }
      forms.insert(shape.im2col);
    }
  }
  EXPECT_EQ(modes.count(StreamSchedule::Mode::kTiled), 1);
  EXPECT_EQ(modes.count(StreamSchedule::Mode::kBundled), 1);
  EXPECT_EQ(forms.size(), 2);
}

TEST_P(BitFusionLoweringTest, NoScheduleUndercutsItsBoundAndThePlanIsAmongTheBest) {
  const BitFusionCore core(config_of(GetParam()));
  Rng rng(14);
  for (int i = 0; i < 12; ++i) {
    const Layer layer = random_layer(rng, 10);
    const Precision precision = any_precision(rng);
    const BitFusionConfig config =
        core.config().for_results(core.config().results.format(layer, precision).bits);
    std::uint64_t best = ~std::uint64_t{0};
    for (const FusionShape& shape : core.shapes(layer, precision.bits, 1)) {
      for (const FusionCandidate& candidate : candidate_schedules(config, shape)) {
        const auto plan = core.plan_with(layer, precision, 1, candidate.schedule);
        ASSERT_LE(static_cast<std::uint64_t>(candidate.bound), plan->predicted.cycles)
            << layer.name << " " << plan->key();
        best = std::min(best, plan->predicted.cycles);
      }
    }
    const std::uint64_t chosen = core.model(*core.plan(layer, precision, 1)).cycles;
    EXPECT_GE(chosen, best);
    EXPECT_LE(chosen, best + best / 20) << layer.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Arrays, BitFusionLoweringTest,
                         testing::Values("tiny", "edge", "wide", "narrow"),
                         [](const auto& info) { return info.param; });

Layer named(const std::string& name) {
  Layer layer;
  layer.name = name;
  return layer;
}

TEST(BitFusionCoreTest, BitsAreRoundedUpAndPeaksFollow) {
  const BitFusionCore core(config_of("edge"));
  EXPECT_EQ(core.supported({1, 3}), (BitPair{2, 4}));
  EXPECT_EQ(core.supported({5, 8}), (BitPair{8, 8}));
  EXPECT_EQ(core.supported({9, 2}), (BitPair{16, 2}));
  EXPECT_EQ(core.peak_macs_per_cycle({8, 8}), 64);
  EXPECT_EQ(core.peak_macs_per_cycle({2, 2}), 64 * 16);
  EXPECT_EQ(core.peak_macs_per_cycle({4, 8}), 64 * 2);
  EXPECT_EQ(core.peak_macs_per_cycle({16, 16}), 64 / 4);
  EXPECT_EQ(core.peak_macs_per_cycle({16, 4}), 64);
  EXPECT_THROW(core.plan(named("l"), Precision{{17, 8}}, 1), Error);
  EXPECT_THROW(core.plan(named("l"), Precision{{8, 0}}, 1), Error);
}

TEST(BitFusionCoreTest, FewChannelsAreGatheredAndManyAreNot) {
  const BitFusionCore core(config_of("edge"));
  Layer layer = named("conv");
  layer.in_channels = 3;
  layer.out_channels = 16;
  layer.in_height = layer.in_width = 20;
  layer.kernel_h = layer.kernel_w = 3;
  EXPECT_THAT(core.plan(layer, Precision{}, 1)->key(), testing::StartsWith("im2col"));
  layer.in_channels = 64;
  EXPECT_THAT(core.plan(layer, Precision{}, 1)->key(), testing::StartsWith("direct"));
}

TEST(BitFusionCoreTest, LayersThatExceedDeviceMemoryNameTheLayerAndTheBytes) {
  BitFusionConfig config = config_of("edge");
  config.memory.size_bytes = 1 << 16;
  Layer layer = named("big");
  layer.in_channels = layer.out_channels = 64;
  layer.in_height = layer.in_width = 32;
  try {
    BitFusionCore(config).plan(layer, Precision{}, 1);
    FAIL() << "planned";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("layer big"));
    EXPECT_THAT(error.what(), testing::HasSubstr("memory.size_mib"));
  }
}

TEST(BitFusionCoreTest, PlansOfOtherCoresAndImpossibleParametersAreRefused) {
  const std::string folder = std::string(BITTERN_SOURCE_DIR) + "/configs/variants/";
  const auto bismo = make_core(load_variant(folder + "bismo_tiny.yaml"));
  const Variant variant = load_variant(folder + "bitfusion_edge.yaml");
  const auto fusion = make_core(variant);
  EXPECT_THROW(fusion->model(*bismo->plan(named("l"), Precision{}, 1)), Error);
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::int64_t>>{
           {"N", 12}, {"ObufDepth", 1}, {"NumReadPorts", 2}, {"FetchLanes", 8}, {"N", 4}}) {
    Variant other = variant;
    other.rtl[key] = value;
    EXPECT_THROW(make_core(other), Error) << key;
  }
}

TEST(BitFusionCoreTest, PublishedGroupsRunOneAfterAnother) {
  const BitFusionCore core(config_of("edge"));
  Layer layer = named("grouped");
  layer.in_channels = layer.out_channels = 64;
  layer.in_height = layer.in_width = 8;
  layer.kernel_h = layer.kernel_w = 3;
  layer.groups = 4;
  Layer group = layer;
  group.groups = 1;
  group.in_channels = group.out_channels = 16;
  EXPECT_EQ(core.published(layer, {4, 4}, 2)->cycles(),
            4 * core.published(group, {4, 4}, 2)->cycles());
  EXPECT_THROW(core.published(layer, {16, 4}, 2), Error);
}

TEST(BitFusionSplitTest, BuffersOfAFewWordsForceEveryKindOfSplit) {
  Rng rng(13);
  std::set<std::string> kinds;
  for (int i = 0; i < 80; ++i) {
    BitFusionConfig config = config_of("tiny");
    config.ibuf_depth = 1 << rng.integer(1, 4);
    config.wbuf_depth = 1 << rng.integer(1, 4);
    config.obuf_depth = 1 << rng.integer(1, 4);
    const BitFusionCore core(config);
    const Layer layer = random_layer(rng, 12);
    const Precision precision = any_precision(rng);
    const FusionShape shape = core.shapes(layer, precision.bits, 1).front();
    const std::vector<FusionCandidate> all = candidate_schedules(config, shape);
    for (int j = 0; j < 6; ++j) {
      const FusionSchedule& schedule =
          all[rng.integer(0, static_cast<std::int64_t>(all.size()) - 1)].schedule;
      const FusionGrid grid(shape, schedule);
      kinds.insert(schedule.mode != StreamSchedule::Mode::kSplitK ? "fits"
                   : schedule.outer_whole                         ? "whole"
                                                                  : "split");
      if (grid.kernel_h_pieces > 1) kinds.insert("kernel rows");
      if (grid.kernel_w_pieces > 1) kinds.insert("kernel columns");
      const auto plan = core.plan_with(layer, precision, 1, schedule);
      expect_correct(core, *plan, i, j % 2 == 0 ? StageOrder::kFetchFirst : StageOrder::kExecFirst,
                     1 + j);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_THAT(kinds,
              testing::ElementsAre("fits", "kernel columns", "kernel rows", "split", "whole"));
}

TEST(BitFusionSplitTest, CountsThatExceedTheInstructionFieldsBecomeSeveralInstructions) {
  BitFusionConfig config = config_of("edge");
  config.max_fetch_words = 200;
  config.max_store_tiles = 64;
  Layer layer;
  layer.name = "cut";
  layer.in_channels = 20;
  layer.in_height = 60;
  layer.in_width = 61;
  layer.kernel_h = 3;
  layer.kernel_w = 3;
  layer.out_channels = 70;
  const BitFusionCore core(config);
  const auto plan = core.plan(layer, Precision{}, 1);
  const LayerData data = random_layer_data(layer, plan->precision, 1, 3);
  const Program program = core.build(*plan, data);
  BitFusionInterpreter interpreter(config, StageOrder::kRandom, 32);
  const auto bytes = interpreter.run(program);
  EXPECT_EQ(core.unpack(*plan, bytes), reference_outputs(layer, 1, data));
  EXPECT_GE(interpreter.executed(bitfusion_isa::Store::kOpcode), 2);
}

}  // namespace
}  // namespace bittern
