#pragma once

#include <cstdint>
#include <vector>

#include "host/base/span.h"
#include "host/cores/bitfusion/bitfusion_schedule.h"
#include "host/network/layer.h"

namespace bittern {

/// Activations [batch][channel][height][width] as the LHS operand: stripe by stripe with halo and
/// padding, channel blocks innermost, in the lane layout of docs/bitfusion.md. The result is all
/// lanes, one behind the other. Bits above the precision are ignored.
std::vector<std::uint8_t> pack_activations(const BitFusionConfig& config, const FusionShape& shape,
                                           const FusionSchedule& schedule,
                                           const OperandLayout& layout, const Layer& layer,
                                           Span<const std::int16_t> activations);

/// Weights [out_channel][in_channel / groups][kernel_h][kernel_w] as the RHS operand,
/// block-diagonal within a bundle.
std::vector<std::uint8_t> pack_weights(const BitFusionConfig& config, const FusionShape& shape,
                                       const FusionSchedule& schedule, const OperandLayout& layout,
                                       const Layer& layer, Span<const std::int16_t> weights);

/// Output tiles, as written by the STORE instructions of a schedule, to outputs
/// [batch][out_channel][height][width]. Throws Error when `result` has the wrong size.
std::vector<std::int32_t> unpack_results(const BitFusionConfig& config, const FusionShape& shape,
                                         const FusionSchedule& schedule, const StreamMap& map,
                                         const Layer& layer, const ResultFormat& format,
                                         Bytes result);

}  // namespace bittern
