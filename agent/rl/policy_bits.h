#pragma once

#include <vector>

#include "host/network/network.h"
#include "host/search/method.h"

namespace bittern {

/// Weight and activation bits of every layer in a row: what agents know policies by, and what their
/// checkpoints hold.
std::vector<int> bits_of(const Policy& policy);

/// Inverse of bits_of(); an odd number at the end is left out.
Policy policy_of(const std::vector<int>& bits);

/// By what an agent that returns to its best policy takes one to be the best: `objective`, except
/// that nothing below the accuracy floor is as good as anything above it. (With Goal::kCost a cheap
/// policy a little below the floor has a high reward. The agent learns from that, since it says in
/// which direction to save, but such a policy is no place to begin from.)
double standing(const Outcome& outcome, double objective);

}  // namespace bittern
