#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "agent/nn/safetensors.h"
#include "agent/torch.h"
#include "host/base/random.h"
#include "host/network/network.h"

namespace bittern {

/// Parameters of one layer. A convolution's weight is out x in/groups x kernel_h x kernel_w, a
/// linear layer's out x in; the bias has one value per output channel.
struct LayerWeights {
  torch::Tensor weight;
  torch::Tensor bias;
};

/// Parameters of all layers, in the network's order.
using Weights = std::vector<LayerWeights>;

/// Called for every layer with its input (after ReLU and pooling) on the way forward; what it
/// returns is used in its place. Quantisers, calibration and bit-true evaluation all hook in here.
/// May be called from several threads at once.
using InputHook = std::function<torch::Tensor(std::size_t layer, const torch::Tensor& input)>;

/// Computes a network that is a plain chain of layers, exactly as its file states it: poolings
/// (maximum), ReLU, and flattening before a linear layer. Images are scaled to 0..1. A Model holds
/// no weights and may be used by several threads.
class Model {
 public:
  /// Throws Error as require_chain() does.
  explicit Model(const Network& network);

  /// Logits (images x classes) of `images` (8-bit, images x channels x height x width).
  torch::Tensor forward(const torch::Tensor& images, const Weights& weights,
                        const InputHook& hook = {}) const;

  /// Fresh weights, uniform in +-1/sqrt(fan-in) as PyTorch's layers start.
  Weights random_weights(Rng rng) const;

  /// Weights from the tensors <layer>.weight and <layer>.bias of a file. `where` (a path) starts
  /// the messages. Throws Error naming the tensor when one is missing, has another shape, or
  /// holds what is no finite number.
  Weights read_weights(const TensorFile& file, const std::string& where) const;

  /// The reverse of read_weights(): tensors only, no metadata.
  TensorFile write_weights(const Weights& weights) const;

  const Network& network() const { return network_; }
  /// Outputs of the last layer.
  int classes() const { return network_.layers.back().out_channels; }

 private:
  Network network_;
};

/// A stored tensor for a float or 8-bit tensor on any device.
StoredTensor store_tensor(const torch::Tensor& tensor);

}  // namespace bittern
