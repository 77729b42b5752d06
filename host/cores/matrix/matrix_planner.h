#pragma once

#include <cstdint>
#include <vector>

#include "host/cores/matrix/matrix_schedule.h"

namespace bittern {

/// All schedules considered for a layer, each of which fits the buffers: both loop orders, chunk
/// sizes from one stripe to half a buffer and more, resident operands, whole bundles, and K in
/// pieces. Never empty. The order is fixed: earlier ones win ties.
std::vector<MatrixSchedule> candidate_schedules(const MatrixConfig& config,
                                                const MatrixShape& shape, const BitPair& bits);

/// Cycles that no execution of the schedule can undercut: the busiest of fetch, execute and result
/// stage, or the first fetches followed by all of execute.
std::int64_t cycle_bound(const MatrixConfig& config, const MatrixShape& shape,
                         const MatrixSchedule& schedule, const BitPair& bits);

}  // namespace bittern
