#include "host/search/wall.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <utility>

#include "host/base/error.h"

namespace bittern {
namespace {

constexpr std::size_t kWidths = 17;
/// Costs are sums of floating-point numbers: a policy that meets a limit exactly must not fail by
/// the rounding of the sum.
constexpr double kSlack = 1e-12;

/// Steps per layer after which a descent counts as stuck; a layer has at most 256 pairs.
constexpr int kMaxSteps = 1024;

/// The width below `bits` in `choices` (ascending), or 0.
int next_lower(int bits, const std::vector<int>& choices) {
  const auto at = std::lower_bound(choices.begin(), choices.end(), bits);
  return at == choices.begin() ? 0 : *std::prev(at);
}

int distance(BitPair a, BitPair b) {
  return std::abs(a.weight - b.weight) + std::abs(a.activation - b.activation);
}

}  // namespace

const char* wall_mode_name(WallMode mode) {
  switch (mode) {
    case WallMode::kHaq:
      return "haq";
    case WallMode::kMustPay:
      return "must_pay";
    case WallMode::kBestRatio:
      return "best_ratio";
  }
  return "unknown";
}

WallMode parse_wall_mode(const std::string& name) {
  for (const WallMode mode : {WallMode::kHaq, WallMode::kMustPay, WallMode::kBestRatio}) {
    if (name == wall_mode_name(mode)) return mode;
  }
  fail_usage("wall \"{}\": expected haq, must_pay or best_ratio", name);
}

/// One run of the wall: a policy, its totals, and the moves on it.
class Wall::Descent {
 public:
  Descent(const Wall& wall, Policy start)
      : wall_(wall), policy_(std::move(start)), totals_(wall.totals(policy_)) {}

  /// Runs until the constraints hold. False when stuck.
  bool run() {
    if (satisfied()) return true;
    if (wall_.options_.mode == WallMode::kBestRatio) {
      while (take_best()) {
        if (satisfied()) return true;
      }
      return false;
    }
    for (;;) {
      const int before = steps_;
      if (pass()) return true;
      if (steps_ != before) continue;
      if (!take_best()) return false;
      if (satisfied()) return true;
    }
  }

  WallResult result() && {
    WallResult result;
    result.totals = wall_.totals(policy_);
    result.policy = std::move(policy_);
    result.steps = steps_;
    return result;
  }

 private:
  struct Move {
    BitPair bits;
    double gain = 0.0;  ///< of take_best(): per bit
    int bits_changed = 0;
  };

  std::size_t constraints() const { return totals_.size(); }
  /// Layers that share their bits move with the first of them.
  bool moves(std::size_t layer) const {
    return !wall_.space_.pinned(layer) && wall_.space_.leader(layer) == layer;
  }
  bool exceeded(std::size_t c) const { return !wall_.within(totals_[c], c); }

  bool satisfied() {
    for (std::size_t c = 0; c < constraints(); ++c) {
      if (exceeded(c)) return false;
    }
    // The running totals have seen hundreds of additions; what is promised is about the true sum.
    totals_ = wall_.totals(policy_);
    for (std::size_t c = 0; c < constraints(); ++c) {
      if (exceeded(c)) return false;
    }
    return true;
  }

  /// A pass from the last layer to the first. True when the constraints hold.
  bool pass() {
    for (std::size_t layer = policy_.size(); layer-- > 0;) {
      if (!moves(layer)) continue;
      if (wall_.space_.tied()) {
        const int lower = next_lower(policy_[layer].weight, wall_.space_.weight_choices(layer));
        if (lower != 0 && decrement(layer, {lower, lower}) && satisfied()) return true;
        continue;
      }
      int lower = next_lower(policy_[layer].activation, wall_.space_.activation_choices(layer));
      if (lower != 0 && decrement(layer, {policy_[layer].weight, lower}) && satisfied()) {
        return true;
      }
      lower = next_lower(policy_[layer].weight, wall_.space_.weight_choices(layer));
      if (lower != 0 && decrement(layer, {lower, policy_[layer].activation}) && satisfied()) {
        return true;
      }
    }
    return false;
  }

  /// Takes the move when the mode's rule allows it.
  bool decrement(std::size_t layer, BitPair to) {
    bool pays = wall_.options_.mode == WallMode::kHaq;
    for (std::size_t c = 0; c < constraints(); ++c) {
      const double before = wall_.value(c, layer, policy_[layer]);
      const double saving = before - wall_.value(c, layer, to);
      if (!exceeded(c)) {
        if (!wall_.within(totals_[c] - saving, c)) return false;
        continue;
      }
      if (saving < 0.0) return false;
      pays = pays || (saving > 0.0 && saving >= wall_.options_.epsilon * before);
    }
    if (!pays) return false;
    take(layer, to);
    return true;
  }

