#pragma once

#include "host/base/random.h"

namespace bittern {

/// A draw from the normal distribution with this mean and deviation, truncated to [low, high]
/// (HAQ's exploration noise, with [0, 1]). By inversion of the distribution function: one uniform
/// draw, always. A deviation of 0 gives the mean, clamped. Requires low < high and sigma >= 0.
double truncated_normal(Rng& rng, double mean, double sigma, double low, double high);

}  // namespace bittern
