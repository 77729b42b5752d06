#include "host/search/baselines/local.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "host/base/random.h"
#include "host/search/baselines/record.h"

namespace bittern {
namespace {

/// Draws of a start that may turn out to be known before all of the space counts as known.
constexpr int kDraws = 2000;

class Local : public Baseline {
 public:
  explicit Local(const MethodContext& context)
      : Baseline(context),
        rng_(Rng(context.seed).split(1)),
        here_(space_.walled(space_.highest())) {}

  std::vector<Proposal> ask(int) override {
    if (!record_.has(here_)) return {exactly(here_)};
    const std::optional<Choice> next = climb();
    if (next) return {exactly(*next)};
    std::optional<Choice> start = restart();
    if (!start) return {};
    here_ = std::move(*start);
    return {exactly(here_)};
  }

  /// Climbs from the best policy that is known, brought within the limits.
  int learn_from(const Experience& other, const std::vector<Outcome>& outcomes) override {
    Baseline::learn_from(other, outcomes);
    const std::vector<Measured>& all = record_.all();
    if (all.empty()) return 0;
    const Measured* best = record_.best();
    if (best == nullptr) {
      best = &*std::max_element(all.begin(), all.end(),
                                [](const Measured& a, const Measured& b) { return better(b, a); });
    }
    here_ = space_.walled(best->choice);
    return 0;
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
  }

 private:
  /// Moves to better neighbours that are known, then gives one that is not known; nothing on a
  /// peak.
  std::optional<Choice> climb() {
    for (;;) {
      const Measured* best = record_.find(here_);
      std::vector<Choice> unknown;
      for (Choice& next : neighbours(space_, here_)) {
        const Measured* known = record_.find(next);
        if (known == nullptr) {
          unknown.push_back(std::move(next));
        } else if (better(*known, *best)) {
          best = known;
        }
      }
      if (best->choice == here_) {
        if (unknown.empty()) return std::nullopt;
        return unknown[static_cast<std::size_t>(
            rng_.integer(0, static_cast<std::int64_t>(unknown.size()) - 1))];
      }
      here_ = best->choice;
    }
  }

  /// The best policy with slots drawn anew: two of them, and more with every draw in vain.
  std::optional<Choice> restart() {
    const Measured* best = record_.best();
    for (int draw = 0; draw < kDraws; ++draw) {
      Choice start = best == nullptr ? here_ : best->choice;
      const int slots = static_cast<int>(space_.slots());
      const int changed = std::min(slots, 2 + draw * slots / kDraws);
      for (int i = 0; i < changed; ++i) {
        const auto slot = static_cast<std::size_t>(rng_.integer(0, slots - 1));
        start[slot] = static_cast<int>(rng_.integer(0, space_.count(slot) - 1));
      }
      if (!space_.meets(start)) start = space_.walled(start);
      if (!record_.has(start)) return start;
    }
    return std::nullopt;
  }

  Rng rng_;
  Choice here_;
};

}  // namespace

MethodKind local_method() {
  MethodKind kind;
  kind.name = "local";
  kind.description = "hill climbing by single widths and swaps of two layers, with restarts";
  kind.configure = [](const YamlMap&) {
    ConfiguredMethod method;
    method.name = "local";
    method.starts_from = StartsFrom::kScores;
    method.make = [](const MethodContext& context) -> std::unique_ptr<Method> {
      return std::make_unique<Local>(context);
    };
    return method;
  };
  return kind;
}

}  // namespace bittern