  void take(std::size_t layer, BitPair to) {
    for (std::size_t c = 0; c < constraints(); ++c) {
      totals_[c] += wall_.value(c, layer, to) - wall_.value(c, layer, policy_[layer]);
    }
    for (std::size_t i = layer; i < policy_.size(); ++i) {
      if (wall_.space_.leader(i) == layer) policy_[i] = to;
    }
    ++steps_;
    if (layer < best_.size()) best_[layer].reset();
  }

  /// Best change of one layer: largest gain per bit, where the gain is the sum of the savings in
  /// the exceeded constraints, each relative to its limit. Ties go to fewer bits, then to the
  /// activations.
  Move best_of(std::size_t layer, bool only_down) const {
    Move best;
    const BitPair from = policy_[layer];
    for (const BitPair to : wall_.pairs_[layer]) {
      if (to == from) continue;
      if (only_down && (to.weight > from.weight || to.activation > from.activation)) continue;
      double gain = 0.0;
      bool allowed = true;
      for (std::size_t c = 0; c < constraints() && allowed; ++c) {
        const double saving = wall_.value(c, layer, from) - wall_.value(c, layer, to);
        if (exceeded(c)) {
          gain += saving / wall_.limits_[c];
        } else {
          allowed = wall_.within(totals_[c] - saving, c);
        }
      }
      if (!allowed || gain <= 0.0) continue;
      const int changed = distance(from, to);
      if (better(gain / changed, changed, best) ||
          (same(gain / changed, best.gain) && changed == best.bits_changed &&
           to.activation < best.bits.activation)) {
        best = {to, gain / changed, changed};
      }
    }
    return best;
  }

  static bool same(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(a, b); }
  static bool better(double gain, int changed, const Move& than) {
    if (!same(gain, than.gain)) return gain > than.gain;
    return changed < than.bits_changed;
  }

  /// Takes the best change of all layers, later layers first among equals; reductions before all
  /// else. False when nothing helps.
  bool take_best() {
    // Every change lowers a layer's cost or its bits, so this is never reached; were rounding to
    // make two constraints chase each other, it would end that.
    if (steps_ > kMaxSteps * static_cast<int>(policy_.size())) return false;
    for (const bool only_down : {true, false}) {
      // What a layer can gain depends on the other layers only through the other constraints, so
      // with one constraint it is computed again only for layers that changed.
      const bool keep = only_down && constraints() == 1;
      if (best_.size() != policy_.size() || !keep) best_.assign(policy_.size(), std::nullopt);
      std::size_t chosen = policy_.size();
      for (std::size_t layer = policy_.size(); layer-- > 0;) {
        if (!moves(layer)) continue;
        if (!best_[layer]) best_[layer] = best_of(layer, only_down);
        if (best_[layer]->gain <= 0.0) continue;
        if (chosen == policy_.size() ||
            better(best_[layer]->gain, best_[layer]->bits_changed, *best_[chosen])) {
          chosen = layer;
        }
      }
      if (chosen == policy_.size()) {
        best_.clear();
        continue;
      }
      const BitPair to = best_[chosen]->bits;
      take(chosen, to);
      if (!keep) best_.clear();
      return true;
    }
    return false;
  }

