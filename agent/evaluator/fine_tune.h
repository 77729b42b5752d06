#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "agent/evaluator/fake_quant_options.h"
#include "agent/evaluator/network_quantisers.h"
#include "agent/nn/engine.h"
#include "agent/nn/sgd.h"
#include "agent/quant/trained_ranges.h"
#include "host/network/graph.h"

namespace bittern {

/// What a policy's network computes with, before its quantisers.
struct TunedNetwork {
  Weights master;
  Adjustments adjustments;
  /// Nothing was changed: what one policy gives in front of a layer, another gives, too.
  bool original = false;
};

/// Brings a network's float weights and its policies together: batch norms are re-estimated behind
/// the quantisers, and straight-through fine-tunes follow, with the batch norms put back
/// (NormTuning) and trained ranges (PACT) where the options say so. Every policy starts from the
/// same weights. May be used by several threads, each with an engine of its own.
class FineTuner {
 public:
  /// `engine` (whose model evaluates), `weights`, `quantisers` and `train` must outlive this.
  /// `unfolded` is the graph with its batch norms, `re_estimation` the images that these are
  /// estimated on. `own`: scales that the weights came with; their policy's network is computed
  /// with them, as it is (null: none).
  FineTuner(const Graph& unfolded, const Engine& engine, const Weights& weights,
            NetworkQuantisers& quantisers, const TensorData& train, torch::Tensor re_estimation,
            std::shared_ptr<const PolicyScales> own, const FakeQuantOptions& options);

  /// Whether the weights came with scales for this policy.
  bool owns(const Policy& policy) const { return own_ && own_->policy == policy; }

  /// A policy's network before any fine-tune, `tunes` when one follows: training begins with a
  /// network that works. Batch norms that are put back begin from known statistics.
  TunedNetwork untuned(const Policy& policy, bool tunes) const;

  /// Fine-tunes `network` (as untuned() gave it) on `engine`. It is up to date at the end of each
  /// epoch. Throws Error when the loss is not finite.
  void tune(Engine& engine, TunedNetwork& network, const Policy& policy,
            const FineTuneOptions& options, const BatchCallback& on_batch) const;

 private:
  const std::vector<Layer>& layers() const { return engine_->model().network().layers; }
  /// Whether fine-tunes put batch norms back: what they leave as scales of channels must have a
  /// place.
  bool tunes_norms() const;
  /// Thresholds of activations as they are before any training.
  TrainedRanges first_ranges(const Policy& policy, const Adjustments& adjustments) const;
  /// Throws Error (exit status 2) where a fine-tune could not keep the form of the own scales.
  void check_own_scales() const;
  /// Adjustments::gains, written out.
  std::vector<std::vector<float>> all_gains(const Adjustments& adjustments) const;

  const Engine* engine_;
  const Weights* weights_;
  NetworkQuantisers* quantisers_;
  const TensorData* train_;
  torch::Tensor re_estimation_;
  std::shared_ptr<const PolicyScales> own_;
  bool trained_ranges_;
  bool float_weights_;
  bool re_estimate_;
  std::uint64_t seed_;
  std::vector<bool> normed_;  ///< layers that a batch norm was folded into
  /// Of the layers in floating point, over the images of re-estimation; where they are needed.
  std::vector<ChannelStatistics> outputs_;
};

}  // namespace bittern
