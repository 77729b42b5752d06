#pragma once

#include <vector>

#include "host/search/baselines/choice_space.h"
#include "host/search/baselines/record.h"

namespace bittern {

/// What is lost by each option of each slot: [slot][option], percent points of accuracy (or another
/// unit that is proportional to them).
using OptionLosses = std::vector<std::vector<double>>;

/// accuracy(choice) = base - sum over slots of what the option loses. Made from prior losses
/// (probes of single layers, gradients) and corrected by everything that was measured: a Gaussian
/// process whose covariance is a sum over slots (Duvenaud, Nickisch and Rasmussen, NeurIPS 2011),
/// so that what is learned of one width also moves the widths beside it. No accuracy is a sum of
/// losses everywhere: choices that lose much more than the best one count less.
class AdditiveModel {
 public:
  /// `base` is the accuracy that the prior's losses are taken from, percent. `space` must outlive
  /// the model. Throws Error when the prior is not of the space's form or not finite.
  AdditiveModel(const ChoiceSpace& space, OptionLosses prior, double base);

  /// Learns from what was measured; replaces what earlier calls learned. With `scaled` the prior is
  /// in a unit of its own and is first scaled to the losses that were measured. O(n^3), n being the
  /// number of measurements, of which the `kMost` best count.
  void fit(const std::vector<Measured>& measured, bool scaled);
  static constexpr std::size_t kMost = 300;

  const OptionLosses& losses() const { return losses_; }
  /// Accuracy that is expected, percent.
  double predict(const Choice& choice) const;

 private:
  double covariance(std::size_t slot, int a, int b) const;
  double covariance(const Choice& a, const Choice& b) const;
  void spread(double scale);

  const ChoiceSpace& space_;
  OptionLosses prior_;
  double prior_base_;
  OptionLosses losses_;
  double base_;
  /// How far an operand's loss may be from the prior, [slot][option]; in points.
  OptionLosses weight_spread_;
  OptionLosses activation_spread_;
  double offset_spread_ = 0.0;
};

/// Spearman's correlation of ranks between what a model expects of choices and what was measured
/// (equal values share their mean rank); 0 for fewer than three.
double rank_correlation(const AdditiveModel& model, const std::vector<Measured>& measured);

}  // namespace bittern
