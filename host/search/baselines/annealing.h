#pragma once

#include "host/search/method.h"

namespace bittern {

/// "annealing": simulated annealing (Kirkpatrick, Gelatt and Vecchi, Science 220, 1983) from what
/// the wall makes of the most bits. A move gives one layer other bits; what happens to a move that
/// breaks a limit is the key `limits`. A policy that is known costs no evaluation: the walk goes
/// over it with what was measured. The temperature falls log-linearly over the budget.
MethodKind annealing_method();

}  // namespace bittern
