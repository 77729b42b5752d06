#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace bittern {

// Numbers over few repetitions, with what is known of them.

/// Mean of independent values, such as one a seed.
struct MeanInterval {
  std::size_t n = 0;
  double mean = 0.0;
  double deviation = 0.0;  ///< standard deviation of the values (n - 1); 0 for fewer than two
  // 95 % interval of the mean by Student's t with n - 1 degrees of freedom; only where known().
  double low = 0.0;
  double high = 0.0;

  /// Whether the interval is worth anything. A single value says nothing of how much others
  /// differ; nor do a few equal ones, since accuracies over few images come in steps.
  bool known() const { return n >= 2 && deviation > 1e-9; }
  /// Whether there are several values, and all are 0.
  bool all_zero() const { return n >= 2 && !known() && std::abs(mean) < 1e-9; }
  /// The interval lies above 0, or below it. False where it is not known.
  bool above_zero() const { return known() && low > 0.0; }
  bool below_zero() const { return known() && high < 0.0; }
};

MeanInterval mean_interval(const std::vector<double>& values);

/// Median; of an even number of values the mean of the middle two. Infinite values are values.
/// Throws Error for none.
double median(std::vector<double> values);

/// Spearman's correlation of ranks, -1 to 1, with its 95 % interval.
struct RankCorrelation {
  std::size_t n = 0;
  double rho = 0.0;
  /// By Fisher's z with the standard error sqrt((1 + rho^2 / 2) / (n - 3)) of Bonett and Wright
  /// (Psychometrika 65, 2000); -1 and 1 for fewer than four points.
  double low = -1.0;
  double high = 1.0;
};

/// Of two lists of one length (Error otherwise). 0 where one of them is constant or has fewer than
/// two values.
RankCorrelation rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace bittern