  const Wall& wall_;
  Policy policy_;
  std::vector<double> totals_;
  int steps_ = 0;
  std::vector<std::optional<Move>> best_;  ///< cache of best_of(layer, true)
};

Wall::Wall(const CostTable& table, const BitSpace& space, std::vector<Constraint> constraints,
           WallOptions options)
    : space_(space), constraints_(std::move(constraints)), options_(options) {
  if (!(options_.epsilon >= 0.0 && options_.epsilon <= 1.0)) {
    fail_usage("wall: epsilon is {}; expected 0..1", options_.epsilon);
  }
  if (table.layers() != space.layers()) {
    fail("wall: the costs are of {} layers, the search space of {}", table.layers(),
         space.layers());
  }
  for (std::size_t layer = 0; layer < space_.layers(); ++layer) {
    pairs_.push_back(space_.pairs(layer));
  }
  values_.assign(constraints_.size() * space_.layers() * kWidths * kWidths, 0.0);
  for (std::size_t c = 0; c < constraints_.size(); ++c) {
    const Constraint& constraint = constraints_[c];
    const char* name = resource_name(constraint.resource);
    if (!(constraint.limit > 0.0) || !std::isfinite(constraint.limit)) {
      fail_usage("constraint {}: the limit is {}; expected a number above 0", name,
                 constraint.limit);
    }
    for (std::size_t other = 0; other < c; ++other) {
      if (constraints_[other].resource == constraint.resource) {
        fail_usage("constraint {}: given twice; keep the stricter one", name);
      }
    }
    for (std::size_t layer = 0; layer < space_.layers(); ++layer) {
      for (const BitPair bits : pairs_[layer]) {
        // Layers that share their bits are one: the first of them has the cost of all.
        values_[((c * space_.layers() + space_.leader(layer)) * kWidths + bits.weight) * kWidths +
                bits.activation] += resource_value(table.at(layer, bits), constraint.resource);
      }
    }
    references_.push_back(resource_value(table.reference(), constraint.resource));
    limits_.push_back(constraint.is_ratio ? constraint.limit * references_[c] : constraint.limit);
    if (!(limits_[c] > 0.0)) {
      fail("constraint {}: a ratio of {} cannot be meant, because the {} policy costs {} {}", name,
           constraint.limit, table.reference_bits(), references_[c],
           resource_unit(constraint.resource));
    }
    check_reachable(table, c);
  }

  // With one constraint the check above is enough. Several can contradict each other: then neither
  // end of the space leads to a policy.
  for (const Policy& start : {space_.highest(), space_.lowest()}) {
    Descent descent(*this, start);
    if (!descent.run()) continue;
    reserve_ = std::move(descent).result().policy;
    return;
  }
  std::string list;
  for (std::size_t c = 0; c < constraints_.size(); ++c) {
    list += fmt::format("\n  {}: limit {:.6g} {}, least on its own {:.6g}",
                        resource_name(constraints_[c].resource), limits_[c],
                        resource_unit(constraints_[c].resource), least_[c]);
  }
  fail(
      "constraints: each can be met, but no policy was found that meets all of them together: "
      "raise one of the limits.{}",
      list);
}

double Wall::value(std::size_t constraint, std::size_t layer, BitPair bits) const {
  return values_[((constraint * space_.layers() + layer) * kWidths +
                  static_cast<std::size_t>(bits.weight)) *
                     kWidths +
                 static_cast<std::size_t>(bits.activation)];
}

std::vector<double> Wall::totals(const Policy& policy) const {
  std::vector<double> sums(constraints_.size(), 0.0);
  for (std::size_t c = 0; c < sums.size(); ++c) {
    for (std::size_t layer = 0; layer < policy.size(); ++layer) {
      sums[c] += value(c, layer, policy[layer]);
    }
  }
  return sums;
}

bool Wall::within(double total, std::size_t constraint) const {
  return total <= limits_[constraint] * (1.0 + kSlack);
}

bool Wall::meets(const Policy& policy) const {
  if (space_.snap(policy) != policy) {
    fail("wall: the policy is outside of the search space (pins, fixed or missing widths)");
  }
  const std::vector<double> sums = totals(policy);
  for (std::size_t c = 0; c < sums.size(); ++c) {
    if (!within(sums[c], c)) return false;
  }
  return true;
}

void Wall::check_reachable(const CostTable& table, std::size_t constraint) {
  struct Share {
    std::size_t layer;
    BitPair bits;
    double value;
  };
  std::vector<Share> shares;
  double least = 0.0;
  for (std::size_t layer = 0; layer < space_.layers(); ++layer) {
    if (space_.leader(layer) != layer) continue;
    const auto cheapest =
        std::min_element(pairs_[layer].begin(), pairs_[layer].end(), [&](BitPair a, BitPair b) {
          return value(constraint, layer, a) < value(constraint, layer, b);
        });
    shares.push_back({layer, *cheapest, value(constraint, layer, *cheapest)});
    least += shares.back().value;
  }
  least_.push_back(least);
  if (within(least, constraint)) return;

  std::stable_sort(shares.begin(), shares.end(),
                   [](const Share& a, const Share& b) { return a.value > b.value; });
  std::string holders;
  for (std::size_t i = 0; i < std::min<std::size_t>(shares.size(), 5); ++i) {
    const Share& share = shares[i];
    holders +=
        fmt::format("\n  {}: {:.1f} % at {}/{} bits{}", table.network().layers[share.layer].name,
                    100.0 * share.value / least, share.bits.weight, share.bits.activation,
                    space_.pinned(share.layer) ? " (pinned)" : "");
  }
  const char* unit = resource_unit(constraints_[constraint].resource);
  const double reference = references_[constraint];
  fail(
      "constraint {}: at most {:.6g} {} (ratio {:.4f} of {}) cannot be met on network {}: the "
      "least that any allowed policy reaches is {:.6g} {} (ratio {:.4f}). It is held by:{}\n"
      "Raise the limit, allow fewer bits{}.",
      resource_name(constraints_[constraint].resource), limits_[constraint], unit,
      limits_[constraint] / reference, table.reference_bits(), table.network().name, least, unit,
      least / reference, holders,
      space_.options().pin_first_last ? ", or set pin_first_last: false" : "");
}

WallResult Wall::apply(const Policy& asked) const {
  Descent descent(*this, space_.snap(asked));
  if (descent.run()) return std::move(descent).result();
  WallResult result;
  result.policy = reserve_;
  result.totals = totals(reserve_);
  result.reserve = true;
  return result;
}

}  // namespace bittern
