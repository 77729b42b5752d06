#include "host/search/baselines/knapsack_search.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

namespace bittern {
namespace {

using nlohmann::json;

/// Best solutions that are asked for at first, and at most before the neighbours come.
constexpr int kFirst = 8;
constexpr int kMost = 64;
/// Probes that do not wait for each other; a kill costs at most so many.
constexpr int kProbesAtOnce = 8;
/// Partial solutions with several limits, where an exact answer takes many; see KnapsackOptions.
constexpr std::size_t kStatesOfSeveral = 3000;
/// Episodes between two rank correlations.
constexpr int kEvery = 10;

}  // namespace

std::vector<Axis> axes_of(const ChoiceSpace& space) {
  std::vector<Axis> axes;
  for (std::size_t slot = 0; slot < space.slots(); ++slot) {
    const std::vector<BitPair>& options = space.options(slot);
    const BitPair top = options.back();
    Axis both{slot, true, {}};
    Axis weights{slot, true, {}};
    Axis activations{slot, false, {}};
    for (int option = 0; option < space.count(slot); ++option) {
      const BitPair bits = options[static_cast<std::size_t>(option)];
      both.options.push_back(option);
      if (bits.activation == top.activation) weights.options.push_back(option);
      if (bits.weight == top.weight) activations.options.push_back(option);
    }
    if (weights.options.size() == 1 && activations.options.size() == 1) {
      axes.push_back(both);
      continue;
    }
    if (weights.options.size() > 1) axes.push_back(weights);
    if (activations.options.size() > 1) axes.push_back(activations);
  }
  return axes;
}

OptionLosses sum_of_axes(const ChoiceSpace& space, const std::vector<Axis>& axes,
                         const std::vector<std::vector<double>>& losses) {
  OptionLosses sum;
  for (std::size_t slot = 0; slot < space.slots(); ++slot) {
    sum.emplace_back(space.options(slot).size(), 0.0);
  }
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    const std::size_t slot = axes[axis].slot;
    const std::vector<BitPair>& options = space.options(slot);
    for (std::size_t option = 0; option < options.size(); ++option) {
      for (std::size_t i = 0; i < axes[axis].options.size(); ++i) {
        const BitPair at = options[static_cast<std::size_t>(axes[axis].options[i])];
        const bool same = axes[axis].weights ? at.weight == options[option].weight
                                             : at.activation == options[option].activation;
        if (same) sum[slot][option] += losses[axis][i];
      }
    }
  }
  return sum;
}

int KnapsackSearch::batch() const {
  const auto missing = std::count_if(probes_.begin(), probes_.end(),
                                     [this](const Choice& probe) { return !record_.has(probe); });
  return static_cast<int>(std::clamp<std::ptrdiff_t>(missing, 1, kProbesAtOnce));
}

std::vector<Proposal> KnapsackSearch::ask(int n) {
  expected_.reset();
  std::vector<Proposal> missing;
  for (const Choice& probe : probes_) {
    if (static_cast<int>(missing.size()) == n) break;
    if (!record_.has(probe)) missing.push_back(exactly(probe));
  }
  if (!missing.empty()) return missing;
  AdditiveModel model(space_, prior(), base());
  model.fit(record_.all(), !in_points());
  std::optional<Choice> next = solve(model);
  if (!next) next = neighbour(model);
  if (!next) return {};
  expected_ = model.predict(*next);
  return {exactly(*next)};
}

KnapsackProblem KnapsackSearch::least_loss(const AdditiveModel& model) const {
  KnapsackProblem problem;
  problem.scores = model.losses();
  for (std::size_t c = 0; c < space_.constraints(); ++c) {
    problem.limits.push_back(space_.room(c));
    problem.costs.emplace_back();
    for (std::size_t slot = 0; slot < space_.slots(); ++slot) {
      problem.costs[c].emplace_back();
      for (int option = 0; option < space_.count(slot); ++option) {
        problem.costs[c].back().push_back(space_.cost(c, slot, option));
      }
    }
  }
  return problem;
}

std::vector<std::vector<double>> KnapsackSearch::shares() const {
  std::vector<std::vector<double>> all;
  for (std::size_t slot = 0; slot < space_.slots(); ++slot) {
    all.emplace_back();
    for (int option = 0; option < space_.count(slot); ++option) {
      all.back().push_back(space_.share(slot, option));
    }
  }
  return all;
}

