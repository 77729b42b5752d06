#include "host/cores/stripes/stripes_law.h"

#include <algorithm>

#include "host/base/ceil_div.h"

namespace bittern {
namespace {}  // namespace

std::int64_t stripes_steps(const Layer& layer, int batch, const BitPair& bits,
                           const StripesArray& array, StripesDepthwise depthwise) {
  const std::int64_t windows =
      static_cast<std::int64_t>(batch) * layer.out_height() * layer.out_width();
  std::int64_t groups = layer.groups;
  std::int64_t channels = layer.in_channels / groups;
  std::int64_t outputs = layer.out_channels / groups;
  if (layer.kind == LayerKind::kDepthwise) {
    // A brick has as many groups as it has lanes; or one product has them all.
    const std::int64_t pack = depthwise == StripesDepthwise::kPacked
                                  ? std::min<std::int64_t>(array.lanes, groups)
                                  : groups;
    groups = ceil_div(groups, pack);
    outputs *= pack;
    channels = 1;
  }
  const std::int64_t steps = (array.serial != 1 ? bits.activation : 1) *
                             static_cast<std::int64_t>(array.serial != 0 ? bits.weight : 1);
  return groups * ceil_div(windows, array.columns) * ceil_div(outputs, array.filters) *
         layer.kernel_h * layer.kernel_w * ceil_div(channels, array.lanes) * steps;
}

}  // namespace bittern
