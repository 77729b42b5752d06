#pragma once

#include <cstdint>
#include <vector>

#include "host/base/span.h"
#include "host/cores/matrix/matrix_schedule.h"
#include "host/integer/result_format.h"
#include "host/network/layer.h"

namespace bittern {

/// Activations [batch][channel][height][width] as the LHS operand: im2col and `bits` bit planes, or
/// packed integers of `bits` bits where the core serialises the operand, in one go, in the lane
/// layout of docs/rtl.md (docs/stripes.md). The result is all lanes, one behind the other
/// (config.lanes * layout.lane_bytes()). Bits above the precision are ignored.
std::vector<std::uint8_t> pack_activations(const MatrixConfig& config, const MatrixShape& shape,
                                           const OperandLayout& layout, int bits,
                                           const Layer& layer, int batch,
                                           Span<const std::int16_t> activations);

/// Weights [out_channel][in_channel / groups][kernel_h][kernel_w] as the RHS operand,
/// block-diagonal within a bundle.
std::vector<std::uint8_t> pack_weights(const MatrixConfig& config, const MatrixShape& shape,
                                       const OperandLayout& layout, int bits, const Layer& layer,
                                       Span<const std::int16_t> weights);

/// Result tiles, as written by the RESULT instructions of a schedule, to outputs
/// [batch][out_channel][height][width], extended to 32 bits. Throws Error when `result` has the
/// wrong size.
std::vector<std::int32_t> unpack_results(const MatrixConfig& config, const MatrixShape& shape,
                                         const MatrixSchedule& schedule, const BitPair& bits,
                                         const StreamMap& map, const Layer& layer, int batch,
                                         const ResultFormat& format, Bytes result);

}  // namespace bittern
