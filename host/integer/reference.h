#pragma once

#include <cstdint>
#include <vector>

#include "host/integer/layer_data.h"
#include "host/network/layer.h"

namespace bittern {

/// Integer reference of a layer: outputs int32 (wrapping) [batch][out_channel][height][width],
/// before any requantisation.
std::vector<std::int32_t> reference_outputs(const Layer& layer, int batch, const LayerData& data);

}  // namespace bittern
