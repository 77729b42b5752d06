#include "host/base/cholesky.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>

#include "host/base/random.h"

namespace bittern {
namespace {

TEST(SolveCholesky, GivesWhatTheMatrixMapsToTheRightSide) {
  Rng rng(3);
  for (const std::size_t n : {1u, 2u, 5u, 20u}) {
    std::vector<double> factor(n * n);
    for (double& value : factor) value = rng.normal();
    std::vector<double> matrix(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t k = 0; k < n; ++k) {
          matrix[i * n + j] += factor[i * n + k] * factor[j * n + k];
        }
      }
      matrix[i * n + i] += 0.1;
    }
    std::vector<double> wanted(n);
    for (double& value : wanted) value = rng.normal();
    std::vector<double> right(n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) right[i] += matrix[i * n + j] * wanted[j];
    }
    const std::vector<double> found = solve_cholesky(matrix, right, 1e-300);
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(found[i], wanted[i], 1e-7) << n;
  }
}

TEST(SolveCholesky, OfASingularMatrixGivesNumbers) {
  std::vector<double> matrix = {1, 1, 1, 1};
  for (const double value : solve_cholesky(matrix, {1, 2}, 1e-12)) {
    EXPECT_TRUE(std::isfinite(value));
  }
}

}  // namespace
}  // namespace bittern
