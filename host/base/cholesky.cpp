#include "host/base/cholesky.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace bittern {

std::vector<double> solve_cholesky(std::vector<double>& matrix, std::vector<double> right,
                                   double least) {
  const std::size_t n = right.size();
  for (std::size_t j = 0; j < n; ++j) {
    double* row = &matrix[j * n];
    for (std::size_t k = 0; k <= j; ++k) {
      const double* other = &matrix[k * n];
      double sum = row[k];
      for (std::size_t i = 0; i < k; ++i) sum -= row[i] * other[i];
      row[k] = k == j ? std::sqrt(std::max(sum, least)) : sum / other[k];
    }
  }
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = 0; i < j; ++i) right[j] -= matrix[j * n + i] * right[i];
    right[j] /= matrix[j * n + j];
  }
  for (std::size_t j = n; j-- > 0;) {
    for (std::size_t i = j + 1; i < n; ++i) right[j] -= matrix[i * n + j] * right[i];
    right[j] /= matrix[j * n + j];
  }
  return right;
}

}  // namespace bittern
