#pragma once

#include <string>
#include <vector>

#include "agent/data/dataset.h"

namespace bittern {

/// What makes results on this data doubtful, a sentence each: classes without images, one class
/// that outweighs all others, blank images, images that are there twice or in two parts. Throws
/// Error when nothing can be learnt from it: training images of one class only, or all the same.
std::vector<std::string> data_warnings(const DataSplits& splits);

/// Share of right answers, in percent, up to which a network cannot be told from one that does not
/// look at the images: that of the most frequent class (at least 100 / classes) and three standard
/// deviations of a binomial distribution above it.
double chance_limit(const Dataset& data);

/// Whether an accuracy (percent) on `data` is no better than guessing.
bool is_guessing(double accuracy, const Dataset& data);

/// Whether a network has diverged: it guesses, and its loss (mean cross entropy, nats) is no number
/// or clearly above that of equal probabilities for all classes, which one that has learnt too
/// little does not exceed.
bool has_diverged(double accuracy, double loss, const Dataset& data);

}  // namespace bittern
