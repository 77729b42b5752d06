#include "host/cores/bitfusion/bitfusion_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "host/base/error.h"

namespace bittern {
namespace {

BitFusionMachine tiny() {
  BitFusionMachine machine;
  machine.n = 4;
  machine.m = 2;
  machine.lanes = 1;
  machine.write_ports = 1;
  machine.port_width = 64;
  machine.max_burst_beats = 64;
  machine.memory_latency = 16;
  machine.memory_bytes_per_cycle = 8;
  machine.memory_outstanding = 4;
  return machine;
}

BitFusionStep fetch(bool rhs, std::uint64_t words) {
  BitFusionStep step;
  step.kind = rhs ? StreamStep::Kind::kFetchRhs : StreamStep::Kind::kFetchLhs;
  step.words = words;
  step.send_filled = true;
  return step;
}

BitFusionStep setup(int lhs_bits, int rhs_bits) {
  BitFusionStep step;
  step.op = BitFusionStep::Op::kSetup;
  step.lhs_bits = lhs_bits;
  step.rhs_bits = rhs_bits;
  return step;
}

BitFusionStep loop(int level, std::uint32_t iterations) {
  BitFusionStep step;
  step.op = BitFusionStep::Op::kLoop;
  step.level = level;
  step.iterations = iterations;
  return step;
}

BitFusionStep compute(bool first, bool accumulate = false, bool emit = true) {
  BitFusionStep step;
  step.wait_lhs = step.wait_rhs = first;
  step.accumulate = accumulate;
  step.emit = emit;
  return step;
}

BitFusionStep store(std::uint64_t tiles, std::uint32_t words) {
  BitFusionStep step;
  step.kind = StreamStep::Kind::kResult;
  step.tiles = tiles;
  step.store_words = words;
  return step;
}

ModelResult predict(const std::vector<BitFusionStep>& steps) {
  BitFusionModel model(tiny(), steps.size() + 1);
  for (const BitFusionStep& step : steps) model.step(step);
  return model.finish();
}

std::map<std::string, std::uint64_t> events_of(const ModelResult& result) {
  return {result.events.begin(), result.events.end()};
}

TEST(BitFusionModelTest, OneTileTakesWhatTheHeadersOfTheRtlAddUpTo) {
  // Instructions are taken in 21 (STORE), 23 and 25 (FETCH), 27 (SETUP), 29 (LOOP), 31 (COMPUTE).
  // FETCH_RHS: pushed 25, started 26, AR 28, beats 44 to 47. FETCH_LHS: started 28, AR 30, beats 48
  // and 49, complete in 50, its token there in 51: COMPUTE is taken then, its steps are in 52
  // to 57. The output is seen by the store stage in 57 + 4 + 2 + 5 = 68; AW 70, W in 71, response
  // in 87, idle in 88, which is the 89th cycle.
  const ModelResult result = predict(
      {store(1, 1), fetch(true, 4), fetch(false, 2), setup(8, 4), loop(0, 6), compute(true)});
  EXPECT_EQ(result.cycles, 89);
  auto events = events_of(result);
  EXPECT_EQ(events["exec_run"], 6);
  EXPECT_EQ(events["exec_wait_lhs"], 51 - 34);  // COMPUTE is pushed in 33
  EXPECT_EQ(events["exec_wait_rhs"], 0);
  EXPECT_EQ(events["array_drain"], 4 + 2 + 5);
  EXPECT_EQ(events["lhs_buffer_reads"], 6 * 2);  // 4-bit weights leave room for 16 bits a row
  EXPECT_EQ(events["rhs_buffer_reads"], 6 * 1);
  EXPECT_EQ(events["obuf_writes"], 1);
  EXPECT_EQ(events["obuf_reads"], 1);
  EXPECT_EQ(events["write_beats"], 1);
  EXPECT_EQ(events["instr_setup"], 1);
  EXPECT_EQ(events["instr_loop"], 1);
}

TEST(BitFusionModelTest, StepsAreTheProductOfAllLoopsAndSetupForgetsThem) {
  const auto steps = [](std::vector<BitFusionStep> configure) {
    configure.insert(configure.begin(), {store(1, 8), fetch(true, 4), fetch(false, 2)});
    configure.push_back(compute(true));
    return events_of(predict(configure))["exec_run"];
  };
  EXPECT_EQ(steps({setup(2, 2)}), 1);
  EXPECT_EQ(steps({setup(2, 2), loop(0, 3), loop(1, 5), loop(4, 2), loop(7, 4)}), 120);
  EXPECT_EQ(steps({setup(2, 2), loop(0, 3), setup(2, 2), loop(1, 5)}), 5);
}

TEST(BitFusionModelTest, ABeganTileWaitsForTheHalfOfTheOneBeforeTheLast) {
  // Short tiles of many words: the store is the bottleneck, so every tile from the third on waits.
  std::vector<BitFusionStep> steps = {store(6, 16), fetch(true, 4), fetch(false, 2), setup(8, 8),
                                      loop(4, 16)};
  for (int tile = 0; tile < 6; ++tile) steps.push_back(compute(tile == 0));
  auto events = events_of(predict(steps));
  EXPECT_GT(events["exec_wait_result"], 4);
  EXPECT_EQ(events["obuf_writes"], 6 * 16);

  // Pieces of one tile do not wait, however slow the store.
  steps.resize(5);
  steps[0] = store(1, 16);
  for (int piece = 0; piece < 6; ++piece) {
    steps.push_back(compute(piece == 0, piece > 0, piece == 5));
  }
  events = events_of(predict(steps));
  EXPECT_EQ(events["exec_wait_result"], 0);
  EXPECT_EQ(events["tiles_emitted"], 1);
  EXPECT_EQ(events["obuf_reads"], 5 * 16 + 16);
}

TEST(BitFusionModelTest, ProgramsThatWouldWaitForeverAreErrors) {
  const auto expect_stuck = [](const std::vector<BitFusionStep>& steps, const char* what) {
    try {
      predict(steps);
      ADD_FAILURE() << "no error, expected one about " << what;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(what));
    }
  };
  expect_stuck({store(1, 1), fetch(true, 2), setup(8, 8), compute(true)}, "filled LHS token");
  expect_stuck({store(1, 1), fetch(false, 2), setup(8, 8), compute(true)}, "filled RHS token");
  expect_stuck({fetch(true, 2), fetch(false, 2), setup(8, 8), compute(true)}, "RESULT");
  expect_stuck({store(2, 1), fetch(true, 2), fetch(false, 2), setup(8, 8), compute(true)}, "tiles");
}

}  // namespace
}  // namespace bittern
