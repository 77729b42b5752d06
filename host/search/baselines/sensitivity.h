#pragma once

#include "host/search/method.h"

namespace bittern {

/// "sensitivity": every width of every layer on its own, all others at their most bits (weights and
/// activations one after the other), then a multiple-choice knapsack over what each adds to the
/// loss (takes from the accuracy, where the evaluator has no loss), verified and tightened with the
/// rest of the budget (knapsack_search.h).
///
/// Where all widths take more than the share `measure` (default 0.5) of the budget, the same number
/// of widths of every operand is measured, spread evenly from the fewest bits on, and the others
/// are interpolated in the logarithm of the drop; where not even one width each is possible, that
/// of the first operands only, and the others get the mean.
MethodKind sensitivity_method();

}  // namespace bittern
