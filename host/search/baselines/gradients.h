#pragma once

#include "host/search/method.h"

namespace bittern {

/// "fisher" and "hessian": a multiple-choice knapsack over scores from gradients
/// (Evaluator::scores()), verified and tightened with the budget (knapsack_search.h). What the
/// scores cost comes out of the budget. Asking throws Error where the evaluator has no scores,
/// where a score is not finite, or where they cost the whole budget.
MethodKind fisher_method();
MethodKind hessian_method();

}  // namespace bittern
