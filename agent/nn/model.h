#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "agent/nn/compute.h"
#include "agent/nn/first_weights.h"
#include "agent/torch.h"
#include "host/base/random.h"
#include "host/integer/scheme.h"
#include "host/network/io/safetensors.h"
#include "host/network/network.h"

namespace bittern {

/// Tensors of all nodes that have any (layers and batch norms), in the graph's order.
using Weights = std::vector<NodeWeights>;

/// Called for every layer with its input (after ReLU and pooling) on the way forward; what it
/// returns is used in its place. Quantisers, calibration and bit-true evaluation all hook in here.
/// May be called from several threads at once.
using InputHook = std::function<torch::Tensor(std::size_t layer, const torch::Tensor& input)>;

/// The same for the output of every node that a quantised network stores (QuantisationScheme).
using StoreHook = std::function<torch::Tensor(std::size_t node, const torch::Tensor& output)>;

/// What is called on the way forward; each may be empty.
struct Hooks {
  InputHook input;
  StoreHook stored;

  Hooks() = default;
  Hooks(InputHook on_input, StoreHook on_stored)
      : input(std::move(on_input)), stored(std::move(on_stored)) {}
  /// Of layers' inputs alone.
  template <typename Function, typename = std::enable_if_t<std::is_invocable_r_v<
                                   torch::Tensor, Function&, std::size_t, const torch::Tensor&>>>
  Hooks(Function on_input) : input(std::move(on_input)) {}
};

/// Values of nodes on the way through a network; empty where they are not computed (yet) or no
/// longer needed.
struct Values {
  torch::Tensor image;
  std::vector<torch::Tensor> nodes;
  /// What node `source` gave, or the image.
  const torch::Tensor& of(int source) const {
    return source == kImage ? image : nodes[static_cast<std::size_t>(source)];
  }
};

/// Computes a network's graph, exactly as its file states it. Images are scaled to 0..1. A Model
/// holds no weights and may be used by several threads.
class Model {
 public:
  /// Throws Error as require_trainable() does.
  explicit Model(const Network& network);

  /// Logits (images x classes) of `images` (8-bit, images x channels x height x width). Batch norms
  /// use their running statistics. Values are dropped as soon as nothing needs them.
  torch::Tensor forward(const torch::Tensor& images, const Weights& weights,
                        const Hooks& hooks = {}) const;

  /// The same in parts: computes the nodes from `first` to the one before `end` and drops what
  /// nothing behind them needs.
  void advance(std::size_t first, std::size_t end, const Weights& weights, const Hooks& hooks,
               Values& values) const;
  /// What nodes begin with: the image in `values`, nothing else.
  Values begin(const torch::Tensor& images) const;

  /// The answers for the classes (images x classes) of values that are all computed.
  torch::Tensor logits(const Values& values) const;

  /// The image of `values`, as the first nodes take it.
  static torch::Tensor pixels(const torch::Tensor& images);
  /// Computes the nodes `first` .. `end` - 1 of graph() into `values`.
  void compute(std::size_t first, std::size_t end, const Weights& weights, const Hooks& hooks,
               Values& values) const;

  /// Fresh weights, drawn as `first` says; batch norms start as the identity.
  Weights random_weights(Rng rng, FirstWeights first = FirstWeights::kDefault) const;

  /// Weights from the tensors <node>.weight, <node>.bias, ... of a file. `where` (a path) starts
  /// the messages. Throws Error naming the tensor when one is missing, has another shape, or
  /// holds what is no finite number.
  Weights read_weights(const TensorFile& file, const std::string& where) const;

  /// The reverse of read_weights(): tensors only, no metadata.
  TensorFile write_weights(const Weights& weights) const;

  const Network& network() const { return network_; }
  /// What is computed: the network's graph with its ReLUs where they cost least.
  const Graph& graph() const { return graph_; }
  /// Where a quantised network of it has codes.
  const QuantisationScheme& scheme() const { return scheme_; }
  /// Whether the output of a node is one of those that are stored.
  bool stores(std::size_t node) const { return stored_[node]; }
  /// Index of a node's tensors in Weights; -1 without any.
  int slot_of_node(std::size_t node) const { return slots_[node]; }
  /// The same for the layers of the network, by their place.
  std::size_t slot_of_layer(std::size_t layer) const { return layer_slots_[layer]; }
  /// Classes that it tells apart.
  int classes() const { return classes_of(graph_); }

 private:
  Network network_;
  Graph graph_;
  QuantisationScheme scheme_;
  std::vector<bool> stored_;              ///< of each node
  std::vector<int> slots_;                ///< of each node
  std::vector<int> layers_;               ///< of each node: which layer it is, or -1
  std::vector<std::size_t> layer_slots_;  ///< of each layer
  std::vector<std::size_t> last_use_;     ///< of each node: the last node that takes its output
  std::vector<int> parameter_nodes_;      ///< of each slot
};

/// A stored tensor for a float or 8-bit tensor on any device.
StoredTensor store_tensor(const torch::Tensor& tensor);

}  // namespace bittern
