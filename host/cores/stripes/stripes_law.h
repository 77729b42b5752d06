#pragma once

#include <cstdint>

#include "host/network/layer.h"

namespace bittern {

/// The array of a Stripes core.
struct StripesArray {
  int columns = 16;   ///< windows
  int filters = 128;  ///< rows * tiles
  int lanes = 16;     ///< channels
  int serial = 1;     ///< 0 activations, 1 weights, 2 both
};

/// How a depthwise layer is counted.
enum class StripesDepthwise {
  kPacked,      ///< as the core runs it: a brick of channels, filters with one weight in each
  kOwnChannel,  ///< as behind ReLeQ's MobileNet figures: every filter has a channel of its own
};

/// Steps that the array takes for a layer without staggered columns, exactly (docs/stripes.md):
/// ceil(windows / columns) * ceil(filters of a group / filters) * kernel * ceil(channels of a group
/// / lanes) * steps a brick, for all groups.
std::int64_t stripes_steps(const Layer& layer, int batch, const BitPair& bits,
                           const StripesArray& array,
                           StripesDepthwise depthwise = StripesDepthwise::kPacked);

}  // namespace bittern
