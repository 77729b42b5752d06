#pragma once

#include "host/search/method.h"

namespace bittern {

/// `exhaustive`: every policy of the space that meets the limits, each once. Its best one is the
/// true optimum (of what the evaluator says), against which the regret of other methods is
/// measured. For small spaces: `max_policies` (default 20000) is the most that are gone through;
/// with more there is an Error that says how many there are.
MethodKind exhaustive_method();

}  // namespace bittern
