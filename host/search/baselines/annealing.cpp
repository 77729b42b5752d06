#include "host/search/baselines/annealing.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "host/base/random.h"
#include "host/search/baselines/record.h"

namespace bittern {
namespace {

/// What becomes of a move that breaks a limit.
enum class Repair { kPay, kWall, kReject };

struct AnnealingOptions {
  double first = 0.1;  ///< temperature, as a share of the spread of the rewards that were measured
  double last = 0.01;  ///< with the last evaluation of the budget
  Repair repair = Repair::kPay;
};

const char* repair_name(Repair repair) {
  if (repair == Repair::kPay) return "pay";
  return repair == Repair::kWall ? "wall" : "reject";
}

/// Moves over policies that are known, after which all around counts as known.
constexpr int kKnownMoves = 400;
/// Draws of a policy far away that may turn out to be known before all of the space counts as
/// known.
constexpr int kDraws = 2000;

class Annealing : public Baseline {
 public:
  Annealing(const MethodContext& context, AnnealingOptions options)
      : Baseline(context),
        options_(options),
        rng_(Rng(context.seed).split(1)),
        here_(space_.walled(space_.highest())),
        next_(here_) {}

  std::vector<Proposal> ask(int) override {
    if (!record_.has(here_)) {
      next_ = here_;
      return {exactly(next_)};
    }
    for (int moves = 0; moves < kKnownMoves; ++moves) {
      std::optional<Choice> moved = move(here_);
      if (!moved) continue;
      next_ = std::move(*moved);
      if (!record_.has(next_)) return {exactly(next_)};
      step();
    }
    if (!leave()) return {};
    return {exactly(next_)};
  }

  std::vector<nlohmann::json> tell(const std::vector<Outcome>& outcomes) override {
    std::vector<nlohmann::json> notes = Baseline::tell(outcomes);
    measure_spread();
    notes.front()["temperature"] = temperature();
    step();
    return notes;
  }

  void save(Checkpoint& checkpoint) const override {
    Baseline::save(checkpoint);
    checkpoint.state["draw"] = rng_.save();
    checkpoint.state["here"] = space_.text(here_);
  }
  void load(const Checkpoint& checkpoint) override {
    Baseline::load(checkpoint);
    rng_ = Rng::restore(checkpoint.state.at("draw").get<std::string>());
    here_ = space_.from_text(checkpoint.state.at("here").get<std::string>());
    measure_spread();
  }

 private:
  double temperature() const {
    const double share =
        std::min(1.0, static_cast<double>(record_.all().size()) / std::max(1, context_.budget));
    return spread_ * options_.first * std::pow(options_.last / options_.first, share);
  }

  /// The range of the middle half of all rewards within the limits: problems lose a tenth of a
  /// point or ten, and a temperature in points would fit one of them.
  void measure_spread() {
    std::vector<double> rewards;
    for (const Measured& m : record_.all()) {
      if (m.meets_limits) rewards.push_back(m.reward);
    }
    std::sort(rewards.begin(), rewards.end());
    const std::size_t n = rewards.size();
    spread_ = n < 2 ? 0.0 : rewards[(3 * n) / 4] - rewards[n / 4];
  }

  /// Goes to `next_`, or stays (Metropolis).
  void step() {
    const double change = record_.find(next_)->reward - record_.find(here_)->reward;
    if (change >= 0.0 ||
        (temperature() > 0.0 && rng_.uniform() < std::exp(change / temperature()))) {
      here_ = next_;
    }
  }

  std::size_t draw_slot() {
    return static_cast<std::size_t>(rng_.integer(0, static_cast<std::int64_t>(space_.slots()) - 1));
  }

  int draw(const std::vector<int>& options) {
    return options[static_cast<std::size_t>(
        rng_.integer(0, static_cast<std::int64_t>(options.size()) - 1))];
  }

