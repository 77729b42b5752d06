#pragma once

#include <cstddef>
#include <vector>

namespace bittern {

/// A multiple-choice knapsack: of every class one option, so that the sum of the scores is least
/// and no resource's sum of costs exceeds its limit.
struct KnapsackProblem {
  std::vector<std::vector<double>> scores;              ///< [class][option]; finite, any sign
  std::vector<std::vector<std::vector<double>>> costs;  ///< [resource][class][option]; >= 0
  std::vector<double> limits;                           ///< [resource]
};

struct KnapsackSolution {
  std::vector<int> options;  ///< [class]
  double score = 0.0;
};

struct KnapsackResult {
  /// The best solutions, least score first; fewer than asked for when there are no more.
  std::vector<KnapsackSolution> solutions;
  /// No solution that is missing from the list has a score below this (up to rounding): with
  /// `exact` the last score of the list, infinite where the list has all solutions.
  double bound = 0.0;
  bool exact = true;  ///< these are the best, without any doubt
};

struct KnapsackOptions {
  int solutions = 1;  ///< k of the k best
  /// Partial solutions kept for every class. Where more of them could still lead to one of the k
  /// best, the most promising stay, the result is not called exact, and `bound` has the most
  /// promising of those that went.
  std::size_t most_states = 20'000;
};

/// The k best solutions, by dynamic programming over classes without any rounding of costs: partial
/// solutions that k others beat in all costs and in score are dropped, and so are those whose bound
/// is not below the k-th best solution known. The bound of a partial solution is what the linear
/// relaxation of the remaining classes adds, for every resource on its own and for a weighted sum
/// of them (Sinha and Zoltners, Operations Research 27, 1979; states and bounds together: Dyer,
/// Riha and Walker, J. Comput. Appl. Math. 58, 1995). A first pass with few states finds the
/// solutions that the second prunes by.
///
/// Throws Error when the lists do not fit each other, when a class has no option, when a number is
/// not finite or a cost is negative, or when fewer than one solution is asked for. No solution at
/// all is a result with an empty list.
KnapsackResult solve_knapsack(const KnapsackProblem& problem, const KnapsackOptions& options = {});

}  // namespace bittern
