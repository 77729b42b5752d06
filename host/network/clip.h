#pragma once

#include <cstddef>

#include "host/network/graph.h"

namespace bittern {

/// Upper bound of a clip in a channel: `high`, divided by the channel's `deviation` where there are
/// any. equalise_layers() divides channels, and with them the bound of a ReLU6.
inline double clip_high(const Attributes& clip, std::size_t channel) {
  return clip.deviation.empty() ? clip.high : clip.high / clip.deviation[channel];
}

}  // namespace bittern
