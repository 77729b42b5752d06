#include "host/search/baselines/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/base/error.h"
#include "host/search/baselines/knapsack_search.h"

namespace bittern {
namespace {

constexpr double kDefaultShare = 0.5;

/// How drops behave where nothing else is known.
struct Decline {
  double per_bit;  ///< a drop is divided by this with every bit more
  double least;    ///< smaller drops are noise; a logarithm needs a least one
};
/// Accuracy in points: measured drops fall less fast than the noise.
constexpr Decline kAccuracyDecline{3.0, 0.01};
/// Loss in nats: proportional to the power of quantisation noise, a quarter with every bit more.
constexpr Decline kLossDecline{4.0, 1e-4};

/// The widths that are measured of operands with so many widths each, at most `budget` of them in
/// all. The last width, which loses nothing, is never among them.
std::vector<std::vector<std::size_t>> levels_within(const std::vector<std::size_t>& widths,
                                                    int budget) {
  std::size_t each = 1;
  for (const std::size_t count : widths) each = std::max(each, count - 1);
  for (; each > 1; --each) {
    std::size_t all = 0;
    for (const std::size_t count : widths) all += std::min(each, count - 1);
    if (all <= static_cast<std::size_t>(budget)) break;
  }
  std::vector<std::vector<std::size_t>> levels(widths.size());
  int left = budget;
  for (std::size_t axis = 0; axis < widths.size(); ++axis) {
    const std::size_t below = widths[axis] - 1;
    const std::size_t count = std::min(each, below);
    for (std::size_t i = 0; i < count && left > 0; ++i, --left) {
      // One width says most a third of the way up: at the fewest bits all networks break.
      levels[axis].push_back(count == 1 && below > 1 ? below / 3 : i * below / count);
    }
  }
  return levels;
}

/// What the probes may take of the budget, the one of the most bits aside. At least one episode is
/// left to a policy within the limits.
int probes_within(double share, int episodes) {
  return std::max(0, std::min(static_cast<int>(share * episodes), episodes - 1) - 1);
}

class Sensitivity : public KnapsackSearch {
 public:
  Sensitivity(const MethodContext& context, double share)
      : KnapsackSearch(context), axes_(axes_of(space_)) {
    if (context.budget < 2) {
      fail_usage(
          "search: sensitivity: {} episode(s); expected at least 2, one for the most bits and one "
          "for a policy within the limits",
          context.budget);
    }
    const Choice top = space_.highest();
    probes_.push_back(top);
    std::vector<std::size_t> widths;
    for (const Axis& axis : axes_) widths.push_back(axis.options.size());
    levels_ = levels_within(widths, probes_within(share, context.budget));
    for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
      for (const std::size_t level : levels_[axis]) {
        Choice probe = top;
        probe[axes_[axis].slot] = axes_[axis].options[level];
        probes_.push_back(std::move(probe));
      }
    }
  }

 protected:
  OptionLosses prior() override {
    const Choice top = space_.highest();
    const double full = record_.merit(*record_.find(top));
    const Decline decline = record_.has_losses() ? kLossDecline : kAccuracyDecline;
    std::vector<std::vector<double>> drops(axes_.size());
    std::vector<double> mean;
    std::vector<std::size_t> unknown;
    for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
      std::vector<std::pair<int, double>> known;
      for (const std::size_t level : levels_[axis]) {
        Choice probe = top;
        probe[axes_[axis].slot] = axes_[axis].options[level];
        known.emplace_back(width(axis, level), full - record_.merit(*record_.find(probe)));
      }
      if (known.empty()) {
        unknown.push_back(axis);
        continue;
      }
      const std::size_t count = axes_[axis].options.size();
      for (std::size_t level = 0; level + 1 < count; ++level) {
        drops[axis].push_back(
            interpolated(known, width(axis, level), width(axis, count - 1), decline));
      }
      drops[axis].push_back(0.0);
      mean.push_back(drops[axis].front());
    }
    double average = decline.least;
    for (const double drop : mean) average += drop / static_cast<double>(mean.size());
    for (const std::size_t axis : unknown) {
      const std::size_t count = axes_[axis].options.size();
      for (std::size_t level = 0; level < count; ++level) {
        const int bits = width(axis, level) - width(axis, 0);
        drops[axis].push_back(level + 1 == count ? 0.0
                                                 : average * std::pow(decline.per_bit, -bits));
      }
    }
    return sum_of_axes(space_, axes_, drops);
  }
  double base() const override { return record_.find(space_.highest())->accuracy; }
  bool in_points() const override { return !record_.has_losses(); }

