#include "agent/rl/ddpg/truncated_normal.h"

#include <algorithm>
#include <cmath>

namespace bittern {
namespace {

/// Beyond this many deviations the distribution function is 0 or 1 in double precision.
constexpr double kTail = 38.0;

double normal_cdf(double x) { return 0.5 * std::erfc(-x * M_SQRT1_2); }

}  // namespace

double truncated_normal(Rng& rng, double mean, double sigma, double low, double high) {
  const double u = rng.uniform();
  if (sigma <= 0.0) return std::clamp(mean, low, high);
  double left = std::clamp((low - mean) / sigma, -kTail, kTail);
  double right = std::clamp((high - mean) / sigma, -kTail, kTail);
  // The distribution function is exact in its lower tail and saturates in the upper one: an
  // interval that lies above the mean is mirrored.
  const bool mirrored = left > 0.0;
  if (mirrored) {
    const double swap = left;
    left = -right;
    right = -swap;
  }
  const double from = normal_cdf(left);
  const double target = from + u * (normal_cdf(right) - from);
  // Bisection: the function is monotone, and 60 halvings leave nothing of an interval of 76.
  for (int i = 0; i < 60 && left < right; ++i) {
    const double middle = 0.5 * (left + right);
    (normal_cdf(middle) < target ? left : right) = middle;
  }
  const double x = 0.5 * (left + right);
  return std::clamp(mean + sigma * (mirrored ? -x : x), low, high);
}

}  // namespace bittern
