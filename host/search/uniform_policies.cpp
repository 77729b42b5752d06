#include "host/search/uniform_policies.h"

#include <algorithm>
#include <set>
#include <utility>

namespace bittern {

std::vector<Policy> uniform_policies(const BitSpace& space) {
  std::set<int> widths;
  for (std::size_t i = 0; i < space.layers(); ++i) {
    const auto add = [&widths](const std::vector<int>& choices) {
      widths.insert(choices.begin(), choices.end());
    };
    if (space.mode() != BitMode::kActivations) add(space.weight_choices(i));
    if (space.mode() != BitMode::kWeights) add(space.activation_choices(i));
  }
  std::vector<Policy> policies;
  for (auto width = widths.rbegin(); width != widths.rend(); ++width) {
    Policy policy = space.snap(Policy(space.layers(), BitPair{*width, *width}));
    if (std::find(policies.begin(), policies.end(), policy) == policies.end()) {
      policies.push_back(std::move(policy));
    }
  }
  return policies;
}

}  // namespace bittern
