#pragma once

#include "host/search/method.h"

namespace bittern {

/// "greedy_down": from the most bits, always the step of one width that loses least per cost saved,
/// until the limits hold. "greedy_up": from the fewest bits, always the step that gains most per
/// cost, as long as one fits. Down it is Record::merit() that counts, up the accuracy. Losses and
/// gains are measured by evaluation, only those that may decide: a step measured earlier stands
/// with what it was then, and the best is measured again before it is taken (accelerated greedy:
/// Minoux, 1978). Where the steps ahead would take more than the budget (three evaluations each),
/// steps are taken by what is known of their operand.
///
/// Both then go on with the neighbours of the best policy (single steps, and a width given from one
/// layer to another), then with those of the next best, and are done where all are known.
MethodKind greedy_down_method();
MethodKind greedy_up_method();

}  // namespace bittern
