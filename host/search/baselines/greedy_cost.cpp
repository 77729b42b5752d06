#include "host/search/baselines/greedy_cost.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "host/search/baselines/record.h"

namespace bittern {
namespace {

/// How much more a step loses (or less it gains) than the one before it on the same operand.
constexpr double kGrowth = 2.0;
constexpr double kLeast = 1e-9;

/// All that it knows is in the record: what comes next follows from that.
class GreedyForCost : public Baseline {
 public:
  GreedyForCost(const MethodContext& context, bool down)
      : Baseline(context), down_(down), start_(down ? space_.highest() : space_.lowest()) {
    firsts_ = steps_from(start_);
    // Where not all can be measured: those that change the cost most.
    std::stable_sort(firsts_.begin(), firsts_.end(),
                     [](const Step& a, const Step& b) { return a.cost > b.cost; });
    const auto most = static_cast<std::size_t>(std::max(0, context.budget / 2 - 1));
    measured_ = std::min(firsts_.size(), most);
  }

  std::vector<Proposal> ask(int) override {
    std::optional<Choice> next = first();
    if (!next) next = on_the_list();
    if (!next) next = cheaper_neighbour();
    if (!next) return {};
    return {exactly(*next)};
  }

 private:
  struct Step {
    std::size_t operand;  ///< 2 * slot, and 1 for activations
    Choice next;
    double cost;  ///< saved on the way down, taken on the way up; above 0
  };

  /// As in greedy.cpp.
  double merit(const Measured& measured) const {
    return down_ ? record_.merit(measured) : measured.accuracy;
  }

  std::vector<Step> steps_from(const Choice& here) const {
    std::vector<Step> steps;
    for (std::size_t slot = 0; slot < space_.slots(); ++slot) {
      const std::vector<BitPair>& options = space_.options(slot);
      const int from = here[slot];
      for (const int to : down_ ? space_.fewer(slot, from) : space_.more(slot, from)) {
        const bool weights = options[static_cast<std::size_t>(from)].weight !=
                             options[static_cast<std::size_t>(to)].weight;
        const double change = space_.share(slot, to) - space_.share(slot, from);
        Step step{2 * slot + (weights ? 0 : 1), here, std::max(kLeast, down_ ? -change : change)};
        step.next[slot] = to;
        steps.push_back(std::move(step));
      }
    }
    return steps;
  }

  /// The start, and the first step of every operand.
  std::optional<Choice> first() const {
    if (!record_.has(start_)) return start_;
    for (std::size_t i = 0; i < measured_; ++i) {
      if (!record_.has(firsts_[i].next)) return firsts_[i].next;
    }
    return std::nullopt;
  }

  /// Every policy on the way from the start to the other end.
  void make_list() {
    std::map<std::size_t, double> change;  // of merit, by the next step of an operand
    double mean = 0.0;
    for (std::size_t i = 0; i < measured_; ++i) {
      const double changed =
          std::abs(merit(*record_.find(firsts_[i].next)) - merit(*record_.find(start_)));
      change[firsts_[i].operand] = changed;
      mean += changed / static_cast<double>(measured_);
    }
    list_ = {start_};
    for (;;) {
      const std::vector<Step> steps = steps_from(list_.back());
      if (steps.empty()) return;
      const auto per_cost = [&](const Step& step) {
        const double merit = change.emplace(step.operand, std::max(mean, kLeast)).first->second;
        return down_ ? merit / step.cost : -merit / step.cost;
      };
      const Step& best = *std::min_element(
          steps.begin(), steps.end(),
          [&](const Step& a, const Step& b) { return per_cost(a) < per_cost(b); });
      change[best.operand] *= down_ ? kGrowth : 1.0 / kGrowth;
      list_.push_back(best.next);
    }
  }

  /// Bisection: the floor is kept at one end of what is left of the list, and not at the other.
  std::optional<Choice> on_the_list() {
    if (list_.empty()) make_list();
    std::size_t low = 0;
    std::size_t high = list_.size();
    while (high - low > 1) {
      const std::size_t middle = low + (high - low) / 2;
      const Measured* known = record_.find(list_[middle]);
      if (known == nullptr) return list_[middle];
      (known->meets_floor == down_ ? low : high) = middle;
    }
    return std::nullopt;
  }

  /// Of the best policy first, then of the next best; the smallest step first.
  std::optional<Choice> cheaper_neighbour() const {
    for (const std::size_t i : record_.ranked()) {
      const Choice& here = record_.all()[i].choice;
      const double share = space_.share(here);
      std::optional<Choice> found;
      for (Choice& next : neighbours(space_, here)) {
        const double its = space_.share(next);
        if (its >= share || record_.has(next)) continue;
        if (!found || its > space_.share(*found)) found = std::move(next);
      }
      if (found) return found;
    }
    return std::nullopt;
  }

  const bool down_;
  const Choice start_;
  std::vector<Step> firsts_;
  std::size_t measured_ = 0;  ///< of the first steps
  std::vector<Choice> list_;  ///< made when it is needed
};

}  // namespace

std::unique_ptr<Method> make_greedy_for_cost(const MethodContext& context, bool down) {
  return std::make_unique<GreedyForCost>(context, down);
}

}  // namespace bittern
