#pragma once

#include <optional>
#include <vector>

namespace bittern {

/// Ranks from 1; equal values share the mean of theirs.
std::vector<double> ranks(const std::vector<double>& values);

/// Spearman's correlation of ranks, -1 to 1. Nothing where one list is constant or has fewer than
/// two values. Throws Error when the lists differ in length.
std::optional<double> spearman(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace bittern