  /// One layer changed, mostly by one width, sometimes to anything; nothing where the limits do not
  /// allow it.
  std::optional<Choice> move(const Choice& from) {
    Choice next = from;
    const std::size_t slot = draw_slot();
    if (rng_.uniform() < 0.2) {
      next[slot] = static_cast<int>(rng_.integer(0, space_.count(slot) - 1));
    } else {
      std::vector<int> steps = space_.more(slot, from[slot]);
      const std::vector<int>& fewer = space_.fewer(slot, from[slot]);
      steps.insert(steps.end(), fewer.begin(), fewer.end());
      next[slot] = draw(steps);
    }
    if (next == from) return std::nullopt;
    if (space_.meets(next)) return next;
    if (options_.repair == Repair::kReject) return std::nullopt;
    if (options_.repair == Repair::kPay) return pay(std::move(next), slot);
    next = space_.walled(next);
    if (next == from) return std::nullopt;
    return next;
  }

  /// Takes bits from other layers, drawn at random, until the limits hold.
  std::optional<Choice> pay(Choice next, std::size_t spared) {
    for (int tries = 0; tries < 100; ++tries) {
      const std::size_t slot = draw_slot();
      const std::vector<int>& fewer = space_.fewer(slot, next[slot]);
      if (slot == spared || fewer.empty()) continue;
      const int lowered = draw(fewer);
      if (!pays(next, slot, lowered)) continue;
      next[slot] = lowered;
      if (space_.meets(next)) return next;
    }
    return std::nullopt;
  }

  /// Whether an option costs less in a limit that is exceeded.
  bool pays(const Choice& choice, std::size_t slot, int option) const {
    for (std::size_t c = 0; c < space_.constraints(); ++c) {
      if (space_.total(c, choice) > space_.room(c) &&
          space_.cost(c, slot, option) < space_.cost(c, slot, choice[slot])) {
        return true;
      }
    }
    return false;
  }

  /// Where the walk only meets what it knows: on from a policy around one of the best that is not
  /// known, the further away the more is known.
  bool leave() {
    const std::vector<std::size_t> ranked = record_.ranked();
    for (int tries = 0; tries < kDraws; ++tries) {
      const double share = rng_.uniform() * (tries + 1) / kDraws;
      const auto place = static_cast<std::size_t>(share * static_cast<double>(ranked.size()));
      Choice start = ranked.empty() ? here_ : record_.all()[ranked[place]].choice;
      const int changes = 1 + static_cast<int>(tries * space_.slots() / kDraws);
      for (int i = 0; i < changes; ++i) {
        const std::size_t slot = draw_slot();
        start[slot] = static_cast<int>(rng_.integer(0, space_.count(slot) - 1));
      }
      if (!space_.meets(start)) start = space_.walled(start);
      if (record_.has(start)) continue;
      next_ = std::move(start);
      return true;
    }
    return false;
  }

  AnnealingOptions options_;
  Rng rng_;
  double spread_ = 0.0;  ///< follows from the record
  Choice here_;
  Choice next_;  ///< asked for; not kept between tell() and ask()
};

}  // namespace

MethodKind annealing_method() {
  MethodKind kind;
  kind.name = "annealing";
  kind.description = "simulated annealing over changes of single layers";
  kind.keys = {"first_temperature", "last_temperature", "limits"};
  kind.configure = [](const YamlMap& map) {
    AnnealingOptions options;
    options.first = map.real("first_temperature", 1e-9, 1e3, options.first);
    options.last =
        map.real("last_temperature", 1e-9, options.first, std::min(options.last, options.first));
    const std::string limits =
        map.choice("limits", {"pay", "wall", "reject"}, repair_name(options.repair));
    for (const Repair repair : {Repair::kPay, Repair::kWall, Repair::kReject}) {
      if (limits == repair_name(repair)) options.repair = repair;
    }
    ConfiguredMethod method;
    method.name = "annealing";
    method.uses_budget = true;
    method.key = {{"first_temperature", options.first},
                  {"last_temperature", options.last},
                  {"limits", limits}};
    method.make = [options](const MethodContext& context) -> std::unique_ptr<Method> {
      return std::make_unique<Annealing>(context, options);
    };
    return method;
  };
  return kind;
}

}  // namespace bittern
