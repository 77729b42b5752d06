#include "agent/evaluator/norm_tuning.h"

#include <algorithm>
#include <string>
#include <utility>

#include "agent/torch.h"
#include "host/base/error.h"

namespace bittern {
namespace {

/// The least length of a channel's weights, and the least factor that it may end with: one that
/// says the same of all images may have neither.
constexpr double kLeastLength = 1e-6;
constexpr float kLeastGain = 1e-6f;

/// A graph with batch norms behind some of its layers; fills the two vectors as NormTuning has
/// them.
Graph with_norms(const Graph& folded, const std::vector<bool>& normed,
                 std::vector<int>& folded_node, std::vector<int>& norm_node) {
  Graph out;
  out.input = folded.input;
  out.signed_input = folded.signed_input;
  norm_node.assign(normed.size(), -1);
  const std::vector<int> layer_of = layer_nodes(folded);
  std::vector<int> place(folded.nodes.size());  // of each folded node's value
  std::size_t layer = 0;
  for (std::size_t i = 0; i < folded.nodes.size(); ++i) {
    Node node = folded.nodes[i];
    for (int& source : node.inputs) {
      if (source != kImage) source = place[static_cast<std::size_t>(source)];
    }
    const bool is_layer = layer < layer_of.size() && layer_of[layer] == static_cast<int>(i);
    const bool norm = is_layer && normed[layer];
    const bool relu = node.attributes.relu;
    if (norm) {
      node.attributes.relu = false;
      node.attributes.bias = false;
    }
    place[i] = add_node(out, node);
    folded_node.push_back(norm ? -1 : static_cast<int>(i));
    if (norm) {
      Node after;
      after.op = Op::kBatchNorm;
      after.name = node.name + " norm";
      after.inputs = {place[i]};
      after.attributes.relu = relu;
      after.where = node.where;
      place[i] = add_node(out, after);
      norm_node[layer] = place[i];
      folded_node.push_back(static_cast<int>(i));
    }
    layer += is_layer ? 1 : 0;
  }
  out.output = place[static_cast<std::size_t>(folded.output)];
  out.first_class = folded.first_class;
  return out;
}

Network network_with(const Network& folded, Graph graph) {
  Network network;
  network.name = folded.name;
  network.layers = folded.layers;
  network.graph = std::move(graph);
  return network;
}

torch::Tensor rows(const torch::Tensor& values, const torch::Tensor& weight) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(weight.dim()), 1);
  shape[0] = values.size(0);
  return values.view(shape);
}

void multiply(std::vector<float>& values, const torch::Tensor& factors) {
  const torch::Tensor numbers = factors.to(torch::kFloat32).cpu().contiguous();
  const float* factor = numbers.data_ptr<float>();
  for (float& value : values) value *= *factor++;
}

}  // namespace

std::vector<bool> layers_with_norm(const Graph& original, const Network& folded) {
  std::vector<bool> normed(folded.layers.size(), false);
  for (const Node& node : original.nodes) {
    if (node.op != Op::kBatchNorm || node.inputs[0] == kImage) continue;
    const bool kept = std::any_of(folded.graph.nodes.begin(), folded.graph.nodes.end(),
                                  [&node](const Node& other) { return other.name == node.name; });
    if (kept) continue;
    const std::string& name = original.nodes[static_cast<std::size_t>(node.inputs[0])].name;
    for (std::size_t layer = 0; layer < folded.layers.size(); ++layer) {
      if (folded.layers[layer].name == name) normed[layer] = true;
    }
  }
  return normed;
}

NormTuning::NormTuning(const Engine& folded, const std::vector<bool>& normed)
    : folded_(&folded.model()),
      normed_(normed),
      engine_(network_with(folded_->network(),
                           with_norms(folded_->graph(), normed, folded_node_, norm_node_)),
              folded.threads(),
              folded.device().is_cuda() ? TensorDevice::kCuda : TensorDevice::kCpu) {
  // A model may move ReLUs; those of a model's graph are where they belong already.
  const Graph& graph = engine_.model().graph();
  bool same = graph.nodes.size() == folded_node_.size();
  for (std::size_t i = 0; same && i < folded_node_.size(); ++i) {
    if (folded_node_[i] < 0) continue;
    same = engine_.model().stores(i) == folded_->stores(static_cast<std::size_t>(folded_node_[i]));
  }
  if (!same) fail("network {}: its batch norms cannot be put back", folded_->network().name);
}

std::size_t NormTuning::norm_slot(std::size_t layer) const {
  return static_cast<std::size_t>(
      engine_.model().slot_of_node(static_cast<std::size_t>(norm_node_[layer])));
}

double NormTuning::epsilon(std::size_t layer) const {
  return engine_.model()
      .graph()
      .nodes[static_cast<std::size_t>(norm_node_[layer])]
      .attributes.epsilon;
}

