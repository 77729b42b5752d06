#include "agent/rl/products.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "host/base/vector_clones.h"

namespace bittern {
namespace {

// Numbers that are computed with at once (an extension that GCC and Clang share). How many makes no
// difference to a sum: each belongs to another element of the product.
typedef float Four __attribute__((vector_size(16)));
typedef float Eight __attribute__((vector_size(32)));

/// What has `Eight` in it is compiled within the function for processors that compute with eight.
#define BITTERN_WITHIN static inline __attribute__((always_inline))

template <typename Vector>
constexpr int kWidth = sizeof(Vector) / sizeof(float);

/// A block of the product that stays in registers: kRows rows, kVectors vectors of columns. Element
/// (i, p) of `a` is at i * row + p * step.
template <typename Vector, int kRows, int kVectors>
BITTERN_WITHIN void block(int depth, const float* a, std::ptrdiff_t row, std::ptrdiff_t step,
                          const float* b, float* c, std::ptrdiff_t columns) {
  constexpr int kAtOnce = kWidth<Vector>;
  Vector sum[kRows][kVectors];
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kVectors; ++j) {
      Vector value;
      std::memcpy(&value, c + i * columns + kAtOnce * j, sizeof(value));
      sum[i][j] = value;
    }
  }
  for (int p = 0; p < depth; ++p, a += step, b += columns) {
    Vector right[kVectors];
    for (int j = 0; j < kVectors; ++j) {
      Vector value;
      std::memcpy(&value, b + kAtOnce * j, sizeof(value));
      right[j] = value;
    }
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kVectors; ++j) sum[i][j] += a[i * row] * right[j];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kVectors; ++j) {
      const Vector value = sum[i][j];
      std::memcpy(c + i * columns + kAtOnce * j, &value, sizeof(value));
    }
  }
}

/// All rows of kVectors vectors of columns.
template <typename Vector, int kRows, int kVectors>
BITTERN_WITHIN void panel(int rows, int depth, const float* a, std::ptrdiff_t row,
                          std::ptrdiff_t step, const float* b, float* c, std::ptrdiff_t columns) {
  int i = 0;
  for (; i + kRows <= rows; i += kRows) {
    block<Vector, kRows, kVectors>(depth, a + i * row, row, step, b, c + i * columns, columns);
  }
  for (; kRows > 1 && i < rows; ++i) {
    block<Vector, 1, kVectors>(depth, a + i * row, row, step, b, c + i * columns, columns);
  }
}

/// The last columns, which fill no vector, and zeros beside them.
template <typename Vector>
BITTERN_WITHIN void rest(int rows, int depth, int columns, const float* a, std::ptrdiff_t row,
                         std::ptrdiff_t step, const float* b, float* c, int from) {
  constexpr int kAtOnce = kWidth<Vector>;
  const int count = columns - from;
  std::vector<float> right(static_cast<std::size_t>(depth) * kAtOnce);
  std::vector<float> out(static_cast<std::size_t>(rows) * kAtOnce);
  const auto copy = [count](int lines, const float* source, int source_line, float* target,
                            int target_line) {
    for (int i = 0; i < lines; ++i, source += source_line, target += target_line) {
      for (int j = 0; j < count; ++j) target[j] = source[j];
    }
  };
  copy(depth, b + from, columns, right.data(), kAtOnce);
  copy(rows, c + from, columns, out.data(), kAtOnce);
  panel<Vector, 8, 1>(rows, depth, a, row, step, right.data(), out.data(), kAtOnce);
  copy(rows, out.data(), kAtOnce, c + from, columns);
}

template <typename Vector>
BITTERN_WITHIN void multiply(int rows, int depth, int columns, const float* a, std::ptrdiff_t row,
                             std::ptrdiff_t step, const float* b, float* c) {
  constexpr int kAtOnce = kWidth<Vector>;
  // Eight sums under way at once hide what an addition takes. Columns outside: their part of b
  // stays in the cache for all rows.
  int j = 0;
  for (; rows < 4 && j + 8 * kAtOnce <= columns; j += 8 * kAtOnce) {
    panel<Vector, 1, 8>(rows, depth, a, row, step, b + j, c + j, columns);
  }
  for (; j + 2 * kAtOnce <= columns; j += 2 * kAtOnce) {
    panel<Vector, 4, 2>(rows, depth, a, row, step, b + j, c + j, columns);
  }
  for (; j + kAtOnce <= columns; j += kAtOnce) {
    panel<Vector, 8, 1>(rows, depth, a, row, step, b + j, c + j, columns);
  }
  if (j < columns) rest<Vector>(rows, depth, columns, a, row, step, b, c, j);
}

#undef BITTERN_WITHIN

void multiply_portable(int rows, int depth, int columns, const float* a, std::ptrdiff_t row,
                       std::ptrdiff_t step, const float* b, float* c) {
  multiply<Four>(rows, depth, columns, a, row, step, b, c);
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"))) void multiply_avx2(int rows, int depth, int columns, const float* a,
                                                   std::ptrdiff_t row, std::ptrdiff_t step,
                                                   const float* b, float* c) {
  multiply<Eight>(rows, depth, columns, a, row, step, b, c);
}

void multiply_best(int rows, int depth, int columns, const float* a, std::ptrdiff_t row,
                   std::ptrdiff_t step, const float* b, float* c) {
  static const auto chosen = __builtin_cpu_supports("avx2") ? multiply_avx2 : multiply_portable;
  chosen(rows, depth, columns, a, row, step, b, c);
}
#else
constexpr auto multiply_best = multiply_portable;
#endif

}  // namespace

void add_product(int rows, int depth, int columns, const float* a, const float* b, float* c) {
  multiply_best(rows, depth, columns, a, depth, 1, b, c);
}

void add_product_portable(int rows, int depth, int columns, const float* a, const float* b,
                          float* c) {
  multiply_portable(rows, depth, columns, a, depth, 1, b, c);
}

void add_product_transposed(int rows, int depth, int columns, const float* a, const float* b,
                            float* c) {
  multiply_best(rows, depth, columns, a, 1, rows, b, c);
}

void transpose(int rows, int columns, const float* in, float* out) {
  // A cache line of columns at a time.
  constexpr int kTile = 16;
  for (int first = 0; first < columns; first += kTile) {
    const int end = std::min(columns, first + kTile);
    for (int i = 0; i < rows; ++i) {
      const float* line = in + static_cast<std::ptrdiff_t>(i) * columns;
      for (int j = first; j < end; ++j) out[static_cast<std::ptrdiff_t>(j) * rows + i] = line[j];
    }
  }
}

BITTERN_VECTOR_CLONES void keep_where_positive(std::size_t size, const float* __restrict from,
                                               float* __restrict values) {
  for (std::size_t i = 0; i < size; ++i) {
    const float value = values[i];
    values[i] = from[i] > 0.0F ? value : 0.0F;
  }
}

}  // namespace bittern
