#include "host/search/baselines/greedy.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/base/error.h"
#include "host/search/baselines/greedy_cost.h"
#include "host/search/baselines/record.h"

namespace bittern {
namespace {

/// Evaluations that a step takes on average.
constexpr double kPerStep = 3.0;
/// How much more a step loses (or less it gains) than the one before it on the same operand.
constexpr double kGrowth = 2.0;

class Greedy : public Baseline {
 public:
  Greedy(const MethodContext& context, bool down)
      : Baseline(context), down_(down), changes_(2 * space_.slots()) {
    here_ = down ? space_.highest() : space_.lowest();
    if (!down && !space_.meets(here_)) here_ = space_.walled(here_);
  }

  std::vector<Proposal> ask(int) override {
    const std::optional<Choice> next = walking_ ? walk() : climb();
    if (!next) return {};
    return {exactly(*next)};
  }

  void save(Checkpoint& checkpoint) const override {
    Baseline::save(checkpoint);
    nlohmann::json changes = nlohmann::json::array();
    for (const Change& change : changes_) {
      changes.push_back({change.known, change.merit, change.steps});
    }
    checkpoint.state["changes"] = changes;
    checkpoint.state["here"] = space_.text(here_);
    checkpoint.state["walking"] = walking_;
  }
  void load(const Checkpoint& checkpoint) override {
    Baseline::load(checkpoint);
    here_ = space_.from_text(checkpoint.state.at("here").get<std::string>());
    walking_ = checkpoint.state.at("walking").get<bool>();
    const nlohmann::json& changes = checkpoint.state.at("changes");
    if (changes.size() != changes_.size()) {
      fail("checkpoint: changes of {} operands; expected {}", changes.size(), changes_.size());
    }
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      changes_[i] = {changes[i].at(0).get<bool>(), changes[i].at(1).get<double>(),
                     changes[i].at(2).get<int>()};
    }
  }

 private:
  /// What is known of the next step of an operand.
  struct Change {
    bool known = false;
    double merit = 0.0;  ///< that it changed merit() by when it was last measured
    int steps = 0;       ///< of this operand since, taken without measuring
  };

  struct Step {
    std::size_t operand;  ///< 2 * slot, and 1 for activations
    Choice next;
    double cost;  ///< saved or taken, relative to the limits that count
  };

  /// On the way up answers change with every step, and how wrong the wrong ones are means little.
  double merit(const Measured& measured) const {
    return down_ ? record_.merit(measured) : measured.accuracy;
  }

