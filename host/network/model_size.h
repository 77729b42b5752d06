#pragma once

#include <cstddef>
#include <vector>

#include "host/network/network.h"

namespace bittern {

/// Sizes of models whose weights are indices into a codebook of each layer (Deep Compression, Han
/// et al. 2016, without its Huffman coding), counted as table 6 of HAQ does: weights take their
/// bits, a codebook 4 bytes for each of its 2^bits entries, and everything else that is trained
/// (biases, scale and shift of batch norms) 4 bytes a number. All in bytes.

/// Index of each weight and the codebook of one layer. `bits` is 1..16.
double codebook_layer_bytes(const Layer& layer, int bits);

/// What is not quantised, for each layer: its bias and the batch norms behind it (those that stand
/// before all layers count with the first one). Zeros for a network of shapes alone.
std::vector<double> uncoded_bytes(const Network& network);

/// All of it under a policy; activation bits do not matter. Throws Error when the policy has
/// another number of layers.
double codebook_model_bytes(const Network& network, const Policy& policy);

/// The model in 32-bit floating point.
double float_model_bytes(const Network& network);

}  // namespace bittern
