#include "agent/nn/model.h"

#include <cmath>
#include <cstring>
#include <map>
#include <utility>

#include "agent/torch.h"
#include "host/base/error.h"
#include "host/network/node_tensors.h"
#include "host/network/ops.h"
#include "host/network/passes/fuse_relu.h"
#include "host/network/passes/relu_behind_pool.h"

namespace bittern {
namespace {

constexpr float kPixelScale = 1.0f / 255.0f;

/// The tensors of a node: their names in checkpoints, shapes and places.
struct Parameter {
  std::string name;
  std::vector<std::int64_t> shape;
  torch::Tensor NodeWeights::*tensor;
};

std::vector<Parameter> parameters_of(const Graph& graph, const Node& node) {
  static const std::map<std::string, torch::Tensor NodeWeights::*> kPlaces = {
      {"weight", &NodeWeights::weight},
      {"bias", &NodeWeights::bias},
      {"running_mean", &NodeWeights::mean},
      {"running_var", &NodeWeights::variance}};
  std::vector<Parameter> found;
  for (const NodeTensor& tensor : tensors_of(graph, node)) {
    found.push_back({tensor.name, tensor.shape, kPlaces.at(tensor.name)});
  }
  return found;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t extent : shape)
    text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text;
}

/// Pixels as floats in 0..1, channels innermost: convolutions and above all pooling run twice as
/// fast so. The strides are set by hand because LibTorch takes one-channel images for the other
/// layout.
torch::Tensor scaled_pixels(const torch::Tensor& images) {
  torch::Tensor pixels = images.to(torch::kFloat32).mul_(kPixelScale);
  if (pixels.size(1) > 1) return pixels.contiguous(torch::MemoryFormat::ChannelsLast);
  const std::int64_t height = pixels.size(2);
  const std::int64_t width = pixels.size(3);
  return pixels.contiguous().as_strided(pixels.sizes(), {height * width, 1, width, 1});
}

}  // namespace

Model::Model(const Network& network) : network_(network) {
  require_trainable(network_);
  graph_ = fuse_relu(relu_behind_pool(network_.graph));
  scheme_ = quantisation_scheme(graph_);
  stored_.resize(graph_.nodes.size(), false);
  for (const std::size_t node : scheme_.stored()) stored_[node] = true;
  last_use_.resize(graph_.nodes.size(), 0);
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    for (const int source : node.inputs) {
      if (source != kImage) last_use_[static_cast<std::size_t>(source)] = i;
    }
    const bool has_weights = !op_info(node.op).tensors.empty();
    const bool layer = node.op == Op::kConv || node.op == Op::kLinear;
    slots_.push_back(has_weights ? static_cast<int>(parameter_nodes_.size()) : -1);
    layers_.push_back(layer ? static_cast<int>(layer_slots_.size()) : -1);
    if (layer) layer_slots_.push_back(parameter_nodes_.size());
    if (has_weights) parameter_nodes_.push_back(static_cast<int>(i));
  }
  last_use_[static_cast<std::size_t>(graph_.output)] = graph_.nodes.size();
}

torch::Tensor Model::pixels(const torch::Tensor& images) { return scaled_pixels(images); }

void Model::compute(std::size_t first, std::size_t end, const Weights& weights, const Hooks& hooks,
                    Values& values) const {
  for (std::size_t i = first; i < end; ++i) {
    const Node& node = graph_.nodes[i];
    std::vector<torch::Tensor> inputs;
    for (const int source : node.inputs) inputs.push_back(values.of(source));
    if (hooks.input && layers_[i] >= 0) {
      inputs[0] = hooks.input(static_cast<std::size_t>(layers_[i]), inputs[0]);
    }
    const int slot = slots_[i];
    values.nodes[i] =
        compute_node(node, inputs, slot < 0 ? nullptr : &weights[static_cast<std::size_t>(slot)]);
    if (hooks.stored && stored_[i]) values.nodes[i] = hooks.stored(i, values.nodes[i]);
  }
}

Values Model::begin(const torch::Tensor& images) const {
  return {scaled_pixels(images), std::vector<torch::Tensor>(graph_.nodes.size())};
}

void Model::advance(std::size_t first, std::size_t end, const Weights& weights, const Hooks& hooks,
                    Values& values) const {
  for (std::size_t i = first; i < end; ++i) {
    compute(i, i + 1, weights, hooks, values);
    for (const int source : graph_.nodes[i].inputs) {
      if (source != kImage && last_use_[static_cast<std::size_t>(source)] == i) {
        values.nodes[static_cast<std::size_t>(source)] = torch::Tensor();
      }
    }
  }
}