  /// Steps until the limits hold, or as long as they do.
  std::optional<Choice> walk() {
    for (;;) {
      const std::vector<Step> steps = open_steps();
      const double left = context_.budget - static_cast<double>(record_.all().size());
      const bool arrived = down_ && space_.meets(here_);
      if (arrived || steps.empty() || left <= 1.0) {
        // The last evaluation has to be of a policy within the limits.
        if (!space_.meets(here_)) here_ = space_.walled(here_);
        walking_ = false;
        return climb();
      }
      const bool hurry = kPerStep * steps_ahead(steps) + 1.0 > left;
      // The first step of every operand is measured as long as that leaves half of the budget.
      const bool unknown = std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
        return !changes_[step.operand].known;
      });
      const bool first = unknown && 2.0 * left > context_.budget;
      if (hurry && !first) {
        take(best_of(steps));
        continue;
      }
      if (!record_.has(here_)) return here_;
      if (auto next = measure_all(steps, first)) return next;
      const Step& best = best_of(steps);
      if (!record_.has(best.next)) return best.next;
      take(best);
    }
  }

  /// Notes what measured steps change. Gives one whose operand nothing is known of, where they are
  /// wanted.
  std::optional<Choice> measure_all(const std::vector<Step>& steps, bool wanted) {
    std::optional<Choice> missing;
    const double here = merit(*record_.find(here_));
    for (const Step& step : steps) {
      if (const Measured* measured = record_.find(step.next)) {
        changes_[step.operand] = {true, merit(*measured) - here, 0};
      } else if (wanted && !missing && !changes_[step.operand].known) {
        missing = step.next;
      }
    }
    return missing;
  }

  void take(const Step& step) {
    if (!record_.has(step.next)) ++changes_[step.operand].steps;
    here_ = step.next;
  }

  std::vector<Step> open_steps() const {
    std::vector<Step> steps;
    for (std::size_t slot = 0; slot < space_.slots(); ++slot) {
      const int from = here_[slot];
      for (const int to : down_ ? space_.fewer(slot, from) : space_.more(slot, from)) {
        const std::vector<BitPair>& options = space_.options(slot);
        const bool weights = options[static_cast<std::size_t>(from)].weight !=
                             options[static_cast<std::size_t>(to)].weight;
        Step step{2 * slot + (weights ? 0 : 1), here_, cost_of(slot, from, to)};
        step.next[slot] = to;
        if (down_ ? step.cost > 0.0 : space_.meets(step.next)) steps.push_back(std::move(step));
      }
    }
    return steps;
  }

  /// What a step saves of the limits that are exceeded (or takes of all), as shares of them.
  double cost_of(std::size_t slot, int from, int to) const {
    double sum = 0.0;
    for (std::size_t c = 0; c < space_.constraints(); ++c) {
      if (down_ && space_.total(c, here_) <= space_.room(c)) continue;
      sum += (space_.cost(c, slot, from) - space_.cost(c, slot, to)) / space_.room(c);
    }
    return down_ ? sum : -sum;
  }

  /// Roughly how many steps there are until the limits hold, or do not any more.
  double steps_ahead(const std::vector<Step>& steps) const {
    double most = 0.0;
    double least = static_cast<double>(steps.size()) * 16.0;
    for (std::size_t c = 0; c < space_.constraints(); ++c) {
      const double distance = std::abs(space_.total(c, here_) - space_.room(c)) / space_.room(c);
      double mean = 1e-9;
      for (const Step& step : steps) {
        const std::size_t slot = step.operand / 2;
        const double change =
            space_.cost(c, slot, here_[slot]) - space_.cost(c, slot, step.next[slot]);
        mean += std::abs(change) / space_.room(c) / static_cast<double>(steps.size());
      }
      if (down_ && space_.total(c, here_) <= space_.room(c)) continue;
      most = std::max(most, distance / mean);
      least = std::min(least, distance / mean);
    }
    return down_ ? most : least;
  }

  /// The one with most merit for its cost. Steps that nothing is known of count as the mean.
  const Step& best_of(const std::vector<Step>& steps) const {
    double mean = 0.0;
    double count = 0.0;
    for (const Change& change : changes_) {
      if (!change.known) continue;
      mean += change.merit;
      count += 1.0;
    }
    mean = count > 0.0 ? mean / count : (down_ ? -1.0 : 1.0);
    const auto value = [&](const Step& step) {
      const Change& change = changes_[step.operand];
      const double growth = std::pow(down_ ? kGrowth : 1.0 / kGrowth, change.steps);
      const double gained = growth * (change.known ? change.merit : mean);
      const double cost = std::max(step.cost, 1e-9);
      // What is lost on the way down, or gained on the way up, is per cost. The other way round, a
      // step that saves more is the better one of two that gain, and the worse one of two that
      // lose and cost.
      const bool usual = down_ ? gained < 0.0 : gained > 0.0;
      return usual ? gained / cost : gained * cost;
    };
    return *std::max_element(steps.begin(), steps.end(),
                             [&](const Step& a, const Step& b) { return value(a) < value(b); });
  }

  /// A neighbour that is not known: of the best policy first, then of the next best.
  std::optional<Choice> climb() const {
    if (!record_.has(here_)) return here_;
    for (const std::size_t i : record_.ranked()) {
      for (Choice& next : neighbours(space_, record_.all()[i].choice)) {
        if (!record_.has(next)) return std::move(next);
      }
    }
    return std::nullopt;
  }

  bool down_;
  std::vector<Change> changes_;  ///< [operand]
  Choice here_;
  bool walking_ = true;
};

MethodKind greedy_method(const char* name, bool down, const char* description) {
  MethodKind kind;
  kind.name = name;
  kind.description = description;
  kind.configure = [name = kind.name, down](const YamlMap&) {
    ConfiguredMethod method;
    method.name = name;
    method.version = down ? 3 : 2;
    method.uses_budget = true;
    method.make = [down](const MethodContext& context) -> std::unique_ptr<Method> {
      if (context.reward.goal == Goal::kCost) return make_greedy_for_cost(context, down);
      return std::make_unique<Greedy>(context, down);
    };
    return method;
  };
  return kind;
}

}  // namespace

MethodKind greedy_down_method() {
  return greedy_method("greedy_down", true, "from the most bits, what loses least per cost saved");
}

MethodKind greedy_up_method() {
  return greedy_method("greedy_up", false, "from the fewest bits, what gains most per cost");
}

}  // namespace bittern
