#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/cost/cost.h"
#include "host/network/network.h"

namespace bittern {

/// Policy -> cost, layer by layer (design interface 3). Implementations: `rtl` (store + devices),
/// `model` (closed form), `table` (a LUT file). Answers are cached; calls from one thread at a
/// time.
class CostModel {
 public:
  virtual ~CostModel() = default;
  /// Cost of layer `index` at `bits`. Throws Error naming layer and bits when it cannot be had.
  virtual LayerCost layer_cost(std::size_t index, BitPair bits) = 0;
  /// Makes the costs of all these points available, in parallel where that helps; shows progress.
  virtual void prefetch(const std::vector<std::pair<std::size_t, BitPair>>& points) = 0;
  /// Whether the model knows this point, so that asking for its cost can succeed. All but tables
  /// know every width.
  virtual bool knows(std::size_t /*index*/, BitPair /*bits*/) const { return true; }
  /// Network whose layers the indices mean.
  virtual const Network& network() const = 0;
  /// Content key of everything that the costs depend on: part of campaign fingerprints.
  virtual std::string fingerprint() const = 0;
};

/// Sum over layers.
LayerCost policy_cost(CostModel& model, const Policy& policy);

/// Whether the model knows every layer's point of a policy.
bool knows_policy(const CostModel& model, const Policy& policy);

}  // namespace bittern
