#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "host/cores/stream/stream_schedule.h"

namespace bittern {

/// Tokens of one kind that may be in flight: depth of a core's counters.
constexpr int kMaxPlanSlots = 8;

/// One operand while schedules are enumerated.
struct PlanSide {
  std::int64_t stripes;  ///< of a bundle
  std::int64_t stripe_depth;
  std::int64_t depth;  ///< of the buffer, in the same words
  std::int64_t most;   ///< stripes that a chunk may have at all

  /// Most stripes a chunk may have when `slots` chunks share the buffer.
  std::int64_t room(int slots) const {
    return std::min({depth / slots / stripe_depth, most, stripes});
  }
};

/// Schedules that hold stripes whole: both loop orders, chunk sizes from one stripe to half a
/// buffer and more, resident operands, whole bundles. Of the bundles, `rhs_bundles` have weights of
/// their own. Empty when not even one stripe of each fits.
std::vector<StreamSchedule> whole_schedules(const PlanSide& lhs, const PlanSide& rhs,
                                            std::int64_t bundles, std::int64_t rhs_bundles);

/// What a layer takes whatever its schedule; beats are those of one port.
struct StreamWork {
  std::int64_t bundles = 1;
  std::int64_t lhs_stripes = 0;  ///< of a bundle
  std::int64_t rhs_stripes = 0;
  std::int64_t lhs_stripe_beats = 0;  ///< all pieces
  std::int64_t rhs_stripe_beats = 0;
  std::int64_t lhs_saved_beats = 0;  ///< by which the last stripe of a bundle is shorter
  std::int64_t rhs_saved_beats = 0;
  std::int64_t lhs_piece_beats = 0;  ///< the first piece, in kSplitK
  std::int64_t rhs_piece_beats = 0;
  std::int64_t tile_cycles = 0;  ///< of the array, for a pair of stripes
  std::int64_t tile_beats = 0;   ///< written for one
  std::int64_t to_write = 0;     ///< last address of a tile to its first write beat
  /// Cycles from the first address of a tile until its slot is free for the next but one, where the
  /// array needs the slot all the time; 0 where it does not.
  std::int64_t slot_turn = 0;
  std::int64_t tile_instructions = 0;  ///< at least so many for each tile
};

/// Cycles that no execution of the schedule can undercut: the busiest of fetch, execute and store,
/// or the first fetches followed by all of execute.
std::int64_t stream_bound(const StreamMachine& machine, const StreamSchedule& schedule,
                          const StreamWork& work);

}  // namespace bittern
