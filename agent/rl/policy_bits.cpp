#include "agent/rl/policy_bits.h"

namespace bittern {

std::vector<int> bits_of(const Policy& policy) {
  std::vector<int> bits;
  for (const BitPair& pair : policy) {
    bits.push_back(pair.weight);
    bits.push_back(pair.activation);
  }
  return bits;
}

Policy policy_of(const std::vector<int>& bits) {
  Policy policy;
  for (std::size_t i = 0; i + 1 < bits.size(); i += 2) policy.push_back({bits[i], bits[i + 1]});
  return policy;
}

}  // namespace bittern
