#include "host/network/node_tensors.h"

#include "host/network/ops.h"

namespace bittern {

std::vector<NodeTensor> tensors_of(const Graph& graph, const Node& node) {
  std::vector<NodeTensor> found;
  for (const std::string& name : op_info(node.op).tensors) {
    if (node.op == Op::kBatchNorm || name == "bias") {
      if (node.op == Op::kBatchNorm || node.attributes.bias) {
        found.push_back({name, {node.shape.channels}});
      }
      continue;
    }
    const Layer layer = layer_of(node, graph.shape_of(node.inputs[0]));
    std::vector<std::int64_t> shape = {layer.out_channels, layer.in_channels / layer.groups};
    if (node.op == Op::kConv) shape.insert(shape.end(), {layer.kernel_h, layer.kernel_w});
    found.push_back({name, std::move(shape)});
  }
  return found;
}

}  // namespace bittern