KnapsackProblem KnapsackSearch::least_cost(const AdditiveModel& model) const {
  KnapsackProblem problem;
  problem.scores = shares();
  problem.costs.emplace_back();
  Choice best;
  for (std::size_t slot = 0; slot < space_.slots(); ++slot) {
    // Losses can be gains; a knapsack's costs cannot.
    std::vector<double> losses = model.losses()[slot];
    const auto least = std::min_element(losses.begin(), losses.end());
    best.push_back(static_cast<int>(least - losses.begin()));
    const double gain = *least;
    for (double& loss : losses) loss -= gain;
    problem.costs[0].push_back(std::move(losses));
  }
  problem.limits = {std::max(0.0, model.predict(best) - *context_.reward.accuracy_floor)};
  return problem;
}

std::optional<Choice> KnapsackSearch::solve(const AdditiveModel& model) const {
  return context_.reward.goal == Goal::kCost ? saving(model) : unknown_solution(least_loss(model));
}

std::optional<Choice> KnapsackSearch::saving(const AdditiveModel& model) const {
  const Measured* best = record_.best();
  const bool kept = best != nullptr && best->meets_floor;
  // What is dearer than a policy that keeps the accuracy is of no use.
  const double most = kept ? space_.share(best->choice) : std::numeric_limits<double>::infinity();
  std::size_t verified = 0;
  double failed = 0.0;
  for (const Measured& m : record_.all()) {
    if (std::find(probes_.begin(), probes_.end(), m.choice) != probes_.end()) continue;
    ++verified;
    const double share = space_.share(m.choice);
    if (!m.meets_floor && share < most) failed = std::max(failed, share);
  }
  if (!kept || verified % 2 == 0) {
    auto next = unknown_solution(least_cost(model));
    if (next && (!kept || space_.share(*next) < most)) return next;
  }
  if (!kept) return std::nullopt;
  // The model may be wrong, and accuracies are noisy: half-way to what failed, and then anything
  // that is cheaper, what is expected to lose least first.
  if (auto next = unknown_solution(least_loss_below(model, (most + failed) / 2.0))) return next;
  return unknown_solution(least_loss_below(model, most));
}

KnapsackProblem KnapsackSearch::least_loss_below(const AdditiveModel& model, double share) const {
  KnapsackProblem problem;
  problem.scores = model.losses();
  problem.costs = {shares()};
  problem.limits = {std::nextafter(share, 0.0)};
  return problem;
}

std::optional<Choice> KnapsackSearch::unknown_solution(const KnapsackProblem& problem) const {
  KnapsackOptions options;
  if (problem.limits.size() > 1) options.most_states = kStatesOfSeveral;
  for (options.solutions = kFirst; options.solutions <= kMost; options.solutions *= 2) {
    const KnapsackResult result = solve_knapsack(problem, options);
    for (const KnapsackSolution& solution : result.solutions) {
      if (!record_.has(solution.options) && space_.meets(solution.options)) {
        return solution.options;
      }
    }
    if (static_cast<int>(result.solutions.size()) < options.solutions) break;
  }
  return std::nullopt;
}

std::optional<Choice> KnapsackSearch::neighbour(const AdditiveModel& model) const {
  for (const std::size_t i : record_.ranked()) {
    std::optional<Choice> found;
    double most = 0.0;
    for (Choice& next : neighbours(space_, record_.all()[i].choice)) {
      if (record_.has(next)) continue;
      const double expected = model.predict(next);
      if (found && expected <= most) continue;
      most = expected;
      found = std::move(next);
    }
    if (found) return found;
  }
  return std::nullopt;
}

int KnapsackSearch::learn_from(const Experience& other, const std::vector<Outcome>& outcomes) {
  Baseline::learn_from(other, outcomes);
  return static_cast<int>(std::count_if(
      probes_.begin(), probes_.end(), [this](const Choice& probe) { return record_.has(probe); }));
}

std::vector<json> KnapsackSearch::tell(const std::vector<Outcome>& outcomes) {
  std::vector<json> notes = Baseline::tell(outcomes);
  for (std::size_t i = 0; i < notes.size(); ++i) {
    notes[i]["stage"] = expected_ ? "verify" : "probe";
    if (!expected_) continue;
    notes[i]["expected"] = *expected_;
    if (outcomes[i].episode % kEvery != 0) continue;
    std::vector<Measured> within;
    for (const Measured& m : record_.all()) {
      if (m.meets_limits) within.push_back(m);
    }
    notes[i]["rank_correlation"] = rank_correlation(AdditiveModel(space_, prior(), base()), within);
  }
  return notes;
}

}  // namespace bittern
