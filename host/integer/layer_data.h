#pragma once

#include <cstdint>
#include <vector>

#include "host/network/layer.h"

namespace bittern {

/// Integer tensors of one layer. Activations are [batch][channel][height][width], weights
/// [out_channel][in_channel / groups][kernel_h][kernel_w], both within the range of their
/// precision.
struct LayerData {
  std::vector<std::int16_t> activations;
  std::vector<std::int16_t> weights;
  /// 16 unsigned bits do not fit std::int16_t: negative values then stand for 65536 more.
  bool wide_unsigned_activations = false;
  bool wide_unsigned_weights = false;
};

/// Throws Error unless bits are 1 to `most_bits`, the batch is positive, and the layer not so huge
/// that its bytes and cycles could not be counted.
void check_precision(const Layer& layer, const Precision& precision, int batch, int most_bits);

/// Throws Error unless data has the size of the layer and every value is within its precision.
void check_data(const Layer& layer, const Precision& precision, int batch, const LayerData& data);

/// Random data in the full range of the precision, corner values included, from a seed.
LayerData random_layer_data(const Layer& layer, const Precision& precision, int batch,
                            std::uint64_t seed);

}  // namespace bittern
