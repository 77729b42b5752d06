#include "agent/nn/model.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "agent/nn/chain.h"
#include "agent/torch.h"
#include "host/base/error.h"

namespace bittern {
namespace {

constexpr float kPixelScale = 1.0f / 255.0f;

std::vector<std::int64_t> weight_shape(const Layer& layer) {
  if (layer.kind == LayerKind::kLinear) return {layer.out_channels, layer.in_channels};
  return {layer.out_channels, layer.in_channels / layer.groups, layer.kernel_h, layer.kernel_w};
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

torch::Tensor convolve(const Layer& layer, torch::Tensor x, const LayerWeights& weights) {
  std::int64_t pad_h = layer.pad_top;
  std::int64_t pad_w = layer.pad_left;
  if (layer.pad_top != layer.pad_bottom || layer.pad_left != layer.pad_right) {
    x = at::constant_pad_nd(x, {layer.pad_left, layer.pad_right, layer.pad_top, layer.pad_bottom},
                            0);
    pad_h = 0;
    pad_w = 0;
  }
  return at::conv2d(x, weights.weight, weights.bias, {layer.stride_h, layer.stride_w},
                    {pad_h, pad_w}, {1, 1}, layer.groups);
}

torch::Tensor pooled(const Pool& pool, torch::Tensor x) {
  // Behind a linear layer a map has one pixel.
  if (x.dim() == 2) x = x.view({x.size(0), x.size(1), 1, 1});
  std::int64_t pad_h = pool.pad_top;
  std::int64_t pad_w = pool.pad_left;
  // LibTorch pads both sides alike and by half of the kernel at most.
  if (pool.pad_top != pool.pad_bottom || pool.pad_left != pool.pad_right ||
      2 * pad_h > pool.kernel_h || 2 * pad_w > pool.kernel_w) {
    x = at::constant_pad_nd(x, {pool.pad_left, pool.pad_right, pool.pad_top, pool.pad_bottom},
                            -std::numeric_limits<double>::infinity());
    pad_h = 0;
    pad_w = 0;
  }
  return at::max_pool2d(x, {pool.kernel_h, pool.kernel_w}, {pool.stride_h, pool.stride_w},
                        {pad_h, pad_w});
}

torch::Tensor multiply(const torch::Tensor& x, const LayerWeights& weights) {
  if (x.is_cuda()) return at::linear(x, weights.weight, weights.bias);
  // As a 1x1 convolution: those always run in oneDNN, while matrix products go to whatever BLAS is
  // installed, on Debian one that is ten times slower.
  const torch::Tensor kernel = weights.weight.view({weights.weight.size(0), -1, 1, 1});
  return at::conv2d(x.view({x.size(0), -1, 1, 1}), kernel, weights.bias).flatten(1);
}

}  // namespace

Model::Model(const Network& network) : network_(network) { require_chain(network_); }

torch::Tensor Model::forward(const torch::Tensor& images, const Weights& weights,
                             const InputHook& hook) const {
  torch::Tensor x = scaled_pixels(images);
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const Layer& layer = network_.layers[i];
    const bool linear = layer.kind == LayerKind::kLinear;
    for (const Pool& pool : network_.wiring[i].input.pools) x = pooled(pool, x);
    // After the pooling: it is the same and cheaper.
    if (i > 0 && network_.wiring[i - 1].relu) x = at::relu(x);
    // Flattened in the order channel, row, column, whatever the layout in memory.
    if (linear && x.dim() != 2) x = x.contiguous(torch::MemoryFormat::Contiguous).flatten(1);
    if (hook) x = hook(i, x);
    x = linear ? multiply(x, weights[i]) : convolve(layer, x, weights[i]);
  }
  return x.flatten(1);
}

Weights Model::random_weights(Rng rng) const {
  Weights weights;
  for (const Layer& layer : network_.layers) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(layer.reduction()));
    LayerWeights parameters{torch::empty(weight_shape(layer)), torch::empty({layer.out_channels})};
    for (torch::Tensor* tensor : {&parameters.weight, &parameters.bias}) {
      float* const values = tensor->data_ptr<float>();
      for (std::int64_t i = 0; i < tensor->numel(); ++i) {
        values[i] = static_cast<float>(bound * (2.0 * rng.uniform() - 1.0));
      }
    }
    weights.push_back(std::move(parameters));
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
  for (const Layer& layer : network_.layers) {
    weights.push_back({read(layer.name + ".weight", weight_shape(layer)),
                       read(layer.name + ".bias", {layer.out_channels})});
  }
  return weights;
}

TensorFile Model::write_weights(const Weights& weights) const {
  TensorFile file;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    file.tensors[network_.layers[i].name + ".weight"] = store_tensor(weights[i].weight);
    file.tensors[network_.layers[i].name + ".bias"] = store_tensor(weights[i].bias);
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
