#pragma once

#include "host/search/method.h"

namespace bittern {

/// By what an agent that returns to its best policy takes one to be the best: `objective`, except
/// that nothing below the accuracy floor is as good as anything above it. (With Goal::kCost a cheap
/// policy a little below the floor has a high reward. The agent learns from that, since it says in
/// which direction to save, but such a policy is no place to begin from.)
double standing(const Outcome& outcome, double objective);

}  // namespace bittern
