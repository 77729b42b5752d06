#include "host/cores/matrix/matrix_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "host/base/error.h"

namespace bittern {
namespace {

MatrixMachine tiny() {
  MatrixMachine machine;
  machine.core = "BISMO";
  machine.tile_bits = 4 * 32;
  machine.step_to_tile = 6;
  machine.lanes = 1;
  machine.write_ports = 1;
  machine.port_width = 64;
  machine.max_burst_beats = 64;
  machine.memory_latency = 16;
  machine.memory_bytes_per_cycle = 8;
  machine.memory_outstanding = 4;
  return machine;
}

MatrixStep fetch(bool rhs, std::uint64_t words, bool wait_free = false) {
  MatrixStep step;
  step.kind = rhs ? MatrixStep::Kind::kFetchRhs : MatrixStep::Kind::kFetchLhs;
  step.words = words;
  step.wait_free = wait_free;
  step.send_filled = true;
  return step;
}

MatrixStep exec(std::uint32_t lhs_tiles, std::uint32_t k_words) {
  MatrixStep step;
  step.kind = MatrixStep::Kind::kExec;
  step.wait_lhs = step.wait_rhs = true;
  step.emit = true;
  step.lhs_tiles = lhs_tiles;
  step.rhs_tiles = 1;
  step.k_words = k_words;
  return step;
}

MatrixStep result(std::uint64_t tiles) {
  MatrixStep step;
  step.kind = MatrixStep::Kind::kResult;
  step.tiles = tiles;
  return step;
}

ModelResult predict(const MatrixMachine& machine, const std::vector<MatrixStep>& steps) {
  MatrixModel model(machine, steps.size() + 1);
  for (const MatrixStep& step : steps) model.step(step);
  return model.finish();
}

std::map<std::string, std::uint64_t> events_of(const ModelResult& prediction) {
  return {prediction.events.begin(), prediction.events.end()};
}

TEST(MatrixModelTest, OneTileTakesWhatTheHeadersOfTheRtlAddUpTo) {
  // Clear in 0. The shell asks for instructions in 2, AR in 3, first beat in 3 + 16 = 19, the
  // instructions are taken in 21 (RESULT), 23, 25, 27 (EXEC). FETCH_RHS: pushed 25, started 26, AR
  // 28, beats 44 and 45. FETCH_LHS: started 28, AR 30, beats 46 and 47, complete in 48, its token
  // there in 49. EXEC is loaded in 49 and issues its only address in 50; stored 55, counted in the
  // result stage in 56, AW and first beat loaded 57 and 58, W in 59 and 60, response in 76. Idle in
  // 77, which is the 78th cycle.
  const ModelResult prediction =
      predict(tiny(), {result(1), fetch(true, 2), fetch(false, 2), exec(1, 1)});
  EXPECT_EQ(prediction.cycles, 78);
  auto events = events_of(prediction);
  EXPECT_EQ(events["exec_run"], 1);
  EXPECT_EQ(events["exec_wait_lhs"], 49 - 30);  // EXEC is pushed in 29
  EXPECT_EQ(events["exec_wait_rhs"], 0);
  EXPECT_EQ(events["fetch_rhs_run"], 2);
  EXPECT_EQ(events["fetch_rhs_wait_memory"], 46 - 27 + 1 - 2);
  EXPECT_EQ(events["write_port_beats[0]"], 2);
  EXPECT_EQ(events["tiles_emitted"], 1);
  EXPECT_EQ(events["instr_exec"], 1);
}

TEST(MatrixModelTest, LongTilesAreBoundByExecuteAndShortOnesByResult) {
  const std::uint32_t tiles = 200;
  const auto cycles = [&](std::uint32_t k_words) {
    return predict(tiny(), {result(tiles), fetch(true, 2), fetch(false, 2), exec(tiles, k_words)});
  };
  auto slow = events_of(cycles(50));
  EXPECT_EQ(slow["exec_run"], tiles * 50);
  EXPECT_EQ(slow["exec_wait_result"], 0);
  auto fast = events_of(cycles(1));
  EXPECT_EQ(fast["exec_run"], tiles);
  EXPECT_GT(fast["exec_wait_result"], tiles);
}

TEST(MatrixModelTest, MoreLatencyNeverMakesAProgramFaster) {
  const std::vector<MatrixStep> steps = {result(5), fetch(true, 30), fetch(false, 300), exec(5, 7)};
  std::uint64_t last = 0;
  for (int latency = 1; latency < 100; latency += 7) {
    MatrixMachine machine = tiny();
    machine.memory_latency = latency;
    const std::uint64_t cycles = predict(machine, steps).cycles;
    EXPECT_GT(cycles, last);
    last = cycles;
  }
}

TEST(MatrixModelTest, ProgramsThatWouldWaitForeverAreErrors) {
  const auto expect_stuck = [](const std::vector<MatrixStep>& steps, const char* what) {
    try {
      predict(tiny(), steps);
      ADD_FAILURE() << "no error, expected one about " << what;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(what));
    }
  };
  expect_stuck({result(1), fetch(true, 2), exec(1, 1)}, "filled LHS token");
  expect_stuck({result(1), fetch(false, 2), exec(1, 1)}, "filled RHS token");
  expect_stuck({fetch(true, 2, true)}, "free token");
  expect_stuck({fetch(true, 2), fetch(false, 2), exec(1, 1)}, "RESULT");
  expect_stuck({result(2), fetch(true, 2), fetch(false, 2), exec(1, 1)}, "tiles");
}

TEST(MatrixModelTest, WrongLengthsAndImpossibleMemoriesAreErrors) {
  MatrixModel model(tiny(), 5);
  model.step(result(1));
  EXPECT_THROW(model.finish(), Error);
  MatrixMachine machine = tiny();
  machine.memory_outstanding = 0;
  EXPECT_THROW(MatrixModel(machine, 1), Error);
  machine = tiny();
  machine.memory_bytes_per_cycle = 0;
  EXPECT_THROW(MatrixModel(machine, 1), Error);
}

}  // namespace
}  // namespace bittern
