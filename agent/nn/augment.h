#pragma once

#include <string>

#include "agent/torch.h"
#include "host/base/random.h"

namespace bittern {

struct AugmentOptions;

/// 8-bit images (N x C x H x W), each moved and turned as drawn from `rng`, which gives the same
/// draws whatever the number of threads and wherever tensors are: three for each image.
torch::Tensor augmented(const torch::Tensor& images, const AugmentOptions& options, Rng& rng);

}  // namespace bittern
