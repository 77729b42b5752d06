#pragma once

#include <cstdint>

#include "agent/data/layouts.h"
#include "host/base/random.h"

namespace bittern {

/// `count` images of handwriting-like digits, 1 x 28 x 28, drawn from strokes (lines and arcs, with
/// several ways of writing some digits) under random affine distortion, bending, stroke width,
/// contrast, stray strokes, gaps and noise. Labels go round 0..9. A pure function of `rng`'s state:
/// image i is the same whatever `count` is. Hard enough that bitwidths matter: a LeNet gets about
/// 99 % in float. Throws Error when `count` is not in 1..1 000 000.
Dataset synthetic_digits(int count, const Rng& rng);

/// Throws Error (exit status 2) when so many images cannot be drawn.
void check_synthetic_count(std::int64_t count);

/// The data set `synthetic`: 8000 training, 1000 validation and 2000 test images unless options say
/// otherwise. The test images come from a stream of their own, so that they do not change with the
/// size of the training set.
DataParts load_drawn(const DataRequest& request);
PartsOutline outline_drawn(const DataRequest& request);

}  // namespace bittern
