#include "host/search/baselines/nsga2.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "host/base/error.h"
#include "host/base/random.h"
#include "host/search/baselines/pareto.h"
#include "host/search/baselines/record.h"
#include "host/search/setting.h"

namespace bittern {
namespace {

/// What becomes of a child that breaks a limit.
enum class Repair { kPay, kWall, kDominate };

const char* repair_name(Repair repair) {
  if (repair == Repair::kPay) return "pay";
  return repair == Repair::kWall ? "wall" : "dominate";
}

struct Nsga2Options {
  int population = 8;
  double crossover = 0.9;
  double mutation = 0.0;  ///< per layer that has a choice; 0: one layer a child, on average
  /// Policies that take less than this share of a limit count as if they took so much: what is
  /// wanted is the best within the limits, not a front down to the cheapest.
  double focus = 0.98;
  Repair repair = Repair::kPay;
};

/// Draws of a child that may turn out to be known before all of the space counts as known.
constexpr int kDraws = 500;

class Nsga2 : public Baseline {
 public:
  Nsga2(const MethodContext& context, Nsga2Options options)
      : Baseline(context), options_(options), rng_(Rng(context.seed).split(1)) {}

  int batch() const override { return options_.population; }

  std::vector<Proposal> ask(int n) override {
    std::set<Choice> asked;
    std::vector<Proposal> proposals;
    while (static_cast<int>(proposals.size()) < n) {
      const std::optional<Choice> next = unknown(asked);
      if (!next) break;
      asked.insert(*next);
      proposals.push_back(exactly(*next));
    }
    return proposals;
  }

  std::vector<nlohmann::json> tell(const std::vector<Outcome>& outcomes) override {
    std::vector<nlohmann::json> notes = Baseline::tell(outcomes);
    for (const Outcome& outcome : outcomes) population_.push_back(space_.choice(outcome.policy));
    select();
    for (nlohmann::json& note : notes) note["generation"] = generation_;
    ++generation_;
    return notes;
  }

  void save(Checkpoint& checkpoint) const override {
    Baseline::save(checkpoint);
    checkpoint.state["draw"] = rng_.save();
    checkpoint.state["generation"] = generation_;
    nlohmann::json population = nlohmann::json::array();
    for (const Choice& choice : population_) population.push_back(space_.text(choice));
    checkpoint.state["population"] = population;
  }
  void load(const Checkpoint& checkpoint) override {
    Baseline::load(checkpoint);
    rng_ = Rng::restore(checkpoint.state.at("draw").get<std::string>());
    generation_ = checkpoint.state.at("generation").get<int>();
    population_.clear();
    for (const nlohmann::json& text : checkpoint.state.at("population")) {
      population_.push_back(space_.from_text(text.get<std::string>()));
      if (!record_.has(population_.back())) {
        fail("checkpoint: {} of the population was never measured", text.dump());
      }
    }
    select();
  }

 private:
  std::size_t draw(std::size_t count) {
    return static_cast<std::size_t>(rng_.integer(0, static_cast<std::int64_t>(count) - 1));
  }

  /// A policy that was neither measured nor asked for.
  std::optional<Choice> unknown(const std::set<Choice>& asked) {
    const bool first = population_.empty() && asked.empty();
    for (int tries = 0; tries < kDraws; ++tries) {
      Choice next = first && tries == 0   ? space_.highest()
                    : population_.empty() ? drawn()
                                          : child(tries);
      std::optional<Choice> repaired = repair(std::move(next));
      if (repaired && !record_.has(*repaired) && asked.count(*repaired) == 0) return repaired;
    }
    return std::nullopt;
  }

  Choice drawn() {
    Choice choice;
    for (std::size_t slot = 0; slot < space_.slots(); ++slot) {
      choice.push_back(static_cast<int>(draw(static_cast<std::size_t>(space_.count(slot)))));
    }
    return choice;
  }

  /// A child of two parents; with every try in vain its mutations become more.
  Choice child(int tries) {
    const Choice& a = population_[tournament()];
    const Choice& b = population_[tournament()];
    Choice child = a;
    if (rng_.uniform() < options_.crossover) {
      for (std::size_t slot = 0; slot < child.size(); ++slot) {
        if (rng_.uniform() < 0.5) child[slot] = b[slot];
      }
    }
    const double slots = static_cast<double>(space_.slots());
    const double own = options_.mutation > 0.0 ? options_.mutation : 1.0 / slots;
    const double rate = own + (1.0 - own) * tries / kDraws;
    for (std::size_t slot = 0; slot < child.size(); ++slot) {
      if (rng_.uniform() < rate) mutate(child, slot);
    }
    return child;
  }

