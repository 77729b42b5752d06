#pragma once

#include <cstddef>

namespace bittern {

/// Arithmetic of small networks over plain arrays: one thread, a fixed order of every sum, so that
/// equal calls give equal numbers. Matrices are row-major without gaps. For the sizes of a bitwidth
/// agent (a hundred columns, a few to a few hundred rows) a call into a tensor library costs more
/// than its arithmetic.

/// c (rows x columns) += a (rows x depth) * b (depth x columns).
void add_product(int rows, int depth, int columns, const float* a, const float* b, float* c);

/// The same, to the bit, without what only newer processors have (AVX2).
void add_product_portable(int rows, int depth, int columns, const float* a, const float* b,
                          float* c);

/// c (rows x columns) += transposed a (depth x rows) * b (depth x columns).
void add_product_transposed(int rows, int depth, int columns, const float* a, const float* b,
                            float* c);

/// out (columns x rows) = transposed in (rows x columns).
void transpose(int rows, int columns, const float* in, float* out);

/// Sets those values to 0 whose place in `from` holds nothing above 0.
void keep_where_positive(std::size_t size, const float* from, float* values);

}  // namespace bittern
