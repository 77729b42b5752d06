#pragma once

#include <vector>

#include "host/network/network.h"

namespace bittern {

/// Weight and activation bits of every layer in a row: what agents know policies by, and what their
/// checkpoints hold.
std::vector<int> bits_of(const Policy& policy);

/// Inverse of bits_of(); an odd number at the end is left out.
Policy policy_of(const std::vector<int>& bits);

}  // namespace bittern