 private:
  int width(std::size_t axis, std::size_t level) const {
    const Axis& a = axes_[axis];
    const BitPair bits = space_.options(a.slot)[static_cast<std::size_t>(a.options[level])];
    return a.weights ? bits.weight : bits.activation;
  }

  /// The drop at `bits` from measured ones (ascending widths), in the logarithm; beyond the last of
  /// them a fixed fall per bit, down to nothing at `most`.
  static double interpolated(const std::vector<std::pair<int, double>>& known, int bits, int most,
                             Decline decline) {
    for (const auto& [width, drop] : known) {
      if (width == bits) return drop;
    }
    const auto log_of = [&](double drop) { return std::log(std::max(drop, decline.least)); };
    const auto above = std::find_if(known.begin(), known.end(),
                                    [bits](const auto& entry) { return entry.first > bits; });
    const double fall = std::log(decline.per_bit);
    if (above == known.begin()) {
      return std::exp(log_of(above->second) + fall * (above->first - bits));
    }
    const auto& below = *(above - 1);
    if (above == known.end()) {
      if (bits >= most) return 0.0;
      return std::exp(log_of(below.second) - fall * (bits - below.first));
    }
    const double share = static_cast<double>(bits - below.first) / (above->first - below.first);
    return std::exp((1.0 - share) * log_of(below.second) + share * log_of(above->second));
  }

  std::vector<Axis> axes_;
  std::vector<std::vector<std::size_t>> levels_;  ///< that are measured, [axis]
};

std::vector<std::string> doubts_of(double share, const BitSpace& space, int episodes) {
  std::vector<std::size_t> widths;
  std::size_t all = 0;
  const auto add = [&](std::size_t count) {
    if (count < 2) return;
    widths.push_back(count);
    all += count - 1;
  };
  for (std::size_t layer = 0; layer < space.layers(); ++layer) {
    if (space.pinned(layer) || space.leader(layer) != layer) continue;
    add(space.weight_choices(layer).size());
    if (!space.tied()) add(space.activation_choices(layer).size());
  }
  std::size_t measured = 0;
  std::size_t operands = 0;
  for (const auto& levels : levels_within(widths, probes_within(share, episodes))) {
    measured += levels.size();
    operands += levels.empty() ? 0 : 1;
  }
  if (measured == all) return {};
  std::string doubt = fmt::format(
      "search: sensitivity: layers have {} widths below their most bits; with a share of {:g} of "
      "{} episodes {} "
      "are measured alone and the others interpolated",
      all, share, episodes, measured);
  if (operands < widths.size()) {
    doubt += fmt::format("; of {} operands nothing is measured", widths.size() - operands);
  }
  return {doubt + ". More episodes, or a larger search.measure, measure more"};
}

}  // namespace

MethodKind sensitivity_method() {
  MethodKind kind;
  kind.name = "sensitivity";
  kind.description = "loss added by each layer alone, then a knapsack, verified and corrected";
  kind.keys = {"measure"};
  kind.configure = [](const YamlMap& map) {
    const double share = map.real("measure", 0.0, 1.0, kDefaultShare);
    ConfiguredMethod method;
    method.name = "sensitivity";
    method.version = 3;
    method.uses_budget = true;
    method.starts_from = StartsFrom::kScores;
    method.key = {{"measure", share}};
    method.space_doubts = [share](const BitSpace& space, int episodes) {
      return doubts_of(share, space, episodes);
    };
    method.make = [share](const MethodContext& context) -> std::unique_ptr<Method> {
      return std::make_unique<Sensitivity>(context, share);
    };
    return method;
  };
  return kind;
}

}  // namespace bittern
