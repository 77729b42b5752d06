#pragma once

#include <vector>

#include "agent/evaluator/network_quantisers.h"
#include "agent/nn/engine.h"
#include "agent/nn/sgd.h"
#include "host/network/graph.h"

namespace bittern {

/// For each layer of `folded` whether a batch norm of `original` was folded into it.
std::vector<bool> layers_with_norm(const Graph& original, const Network& folded);

/// A folded network with its batch norms put back, for a fine-tune: statistics of the batch keep
/// the values of a channel where they were while weights change their codes, so that rates can be
/// those of any training (Jacob et al., CVPR 2018, train so, too). Codes are those of the folded
/// weights: a batch norm takes any scale of a channel off again. When the fine-tune is over, gains
/// and shifts are folded once more.
class NormTuning {
 public:
  /// `folded` is the model that evaluates; its layers marked in `normed` get a batch norm. It
  /// trains on the device of `folded` and on as many threads.
  NormTuning(const Engine& folded, const std::vector<bool>& normed);

  /// The engine that trains.
  Engine& engine() { return engine_; }
  /// Weights to begin with: they compute what `folded` does, whose layers' outputs have these
  /// statistics. Channels behind which there is a batch norm have length 1, so that a rate means
  /// the same for all of them; the factors go into `gains`.
  Weights begin(const Weights& folded, const std::vector<ChannelStatistics>& outputs,
                std::vector<std::vector<float>>& gains) const;
  /// Folds `trained` into `folded`, and the factors by which channels have grown into `gains`
  /// ([layer] [channel], all present).
  void end(const Weights& trained, Weights& folded, std::vector<std::vector<float>>& gains) const;
  /// What the batch norms make of their layers' outputs: the mean and deviation of each channel.
  std::vector<ChannelStatistics> outputs(const Weights& trained) const;
  /// A view of the folded weights as one of those that train.
  WeightView view(WeightView folded) const;
  /// A hook for the folded network's nodes as one for those of this one.
  StoreHook stored(StoreHook folded) const;

 private:
  std::size_t layers() const { return normed_.size(); }
  /// Place of a layer's batch norm among the weights that train.
  std::size_t norm_slot(std::size_t layer) const;
  double epsilon(std::size_t layer) const;

  const Model* folded_;
  std::vector<bool> normed_;
  std::vector<int> folded_node_;  ///< of each node that trains; -1: only here
  std::vector<int> norm_node_;    ///< of each layer: the node of its batch norm; -1: none
  Engine engine_;
};

}  // namespace bittern
