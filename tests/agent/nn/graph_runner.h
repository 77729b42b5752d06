#pragma once

#include <string>
#include <vector>

#include "agent/nn/compute.h"
#include "agent/torch.h"
#include "host/network/graph.h"
#include "host/network/ops.h"
#include "host/network/weights.h"

namespace bittern {

inline torch::Tensor tensor_of(const Tensor& tensor) {
  return torch::tensor(tensor.values).view(tensor.shape);
}

/// What a graph gives for images of floats (images x channels x height x width), computed by the
/// executor: as Model does, for any graph and any images.
inline torch::Tensor run_graph(const Graph& graph, const NamedTensors& weights,
                               const torch::Tensor& images) {
  const torch::NoGradGuard no_gradient;
  std::vector<torch::Tensor> values;
  for (const Node& node : graph.nodes) {
    NodeWeights tensors;
    const auto read = [&](const char* name, torch::Tensor& to) {
      const auto found = weights.find(node.name + "." + name);
      if (found != weights.end()) to = tensor_of(found->second);
    };
    if (!op_info(node.op).tensors.empty()) {
      read("weight", tensors.weight);
      read("bias", tensors.bias);
      read("running_mean", tensors.mean);
      read("running_var", tensors.variance);
    }
    std::vector<torch::Tensor> inputs;
    for (const int source : node.inputs) {
      inputs.push_back(source == kImage ? images : values[static_cast<std::size_t>(source)]);
    }
    values.push_back(compute_node(node, inputs, &tensors));
  }
  return graph.output == kImage ? images : values[static_cast<std::size_t>(graph.output)];
}

}  // namespace bittern
