#pragma once

#include <cstddef>
#include <vector>

namespace bittern {

/// Objectives of individuals, [individual][objective]; less is better.
using Objectives = std::vector<std::vector<double>>;

/// Whether `a` is nowhere worse and somewhere better than `b`.
bool dominates(const std::vector<double>& a, const std::vector<double>& b);

/// Sorts into fronts (Deb, Pratap, Agarwal and Meyarivan, IEEE Trans. Evol. Comput. 6, 2002,
/// section III-A): the first holds all that nobody dominates, the next all that only the ones
/// before dominate, and so on. Indices ascend within a front. With `violations` (how far an
/// individual breaks limits, 0 where it breaks none; one number each, or empty) the one that breaks
/// less dominates, and objectives decide among those that break none (section VI-A). O(m n^2).
/// Throws Error when the objectives differ in number, or the violations do not fit.
std::vector<std::vector<std::size_t>> nondominated_fronts(
    const Objectives& objectives, const std::vector<double>& violations = {});

/// Crowding distance of each individual of a front, in the front's order (section III-B): the sum
/// over the objectives of the distance of its two neighbours, relative to the front's range;
/// infinite at the ends of each objective.
std::vector<double> crowding_distances(const Objectives& objectives,
                                       const std::vector<std::size_t>& front);

}  // namespace bittern
