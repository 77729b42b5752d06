#pragma once

#include <vector>

namespace bittern {

/// Solves matrix * x = right for a symmetric positive definite matrix (n x n, row by row; its lower
/// half is read) by Cholesky's decomposition, which overwrites `matrix`. Pivots below `least` are
/// taken for that, so that a matrix that is only just not positive gives a number. O(n^3).
std::vector<double> solve_cholesky(std::vector<double>& matrix, std::vector<double> right,
                                   double least);

}  // namespace bittern
