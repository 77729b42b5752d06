#include "agent/nn/folding.h"

#include <algorithm>
#include <vector>

#include "agent/nn/model.h"
#include "agent/nn/training.h"
#include "agent/torch.h"
#include "host/base/error.h"
#include "host/network/passes/equalise.h"
#include "host/network/passes/fold_batch_norm.h"

namespace bittern {

namespace {

/// Without codes of weights, which a file may hold besides.
NamedTensors floats_of(const TensorFile& file) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : file.tensors) {
    if (tensor.type == TensorType::kI8 || tensor.type == TensorType::kU8) continue;
    tensors[name] = {tensor.shape, tensor.to_floats()};
  }
  return tensors;
}

void store(const NamedTensors& tensors, TensorFile& file) {
  file.tensors.clear();
  for (const auto& [name, tensor] : tensors) {
    file.tensors[name] = StoredTensor::from_floats(tensor.shape, tensor.values);
  }
}

/// Of every layer, over the images.
ChannelMagnitudes input_magnitudes(const FoldedNetwork& network, const TensorData& images) {
  constexpr std::int64_t kPiece = 32;
  const torch::NoGradGuard no_gradient;
  const Model model(network.network);
  const Weights weights = model.read_weights(network.weights, "weights of " + network.network.name);
  std::vector<torch::Tensor> most(network.network.layers.size());
  const Hooks see([&most](std::size_t layer, const torch::Tensor& x) {
    const torch::Tensor map = x.dim() == 2 ? x.unsqueeze(2) : x.flatten(2);
    const torch::Tensor here = map.abs().amax({0, 2});
    most[layer] = most[layer].defined() ? at::maximum(most[layer], here) : here;
    return x;
  });
  for (std::int64_t first = 0; first < images.size(); first += kPiece) {
    const TensorData piece = images.slice(first, std::min(kPiece, images.size() - first));
    model.forward(piece.images.cpu(), weights, see);
  }
  ChannelMagnitudes magnitudes;
  for (std::size_t i = 0; i < most.size() && images.size() > 0; ++i) {
    const torch::Tensor values = most[i].contiguous();
    const auto* const begin = values.data_ptr<float>();
    magnitudes[network.network.layers[i].name].assign(begin, begin + values.numel());
  }
  return magnitudes;
}

}  // namespace

FoldedNetwork folded(const Network& network, const TensorFile& checkpoint,
                     const std::string& where) {
  FoldedNetwork result{network, checkpoint};
  const std::vector<Node>& nodes = network.graph.nodes;
  if (std::none_of(nodes.begin(), nodes.end(),
                   [](const Node& node) { return node.op == Op::kBatchNorm; })) {
    return result;
  }
  check_checkpoint(network, checkpoint, where);
  NamedTensors weights = floats_of(checkpoint);
  result.network.graph = fold_batch_norm(network.graph, weights);
  store(weights, result.weights);
  return result;
}

FoldedNetwork equalised(const FoldedNetwork& network, const TensorData& images) {
  FoldedNetwork result = network;
  NamedTensors weights = floats_of(network.weights);
  if (equalise_layers(result.network.graph, weights, input_magnitudes(network, images)) == 0) {
    fail_usage(
        "network {}: there are no two layers to equalise: one must take what another gives, alone "
        "and channel by channel",
        network.network.name);
  }
  store(weights, result.weights);
  return result;
}

}  // namespace bittern
