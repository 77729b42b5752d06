#include "host/cores/matrix/matrix_planner.h"

#include <algorithm>
#include <utility>

#include "host/base/ceil_div.h"
#include "host/base/error.h"
#include "host/cores/stream/stream_planner.h"

namespace bittern {
namespace {

/// One stripe of each operand at a time, K in pieces, with either operand in the outer loop.
/// The numbers are addresses that a word of K takes.
void add_split(const MatrixConfig& config, const MatrixShape& shape, const PlanSide& outer,
               int outer_word, const PlanSide& inner, int inner_word, bool lhs_outer,
               std::vector<MatrixSchedule>& schedules) {
  for (const bool whole : {true, false}) {
    for (const int slots : {2, 4, kMaxPlanSlots, 1}) {
      const std::int64_t inner_most = inner.depth / slots / inner_word;
      std::int64_t most = std::min({inner_most, shape.k_words, config.max_exec_words});
      int outer_slots = slots;
      if (whole) {
        outer_slots = static_cast<int>(std::min<std::int64_t>(outer.depth / outer.stripe_depth, 2));
        if (outer_slots < 1) break;
      } else {
        most = std::min(most, outer.depth / slots / outer_word);
      }
      if (most < 1) continue;
      MatrixSchedule schedule;
      schedule.mode = StreamSchedule::Mode::kSplitK;
      schedule.outer_whole = whole;
      schedule.k_chunk = ceil_div(shape.k_words, ceil_div(shape.k_words, most));
      schedule.lhs_outer = lhs_outer;
      schedule.columns = config.columns;
      schedule.cascade = config.cascade;
      (lhs_outer ? schedule.lhs : schedule.rhs) = {1, outer_slots};
      (lhs_outer ? schedule.rhs : schedule.lhs) = {1, slots};
      schedules.push_back(schedule);
    }
  }
}

}  // namespace

std::vector<MatrixSchedule> candidate_schedules(const MatrixConfig& config,
                                                const MatrixShape& shape, const BitPair& bits) {
  // A reduction that one EXEC cannot say is cut, whatever fits the buffers.
  const bool whole_k = shape.k_words <= config.max_exec_words;
  const auto most = whole_k ? static_cast<std::int64_t>(config.max_exec_tiles) : 0;
  const int lhs_word = config.lhs.addresses(bits.activation);
  const int rhs_word = config.rhs.addresses(bits.weight);
  const PlanSide lhs{shape.lhs_stripes, lhs_word * shape.k_words, config.lhs.depth, most};
  const PlanSide rhs{shape.rhs_stripes, rhs_word * shape.k_words, config.rhs.depth, most};
  std::vector<MatrixSchedule> schedules;
  for (const StreamSchedule& whole :
       whole_schedules(lhs, rhs, shape.bundles, shape.weight_bundles)) {
    MatrixSchedule schedule;
    static_cast<StreamSchedule&>(schedule) = whole;
    schedule.k_chunk = shape.k_words;
    schedule.columns = config.columns;
    schedule.cascade = config.cascade;
    schedules.push_back(schedule);
  }
  // Pieces of K only where a stripe of either operand cannot be double buffered.
  if (lhs.room(2) < 1 || rhs.room(2) < 1) {
    add_split(config, shape, lhs, lhs_word, rhs, rhs_word, true, schedules);
    add_split(config, shape, rhs, rhs_word, lhs, lhs_word, false, schedules);
  }
  if (schedules.empty()) {
    fail(
        "no schedule fits the buffers ({} and {} words) at {} weight bits and {} activation bits; "
        "MatrixConfig promises as many words as an operand has bits",
        config.lhs.depth, config.rhs.depth, bits.weight, bits.activation);
  }
  return schedules;
}

std::int64_t cycle_bound(const MatrixConfig& config, const MatrixShape& shape,
                         const MatrixSchedule& schedule, const BitPair& bits) {
  const MatrixMachine machine = config.machine(bits);
  const std::int64_t lhs_word = config.lhs.addresses(bits.activation);
  const std::int64_t rhs_word = config.rhs.addresses(bits.weight);
  const std::int64_t lhs_banks = config.lhs.banks(bits.activation);
  const std::int64_t rhs_banks = config.rhs.banks(bits.weight);
  StreamWork work;
  work.bundles = shape.bundles;
  work.lhs_stripes = shape.lhs_stripes;
  work.rhs_stripes = shape.rhs_stripes;
  work.lhs_stripe_beats = lhs_banks * lhs_word * shape.k_words;
  work.rhs_stripe_beats = rhs_banks * rhs_word * shape.k_words;
  const std::int64_t lhs_last = last_stripe_banks(config, config.lhs, shape.m, bits.activation);
  const std::int64_t rhs_last = last_stripe_banks(config, config.rhs, shape.n, bits.weight);
  work.lhs_saved_beats = (lhs_banks - lhs_last) * lhs_word * shape.k_words;
  work.rhs_saved_beats = (rhs_banks - rhs_last) * rhs_word * shape.k_words;
  // The first stripe is the last one as well, where there is one only.
  work.lhs_piece_beats =
      (shape.lhs_stripes == 1 ? lhs_last : lhs_banks) * lhs_word * schedule.k_chunk;
  work.rhs_piece_beats =
      (shape.rhs_stripes == 1 ? rhs_last : rhs_banks) * rhs_word * schedule.k_chunk;
  work.tile_cycles = config.steps(bits) * shape.k_words;
  work.tile_beats = config.tile_bytes_per_port() / config.port_bytes();
  work.to_write = 3 + machine.step_to_tile + machine.columns - 1;
  return stream_bound(machine, schedule, work);
}

}  // namespace bittern
