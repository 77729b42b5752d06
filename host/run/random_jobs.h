#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/network/network.h"
#include "host/run/layer_run.h"

namespace bittern {

/// Random layers and precisions for validation: convolutions (stride, uneven padding, groups),
/// depthwise and fully connected layers of odd sizes, all bits of the core, both signs, several
/// batches; so small that each takes at most some 10^5 cycles by the closed form. The same seed
/// gives the same jobs, and job i does not depend on `count`.
std::vector<LayerJob> random_jobs(const Core& core, const Variant& variant, std::size_t count,
                                  std::uint64_t seed);

/// Every layer of a network at bit pairs that show what goes wrong: 8/8, 1/1, equal, mixed.
std::vector<LayerJob> network_jobs(const Core& core, const Variant& variant,
                                   const Network& network);

}  // namespace bittern
