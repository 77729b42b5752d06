#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/analysis/statistics.h"
#include "host/network/network.h"

namespace bittern {

/// How well a sum over layers explains accuracies: what every method assumes that looks at layers
/// one at a time (a sensitivity for each layer, then a knapsack).
struct AdditiveFit {
  std::size_t policies = 0;  ///< different ones
  RankCorrelation ranks;     ///< of prediction and accuracy, on policies that the fit did not see
  std::string note;          ///< why there is no correlation; empty where there is one
};

/// accuracy(policy) = c + sum over layers and operands of f(layer, operand, bits), by least squares
/// with a ridge of 1e-6 of the diagonal's mean. Five folds: every policy is predicted by a fit to
/// the other four fifths, folds being dealt in the order of the policies, so that equal inputs give
/// equal numbers. Policies that come twice count once, with the mean of their accuracies (percent).
/// All have one length, else Error. Needs 20 different ones.
AdditiveFit additive_fit(const std::vector<Policy>& policies,
                         const std::vector<double>& accuracies);

}  // namespace bittern
