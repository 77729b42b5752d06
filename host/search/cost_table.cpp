#include "host/search/cost_table.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "host/base/error.h"

namespace bittern {
namespace {

constexpr BitPair kReference{8, 8};

void check(double value, const char* what, const Layer& layer, BitPair bits) {
  if (std::isfinite(value) && value >= 0.0) return;
  fail("cost model: layer {} at {}/{} bits: {} is {}; expected a finite number of at least 0",
       layer.name, bits.weight, bits.activation, what, value);
}

void add(LayerCost& sum, const LayerCost& cost, bool first) {
  sum.cycles += cost.cycles;
  sum.latency_s += cost.latency_s;
  sum.energy_j += cost.energy_j;
  sum.energy_high_j += cost.energy_high_j;
  sum.weight_bytes += cost.weight_bytes;
  // A sum is only as good as its weakest part: RTL and board numbers stay what they are only as
  // long as no other origin is mixed in.
  if (first || static_cast<int>(cost.origin) > static_cast<int>(sum.origin)) {
    sum.origin = cost.origin;
  }
}

}  // namespace

CostTable::CostTable(CostModel& model, const BitSpace& space) : network_(&model.network()) {
  if (network_->layers.size() != space.layers()) {
    fail("search: the cost model is for a network of {} layers, the search for one of {}",
         network_->layers.size(), space.layers());
  }
  const Policy reference = reference_policy(model, space);
  std::vector<std::pair<std::size_t, BitPair>> points;
  for (std::size_t layer = 0; layer < space.layers(); ++layer) {
    std::vector<BitPair> pairs = space.pairs(layer);
    if (std::find(pairs.begin(), pairs.end(), reference[layer]) == pairs.end()) {
      pairs.push_back(reference[layer]);
    }
    for (const BitPair bits : pairs) points.emplace_back(layer, bits);
  }
  model.prefetch(points);

  costs_.resize(space.layers());
  for (Row& row : costs_) row.index.fill(-1);
  for (const auto& [layer, bits] : points) {
    const LayerCost cost = model.layer_cost(layer, bits);
    const Layer& shape = network_->layers[layer];
    check(cost.latency_s, "the latency", shape, bits);
    check(cost.energy_j, "the energy", shape, bits);
    check(cost.energy_high_j, "the energy", shape, bits);
    check(cost.weight_bytes, "the model size", shape, bits);
    Row& row = costs_[layer];
    row.index[bits.weight * kWidths + bits.activation] =
        static_cast<std::int16_t>(row.costs.size());
    row.costs.push_back(cost);
  }
  reference_ = total(reference);
  reference_bits_ = bittern::reference_bits(reference, space);
}

Policy reference_policy(const CostModel& model, const BitSpace& space) {
  const Policy reference(space.layers(), kReference);
  return knows_policy(model, reference) ? reference : space.highest();
}

std::string reference_bits(const Policy& reference, const BitSpace& space) {
  std::size_t layer = 0;
  while (layer + 1 < reference.size() && space.pinned(layer)) ++layer;
  return fmt::format("{}/{}", reference[layer].weight, reference[layer].activation);
}

const LayerCost& CostTable::at(std::size_t layer, BitPair bits) const {
  const bool in_range = layer < costs_.size() && bits.weight >= 1 && bits.weight < kWidths &&
                        bits.activation >= 1 && bits.activation < kWidths;
  const int index =
      in_range ? costs_[layer].index[bits.weight * kWidths + bits.activation] : std::int16_t{-1};
  if (index < 0) {
    fail("search: layer {} at {}/{} bits is outside of the search space", layer, bits.weight,
         bits.activation);
  }
  return costs_[layer].costs[static_cast<std::size_t>(index)];
}

LayerCost CostTable::total(const Policy& policy) const {
  if (policy.size() != layers()) {
    fail("search: a policy for {} layers was given for a network of {}", policy.size(), layers());
  }
  LayerCost sum;
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    add(sum, at(layer, policy[layer]), layer == 0);
  }
  return sum;
}

}  // namespace bittern
