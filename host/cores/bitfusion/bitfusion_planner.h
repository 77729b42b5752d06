#pragma once

#include <cstdint>
#include <vector>

#include "host/cores/bitfusion/bitfusion_schedule.h"

namespace bittern {

/// A schedule that is considered for a layer, and cycles that no execution of it can undercut.
struct FusionCandidate {
  FusionSchedule schedule;
  std::int64_t bound = 0;
};

/// All schedules considered for a shape, each of which fits the buffers: tile sizes that fill the
/// output buffer, and smaller ones, evened out; both loop orders, chunks of one tile and more,
/// resident operands, whole bundles, and where a tile's operands exceed the buffers, the reduction
/// in pieces. Never empty. The order is fixed: earlier ones win ties.
std::vector<FusionCandidate> candidate_schedules(const BitFusionConfig& config,
                                                 const FusionShape& shape);

}  // namespace bittern
