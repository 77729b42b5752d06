#pragma once

#include <vector>

#include "agent/torch.h"
#include "host/network/graph.h"

namespace bittern {

/// Tensors of one node; those that it does not have are undefined. A convolution's weight is out x
/// in/groups x kernel_h x kernel_w, a linear layer's out x in; all others have one value per output
/// channel.
struct NodeWeights {
  torch::Tensor weight;
  torch::Tensor bias;
  torch::Tensor mean;      ///< batch norm: running mean
  torch::Tensor variance;  ///< batch norm: running variance
};

/// What a node gives for its inputs (images x channels x height x width, or images x channels where
/// a map has one pixel), as a function that autograd follows. `weights` may be null where the op
/// has none. Batch norm uses its running statistics.
torch::Tensor compute_node(const Node& node, const std::vector<torch::Tensor>& inputs,
                           const NodeWeights* weights);

/// Values that have one entry for each channel, shaped to be added to `x`.
torch::Tensor per_channel(const torch::Tensor& values, const torch::Tensor& x);

}  // namespace bittern
