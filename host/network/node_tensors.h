#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/network/graph.h"

namespace bittern {

/// A tensor that a node has in checkpoints, where it is called <node>.<name>.
struct NodeTensor {
  std::string name;                 ///< "weight", "bias", "running_mean", "running_var"
  std::vector<std::int64_t> shape;  ///< the last extent innermost
};

/// The tensors of a node of `graph`, in the order of the table of ops; none where it has none. A
/// convolution's weight is out x in/groups x kernel_h x kernel_w, a linear layer's out x in, all
/// others have one value for each output channel.
std::vector<NodeTensor> tensors_of(const Graph& graph, const Node& node);

}  // namespace bittern
