#include "agent/rl/products.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "host/base/random.h"

namespace bittern {
namespace {

std::vector<float> random_numbers(Rng& rng, int count) {
  std::vector<float> result;
  for (int i = 0; i < count; ++i) result.push_back(static_cast<float>(rng.normal()));
  return result;
}

/// Sizes around those at which the blocks of the product change.
TEST(Products, AreThoseOfTheDefinitionForEveryShape) {
  Rng rng(3);
  for (const int rows : {1, 2, 3, 4, 5, 8, 11, 13}) {
    for (const int depth : {1, 3, 17}) {
      for (const int columns : {1, 5, 7, 8, 12, 31, 32, 33, 40, 64, 71, 140}) {
        const std::vector<float> a = random_numbers(rng, rows * depth);
        const std::vector<float> b = random_numbers(rng, depth * columns);
        const std::vector<float> start = random_numbers(rng, rows * columns);
        std::vector<float> turned(a.size());
        transpose(rows, depth, a.data(), turned.data());
        std::vector<float> c = start;
        std::vector<float> d = start;
        add_product(rows, depth, columns, a.data(), b.data(), c.data());
        add_product_transposed(rows, depth, columns, turned.data(), b.data(), d.data());
        for (int i = 0; i < rows; ++i) {
          for (int j = 0; j < columns; ++j) {
            double sum = start[i * columns + j];
            for (int p = 0; p < depth; ++p) {
              sum += static_cast<double>(a[i * depth + p]) * b[p * columns + j];
            }
            ASSERT_NEAR(c[i * columns + j], sum, 1e-4) << rows << " " << depth << " " << columns;
          }
        }
        EXPECT_EQ(c, d) << "the order of the sums differs";
        std::vector<float> portable = start;
        add_product_portable(rows, depth, columns, a.data(), b.data(), portable.data());
        EXPECT_EQ(c, portable) << rows << " " << depth << " " << columns;
      }
    }
  }
}

/// What an action costs must not depend on how many others are computed beside it.
TEST(Products, DoNotDependOnTheNumberOfRows) {
  Rng rng(4);
  const int depth = 29;
  const int columns = 45;
  const std::vector<float> a = random_numbers(rng, 9 * depth);
  const std::vector<float> b = random_numbers(rng, depth * columns);
  std::vector<float> all(9 * columns, 0.0f);
  add_product(9, depth, columns, a.data(), b.data(), all.data());
  for (int i = 0; i < 9; ++i) {
    std::vector<float> one(columns, 0.0f);
    add_product(1, depth, columns, a.data() + i * depth, b.data(), one.data());
    EXPECT_EQ(one, std::vector<float>(all.begin() + i * columns, all.begin() + (i + 1) * columns));
  }
}

TEST(Products, TransposeTurnsEveryShape) {
  Rng rng(5);
  for (const int rows : {1, 3, 16, 40}) {
    for (const int columns : {1, 15, 16, 17, 50}) {
      const std::vector<float> in = random_numbers(rng, rows * columns);
      std::vector<float> out(in.size());
      transpose(rows, columns, in.data(), out.data());
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < columns; ++j) ASSERT_EQ(out[j * rows + i], in[i * columns + j]);
      }
    }
  }
}

TEST(Products, KeepWherePositiveKeepsThoseAlone) {
  std::vector<float> values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const float nan = std::nanf("");
  const std::vector<float> from = {1, 0, -1, 2, -0.0f, nan, 1e-30f, -1e-30f, 3, -4};
  keep_where_positive(values.size(), from.data(), values.data());
  EXPECT_EQ(values, std::vector<float>({1, 0, 0, 4, 0, 0, 7, 0, 9, 0}));
}

}  // namespace
}  // namespace bittern
