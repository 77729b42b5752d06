#pragma once

#include <string>

#include "agent/nn/tensor_data.h"
#include "host/network/io/safetensors.h"
#include "host/network/network.h"

namespace bittern {

/// A network without those batch norms that fold_batch_norm() can do without, and its weights.
struct FoldedNetwork {
  Network network;
  TensorFile weights;
};

/// Folds the batch norms of a network with the weights of a checkpoint; what has none stays as it
/// is. `where` starts the messages. Throws Error as Model::read_weights() does.
FoldedNetwork folded(const Network& network, const TensorFile& checkpoint,
                     const std::string& where);

/// The same with the weights of neighbouring layers evened out (equalise_layers()); computes the
/// same in floating point. On `images` it is seen how great the channels between layers become.
/// Throws Error (exit status 2) where no two layers stand one behind the other.
FoldedNetwork equalised(const FoldedNetwork& network, const TensorData& images);

}  // namespace bittern