  /// Mostly a width more or less, sometimes anything.
  void mutate(Choice& choice, std::size_t slot) {
    std::vector<int> steps = space_.more(slot, choice[slot]);
    const std::vector<int>& fewer = space_.fewer(slot, choice[slot]);
    steps.insert(steps.end(), fewer.begin(), fewer.end());
    choice[slot] = rng_.uniform() < 0.2
                       ? static_cast<int>(draw(static_cast<std::size_t>(space_.count(slot))))
                       : steps[draw(steps.size())];
  }

  std::size_t tournament() {
    const std::size_t a = draw(population_.size());
    const std::size_t b = draw(population_.size());
    if (ranks_[a] != ranks_[b]) return ranks_[a] < ranks_[b] ? a : b;
    return crowding_[a] >= crowding_[b] ? a : b;
  }

  std::optional<Choice> repair(Choice choice) {
    if (options_.repair == Repair::kDominate || space_.meets(choice)) return choice;
    if (options_.repair == Repair::kWall) return space_.walled(choice);
    for (int tries = 0; tries < 1000; ++tries) {
      const std::size_t slot = draw(space_.slots());
      const std::vector<int>& fewer = space_.fewer(slot, choice[slot]);
      if (fewer.empty()) continue;
      choice[slot] = fewer[draw(fewer.size())];
      if (space_.meets(choice)) return choice;
    }
    return std::nullopt;
  }

  std::vector<double> objectives(const Measured& measured) const {
    std::vector<double> values = {-measured.reward};
    for (std::size_t c = 0; c < space_.constraints(); ++c) {
      values.push_back(std::max(options_.focus, space_.total(c, measured.choice) / space_.room(c)));
    }
    if (space_.constraints() == 0) {
      values.push_back(context_.costs.total(space_.policy(measured.choice)).latency_s);
    }
    return values;
  }

  /// Keeps the best fronts, of the last of them the least crowded.
  void select() {
    Objectives values;
    std::vector<double> violations;
    for (const Choice& choice : population_) {
      const Measured& measured = *record_.find(choice);
      values.push_back(objectives(measured));
      double violation = 0.0;
      for (std::size_t c = 0; !measured.meets_limits && c < space_.constraints(); ++c) {
        violation += std::max(0.0, values.back()[c + 1] - 1.0);
      }
      violations.push_back(violation);
    }
    std::vector<Choice> kept;
    ranks_.clear();
    crowding_.clear();
    const auto size = static_cast<std::size_t>(options_.population);
    int rank = 0;
    for (const std::vector<std::size_t>& front : nondominated_fronts(values, violations)) {
      const std::vector<double> distances = crowding_distances(values, front);
      std::vector<std::size_t> order(front.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(),
                       [&](std::size_t a, std::size_t b) { return distances[a] > distances[b]; });
      for (const std::size_t i : order) {
        if (kept.size() == size) break;
        kept.push_back(population_[front[i]]);
        ranks_.push_back(rank);
        crowding_.push_back(distances[i]);
      }
      ++rank;
    }
    population_ = std::move(kept);
  }

  Nsga2Options options_;
  Rng rng_;
  int generation_ = 0;
  std::vector<Choice> population_;
  std::vector<int> ranks_;        ///< front of each, follows from population_
  std::vector<double> crowding_;  ///< within its front, likewise
};

}  // namespace

MethodKind nsga2_method() {
  MethodKind kind;
  kind.name = "nsga2";
  kind.description = "NSGA-II: populations between accuracy and what is limited";
  kind.keys = {"population", "crossover", "mutation", "focus", "limits"};
  kind.configure = [](const YamlMap& map) {
    Nsga2Options options;
    options.population = read_int(map, "population", 4, 10'000, options.population);
    options.crossover = map.real("crossover", 0.0, 1.0, options.crossover);
    options.mutation = map.real("mutation", 0.0, 1.0, options.mutation);
    options.focus = map.real("focus", 0.0, 1.0, options.focus);
    const std::string limits =
        map.choice("limits", {"pay", "wall", "dominate"}, repair_name(options.repair));
    for (const Repair repair : {Repair::kPay, Repair::kWall, Repair::kDominate}) {
      if (limits == repair_name(repair)) options.repair = repair;
    }
    ConfiguredMethod method;
    method.name = "nsga2";
    method.key = {{"population", options.population},
                  {"crossover", options.crossover},
                  {"mutation", options.mutation},
                  {"focus", options.focus},
                  {"limits", limits}};
    method.make = [options](const MethodContext& context) -> std::unique_ptr<Method> {
      return std::make_unique<Nsga2>(context, options);
    };
    return method;
  };
  return kind;
}

}  // namespace bittern
