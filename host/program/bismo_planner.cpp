#include "host/program/bismo_planner.h"

#include <algorithm>
#include <utility>

#include "host/base/error.h"
#include "host/program/stream_planner.h"

namespace bittern {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// One stripe of each operand at a time, K in pieces, with either operand in the outer loop.
void add_split(const GemmShape& shape, const PlanSide& outer, int outer_bits, const PlanSide& inner,
               int inner_bits, bool lhs_outer, std::vector<BismoSchedule>& schedules) {
  for (const bool whole : {true, false}) {
    for (const int slots : {2, 4, kMaxPlanSlots, 1}) {
      const std::int64_t inner_most = inner.depth / slots / inner_bits;
      std::int64_t most = std::min<std::int64_t>(inner_most, shape.k_words);
      int outer_slots = slots;
      if (whole) {
        outer_slots = static_cast<int>(std::min<std::int64_t>(outer.depth / outer.stripe_depth, 2));
        if (outer_slots < 1) break;
      } else {
        most = std::min(most, outer.depth / slots / outer_bits);
      }
      if (most < 1) continue;
      BismoSchedule schedule;
      schedule.mode = StreamSchedule::Mode::kSplitK;
      schedule.outer_whole = whole;
      schedule.k_chunk = ceil_div(shape.k_words, ceil_div(shape.k_words, most));
      schedule.lhs_outer = lhs_outer;
      (lhs_outer ? schedule.lhs : schedule.rhs) = {1, outer_slots};
      (lhs_outer ? schedule.rhs : schedule.lhs) = {1, slots};
      schedules.push_back(schedule);
    }
  }
}

}  // namespace

std::vector<BismoSchedule> candidate_schedules(const BismoConfig& config, const GemmShape& shape,
                                               const BitPair& bits) {
  const auto most = static_cast<std::int64_t>(config.max_exec_tiles);
  const PlanSide lhs{shape.lhs_stripes, bits.activation * shape.k_words, config.lhs_depth, most};
  const PlanSide rhs{shape.rhs_stripes, bits.weight * shape.k_words, config.rhs_depth, most};
  std::vector<BismoSchedule> schedules;
  for (const StreamSchedule& whole :
       whole_schedules(lhs, rhs, shape.bundles, shape.weight_bundles)) {
    BismoSchedule schedule;
    static_cast<StreamSchedule&>(schedule) = whole;
    schedule.k_chunk = shape.k_words;
    schedules.push_back(schedule);
  }
  // Pieces of K only where a stripe of either operand cannot be double buffered.
  if (lhs.room(2) < 1 || rhs.room(2) < 1) {
    add_split(shape, lhs, bits.activation, rhs, bits.weight, true, schedules);
    add_split(shape, rhs, bits.weight, lhs, bits.activation, false, schedules);
  }
  if (schedules.empty()) {
    fail(
        "no schedule fits the buffers ({} and {} words) at {} weight bits and {} activation bits; "
        "BismoConfig promises at least 8 words each",
        config.lhs_depth, config.rhs_depth, bits.weight, bits.activation);
  }
  return schedules;
}

std::int64_t cycle_bound(const BismoConfig& config, const GemmShape& shape,
                         const BismoSchedule& schedule, const BitPair& bits) {
  const BismoMachine machine = config.machine();
  StreamWork work;
  work.bundles = shape.bundles;
  work.lhs_stripes = shape.lhs_stripes;
  work.rhs_stripes = shape.rhs_stripes;
  work.lhs_stripe_beats = config.dm * bits.activation * shape.k_words;
  work.rhs_stripe_beats = config.dn * bits.weight * shape.k_words;
  const std::int64_t lhs_last = last_stripe_rows(shape.m, config.dm);
  const std::int64_t rhs_last = last_stripe_rows(shape.n, config.dn);
  work.lhs_saved_beats = (config.dm - lhs_last) * bits.activation * shape.k_words;
  work.rhs_saved_beats = (config.dn - rhs_last) * bits.weight * shape.k_words;
  // The first stripe is the last one as well, where there is one only.
  work.lhs_piece_beats =
      (shape.lhs_stripes == 1 ? lhs_last : config.dm) * bits.activation * schedule.k_chunk;
  work.rhs_piece_beats =
      (shape.rhs_stripes == 1 ? rhs_last : config.dn) * bits.weight * schedule.k_chunk;
  work.tile_cycles = bits.weight * bits.activation * shape.k_words;
  work.tile_beats = config.tile_bytes_per_port() / config.port_bytes();
  work.to_write = 7 + machine.pop_stages;
  return stream_bound(machine, schedule, work);
}

}  // namespace bittern
