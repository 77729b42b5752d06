#include "agent/rl/products.h"

#include <cstring>

namespace bittern {
namespace {

/// Four numbers that are computed with at once (an extension that GCC and Clang share).
typedef float Four __attribute__((vector_size(16)));

Four load(const float* from) {
  Four value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

void store(float* to, Four value) { std::memcpy(to, &value, sizeof(value)); }

/// A block of the product that stays in registers: kRows rows, 4 * kFours columns. Element (i, p)
/// of `a` is at i * row + p * step.
template <int kRows, int kFours>
void block(int depth, const float* a, std::ptrdiff_t row, std::ptrdiff_t step, const float* b,
           float* c, std::ptrdiff_t columns) {
  Four sum[kRows][kFours];
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kFours; ++j) sum[i][j] = load(c + i * columns + 4 * j);
  }
  for (int p = 0; p < depth; ++p, a += step, b += columns) {
    Four right[kFours];
    for (int j = 0; j < kFours; ++j) right[j] = load(b + 4 * j);
    for (int i = 0; i < kRows; ++i) {
      const float left = a[i * row];
      const Four spread = {left, left, left, left};
      for (int j = 0; j < kFours; ++j) sum[i][j] += spread * right[j];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kFours; ++j) store(c + i * columns + 4 * j, sum[i][j]);
  }
}

/// kRows elements of a column. Each is one long chain of additions; several chains at once keep the
/// processor busy.
template <int kRows>
void chains(int depth, const float* a, std::ptrdiff_t row, std::ptrdiff_t step, const float* b,
            float* c, std::ptrdiff_t columns) {
  float sum[kRows];
  for (int i = 0; i < kRows; ++i) sum[i] = c[i * columns];
  for (int p = 0; p < depth; ++p, a += step, b += columns) {
    for (int i = 0; i < kRows; ++i) sum[i] += a[i * row] * *b;
  }
  for (int i = 0; i < kRows; ++i) c[i * columns] = sum[i];
}

/// The columns that are no multiple of eight: the same sums in the same order.
void rest(int rows, int depth, int columns, const float* a, std::ptrdiff_t row, std::ptrdiff_t step,
          const float* b, float* c, int from) {
  for (int j = from; j < columns; ++j) {
    int i = 0;
    for (; i + 8 <= rows; i += 8) {
      chains<8>(depth, a + i * row, row, step, b + j,
                c + static_cast<std::ptrdiff_t>(i) * columns + j, columns);
    }
    for (; i < rows; ++i) {
      chains<1>(depth, a + i * row, row, step, b + j,
                c + static_cast<std::ptrdiff_t>(i) * columns + j, columns);
    }
  }
}

void multiply(int rows, int depth, int columns, const float* a, std::ptrdiff_t row,
              std::ptrdiff_t step, const float* b, float* c) {
  int j = 0;
  // Columns outside: their part of b stays in the cache for all rows.
  for (; j + 8 <= columns; j += 8) {
    int i = 0;
    for (; i + 4 <= rows; i += 4) {
      block<4, 2>(depth, a + i * row, row, step, b + j,
                  c + static_cast<std::ptrdiff_t>(i) * columns + j, columns);
    }
    if (i == rows) continue;
    if (j % 32 == 0 && rows < 4 && j + 32 <= columns) {
      // Few rows: wide blocks, so that enough sums are under way at once.
      for (; i < rows; ++i) {
        block<1, 8>(depth, a + i * row, row, step, b + j,
                    c + static_cast<std::ptrdiff_t>(i) * columns + j, columns);
      }
      j += 24;
      continue;
    }
    for (; i < rows; ++i) {
      block<1, 2>(depth, a + i * row, row, step, b + j,
                  c + static_cast<std::ptrdiff_t>(i) * columns + j, columns);
    }
  }
  if (j < columns) rest(rows, depth, columns, a, row, step, b, c, j);
}

}  // namespace

void add_product(int rows, int depth, int columns, const float* a, const float* b, float* c) {
  multiply(rows, depth, columns, a, depth, 1, b, c);
}

void add_product_transposed(int rows, int depth, int columns, const float* a, const float* b,
                            float* c) {
  multiply(rows, depth, columns, a, 1, rows, b, c);
}

void transpose(int rows, int columns, const float* in, float* out) {
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      out[static_cast<std::ptrdiff_t>(j) * rows + i] =
          in[static_cast<std::ptrdiff_t>(i) * columns + j];
    }
  }
}

}  // namespace bittern