Weights NormTuning::begin(const Weights& folded, const std::vector<ChannelStatistics>& outputs,
                          std::vector<std::vector<float>>& gains) const {
  const torch::NoGradGuard no_gradient;
  std::size_t slots = 0;
  for (std::size_t i = 0; i < folded_node_.size(); ++i) {
    slots = std::max(slots, static_cast<std::size_t>(engine_.model().slot_of_node(i) + 1));
  }
  Weights weights(slots);
  // Nodes that are no layers and have tensors (batch norms that nothing could be folded into).
  for (std::size_t i = 0; i < folded_node_.size(); ++i) {
    if (folded_node_[i] < 0 || engine_.model().slot_of_node(i) < 0) continue;
    const int from = folded_->slot_of_node(static_cast<std::size_t>(folded_node_[i]));
    // A batch norm that was put back stands for a layer; its tensors are made below.
    if (from < 0) continue;
    NodeWeights& to = weights[static_cast<std::size_t>(engine_.model().slot_of_node(i))];
    const NodeWeights& source = folded[static_cast<std::size_t>(from)];
    const auto copied = [](const torch::Tensor& tensor) {
      return tensor.defined() ? tensor.clone() : tensor;
    };
    to = {copied(source.weight), copied(source.bias), copied(source.mean), copied(source.variance)};
  }
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    if (!normed_[layer]) continue;
    const NodeWeights& source = folded[folded_->slot_of_layer(layer)];
    const torch::Tensor length = source.weight.flatten(1).norm(2, 1).clamp_min(kLeastLength);
    weights[engine_.model().slot_of_layer(layer)] = {
        source.weight / rows(length, source.weight), {}, {}, {}};
    const torch::Tensor mean = outputs[layer].mean.to(torch::kFloat32);
    const torch::Tensor variance = (outputs[layer].deviation.to(torch::kFloat32) / length).square();
    weights[norm_slot(layer)] = {length * (variance + epsilon(layer)).sqrt(), mean.clone(),
                                 (mean - source.bias) / length, variance};
    multiply(gains[layer], 1.0 / length);
  }
  return weights;
}

void NormTuning::end(const Weights& trained, Weights& folded,
                     std::vector<std::vector<float>>& gains) const {
  const torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < folded_node_.size(); ++i) {
    if (folded_node_[i] < 0 || engine_.model().slot_of_node(i) < 0) continue;
    const int to = folded_->slot_of_node(static_cast<std::size_t>(folded_node_[i]));
    const bool put_back =
        std::find(norm_node_.begin(), norm_node_.end(), static_cast<int>(i)) != norm_node_.end();
    if (to < 0 || put_back) continue;
    folded[static_cast<std::size_t>(to)] =
        trained[static_cast<std::size_t>(engine_.model().slot_of_node(i))];
  }
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    if (!normed_[layer]) continue;
    const NodeWeights& norm = trained[norm_slot(layer)];
    const torch::Tensor gain = norm.weight / (norm.variance + epsilon(layer)).sqrt();
    const torch::Tensor size = gain.abs().clamp_min(kLeastGain);
    const torch::Tensor signed_size = torch::where(gain < 0, -size, size);
    NodeWeights& to = folded[folded_->slot_of_layer(layer)];
    const torch::Tensor& weight = trained[engine_.model().slot_of_layer(layer)].weight;
    to.weight = weight * rows(signed_size, weight);
    to.bias = norm.bias - norm.mean * signed_size;
    multiply(gains[layer], size);
  }
}

std::vector<ChannelStatistics> NormTuning::outputs(const Weights& trained) const {
  std::vector<ChannelStatistics> found(layers());
  for (std::size_t layer = 0; layer < layers(); ++layer) {
    if (!normed_[layer]) continue;
    const NodeWeights& norm = trained[norm_slot(layer)];
    const torch::Tensor kept = (norm.variance / (norm.variance + epsilon(layer))).sqrt();
    found[layer] = {norm.bias.to(torch::kFloat64), (norm.weight.abs() * kept).to(torch::kFloat64)};
  }
  return found;
}

WeightView NormTuning::view(WeightView folded) const {
  return [this, folded = std::move(folded)](const Weights& trained) {
    const torch::NoGradGuard no_gradient;
    Weights as_folded(trained.size());
    for (std::size_t layer = 0; layer < layers(); ++layer) {
      as_folded[folded_->slot_of_layer(layer)] = trained[engine_.model().slot_of_layer(layer)];
    }
    const Weights seen = folded(as_folded);
    Weights view = trained;
    for (std::size_t layer = 0; layer < layers(); ++layer) {
      view[engine_.model().slot_of_layer(layer)] = seen[folded_->slot_of_layer(layer)];
    }
    return view;
  };
}

StoreHook NormTuning::stored(StoreHook folded) const {
  if (!folded) return {};
  return [this, folded = std::move(folded)](std::size_t node, const torch::Tensor& x) {
    // The sums in front of a batch norm are no map of the folded network.
    const int place = folded_node_[node];
    return place < 0 ? x : folded(static_cast<std::size_t>(place), x);
  };
}

}  // namespace bittern