torch::Tensor Model::forward(const torch::Tensor& images, const Weights& weights,
                             const Hooks& hooks) const {
  Values values = begin(images);
  advance(0, graph_.nodes.size(), weights, hooks, values);
  return logits(values);
}

torch::Tensor Model::logits(const Values& values) const {
  const torch::Tensor answers = values.of(graph_.output).flatten(1);
  return graph_.first_class == 0 ? answers : answers.narrow(1, graph_.first_class, classes());
}

Weights Model::random_weights(Rng rng, FirstWeights first) const {
  Weights weights;
  for (const int index : parameter_nodes_) {
    const Node& node = graph_.nodes[static_cast<std::size_t>(index)];
    NodeWeights tensors;
    if (node.op == Op::kBatchNorm) {
      const std::int64_t channels = node.shape.channels;
      tensors = {torch::ones({channels}), torch::zeros({channels}), torch::zeros({channels}),
                 torch::ones({channels})};
    } else {
      const auto inputs =
          static_cast<double>(layer_of(node, graph_.shape_of(node.inputs[0])).reduction());
      const bool he = first == FirstWeights::kHe;
      const double bound = std::sqrt((he ? 6.0 : 1.0) / inputs);
      for (const Parameter& parameter : parameters_of(graph_, node)) {
        if (he && parameter.tensor == &NodeWeights::bias) {
          tensors.*parameter.tensor = torch::zeros(parameter.shape);
          continue;
        }
        torch::Tensor tensor = torch::empty(parameter.shape);
        float* const values = tensor.data_ptr<float>();
        for (std::int64_t i = 0; i < tensor.numel(); ++i) {
          values[i] = static_cast<float>(bound * (2.0 * rng.uniform() - 1.0));
        }
        tensors.*parameter.tensor = tensor;
      }
    }
    weights.push_back(std::move(tensors));
  }
  return weights;
}

Weights Model::read_weights(const TensorFile& file, const std::string& where) const {
  const auto read = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    const StoredTensor& stored = file.at(name, where);
    if (stored.shape != shape) {
      fail("{}: tensor '{}' has shape {}, network {} needs {}", where, name,
           shape_text(stored.shape), network_.name, shape_text(shape));
    }
    torch::Tensor tensor = torch::empty(shape);
    const std::vector<float> values = stored.to_floats();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isfinite(values[i])) continue;
      fail("{}: tensor '{}': element {} is {}: the network had diverged, or the file is damaged",
           where, name, i, values[i]);
    }
    std::memcpy(tensor.data_ptr<float>(), values.data(), values.size() * sizeof(float));
    return tensor;
  };
  Weights weights;
  for (const int index : parameter_nodes_) {
    const Node& node = graph_.nodes[static_cast<std::size_t>(index)];
    NodeWeights tensors;
    for (const Parameter& parameter : parameters_of(graph_, node)) {
      tensors.*parameter.tensor = read(node.name + "." + parameter.name, parameter.shape);
    }
    weights.push_back(std::move(tensors));
  }
  return weights;
}

TensorFile Model::write_weights(const Weights& weights) const {
  TensorFile file;
  for (std::size_t slot = 0; slot < weights.size(); ++slot) {
    const Node& node = graph_.nodes[static_cast<std::size_t>(parameter_nodes_[slot])];
    for (const Parameter& parameter : parameters_of(graph_, node)) {
      file.tensors[node.name + "." + parameter.name] =
          store_tensor(weights[slot].*parameter.tensor);
    }
  }
  return file;
}

StoredTensor store_tensor(const torch::Tensor& tensor) {
  const torch::Tensor values = tensor.detach().cpu().contiguous();
  StoredTensor stored;
  if (values.scalar_type() == torch::kFloat32) {
    stored.type = TensorType::kF32;
  } else if (values.scalar_type() == torch::kInt8) {
    stored.type = TensorType::kI8;
  } else if (values.scalar_type() == torch::kUInt8) {
    stored.type = TensorType::kU8;
  } else {
    fail("cannot store a tensor of type {}", c10::toString(values.scalar_type()));
  }
  stored.shape = values.sizes().vec();
  stored.data.resize(values.nbytes());
  if (!stored.data.empty()) std::memcpy(stored.data.data(), values.data_ptr(), stored.data.size());
  return stored;
}

}  // namespace bittern
