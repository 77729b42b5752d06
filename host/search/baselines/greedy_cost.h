#pragma once

#include <memory>

#include "host/search/method.h"

namespace bittern {

/// The greedy methods where cost is to be saved (Goal::kCost): the list of single steps from the
/// most bits down (or from the fewest up), what loses least per cost saved first (what gains
/// most per cost first); on it by bisection the place where the accuracy floor is crossed,
/// as AIMET's mixed precision does; then cheaper neighbours of the best policy. The list is made
/// from the first step of every operand, measured as long as that leaves half of the budget; a
/// further step of an operand is taken to lose twice as much (to gain half as much).
std::unique_ptr<Method> make_greedy_for_cost(const MethodContext& context, bool down);

}  // namespace bittern
