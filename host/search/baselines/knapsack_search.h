#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/search/baselines/additive_model.h"
#include "host/search/baselines/knapsack.h"
#include "host/search/baselines/record.h"

namespace bittern {

/// An operand of a slot (or both, where they have one width): its widths one by one.
struct Axis {
  std::size_t slot = 0;
  bool weights = true;  ///< of activations otherwise; of both in mode w=a
  /// Options with the operand's widths ascending and the other operand at its most bits.
  std::vector<int> options;
};

/// All operands that have more than one width, slot by slot, weights first.
std::vector<Axis> axes_of(const ChoiceSpace& space);

/// Losses of all options as sums of the losses of their operands' widths: `losses` is [axis][width]
/// in the order of `axes`.
OptionLosses sum_of_axes(const ChoiceSpace& space, const std::vector<Axis>& axes,
                         const std::vector<std::vector<double>>& losses);

/// Search by a knapsack over losses of single layers: measures probes first (those that a method
/// wants), then always the best solution of the knapsack that was not measured yet, the losses
/// corrected by all that was measured (verify and tighten). Where the best solutions are all
/// measured, the neighbours of the best policy come, those first of which most is expected. With
/// Goal::kCost the knapsack is turned round: the least cost of which an accuracy above the floor is
/// expected; in turn with that, because the model may be wrong, the least loss half-way in cost
/// between the best policy and what failed.
///
/// Adds to an episode's line: stage ("probe" or "verify"), expected (accuracy in percent; verify
/// only), and with every tenth "verify" rank_correlation: Spearman's of the losses before any
/// correction with all that was measured within the limits.
class KnapsackSearch : public Baseline {
 public:
  explicit KnapsackSearch(const MethodContext& context) : Baseline(context) {}

  /// Probes come several at once, everything else one by one.
  int batch() const override;
  std::vector<Proposal> ask(int n) override;
  std::vector<nlohmann::json> tell(const std::vector<Outcome>& outcomes) override;
  /// Leaves out the probes that the other search has made.
  int learn_from(const Experience& other, const std::vector<Outcome>& outcomes) override;

 protected:
  /// Losses before any correction, from what was measured so far.
  virtual OptionLosses prior() = 0;
  /// Accuracy that they are taken from, percent.
  virtual double base() const = 0;
  /// Whether they are in percent points; otherwise they are scaled to what was measured.
  virtual bool in_points() const = 0;

  std::vector<Choice> probes_;

 private:
  /// The least loss within the limits.
  KnapsackProblem least_loss(const AdditiveModel& model) const;
  /// Goal::kCost: the least cost at a loss that leaves the accuracy floor, by what is expected.
  KnapsackProblem least_cost(const AdditiveModel& model) const;
  /// Goal::kCost: what every option of every slot costs.
  std::vector<std::vector<double>> shares() const;
  /// The least loss at a cost below `share`.
  KnapsackProblem least_loss_below(const AdditiveModel& model, double share) const;
  std::optional<Choice> solve(const AdditiveModel& model) const;
  /// The same with Goal::kCost.
  std::optional<Choice> saving(const AdditiveModel& model) const;
  /// The best solution that was not measured yet.
  std::optional<Choice> unknown_solution(const KnapsackProblem& problem) const;
  std::optional<Choice> neighbour(const AdditiveModel& model) const;

  std::optional<double> expected_;  ///< of the choice that was asked for; empty for probes
};

}  // namespace bittern
