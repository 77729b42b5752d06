#pragma once

#include "host/search/method.h"

namespace bittern {

/// "nsga2": NSGA-II (Deb, Pratap, Agarwal and Meyarivan, IEEE Trans. Evol. Comput. 6, 2002) for the
/// loss of accuracy and what the policy takes of each limited resource (of latency where none is):
/// populations, nondominated sorting, crowding, binary tournaments, uniform crossover, mutation of
/// single layers, constraint domination. Children are new policies, so that no evaluation is spent
/// twice; `limits` says what becomes of those that break a limit.
MethodKind nsga2_method();

}  // namespace bittern
