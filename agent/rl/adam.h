#pragma once

#include <cstddef>

namespace bittern {

/// Settings of Adam (Kingma and Ba 2015, algorithm 1).
struct AdamOptions {
  double rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

/// One step over `size` numbers in one pass: LibTorch's operators go over the memory eight times.
/// `mean` and `square` are the moments, `steps` how many steps there were with this one, from 1.
/// The four arrays must not overlap.
void adam_step(const AdamOptions& options, long long steps, std::size_t size, const float* gradient,
               float* mean, float* square, float* values);

/// target = (1 - share) * target + share * source, for `size` numbers.
void move_towards(float share, std::size_t size, const float* source, float* target);

}  // namespace bittern
