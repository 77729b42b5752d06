#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "agent/evaluator/layer_scores.h"
#include "agent/nn/engine.h"
#include "agent/nn/sgd.h"
#include "agent/quant/codebook.h"
#include "agent/quant/quantiser.h"
#include "host/integer/quantised_network.h"

namespace bittern {

/// How the operands of a network are quantised.
struct QuantiserOptions {
  WeightQuantisation weights;
  ThresholdMethod activations = ThresholdMethod::kMse;
  /// An operand that stays in floating point, whatever bits a policy has for it. At most one.
  bool float_weights = false;
  bool float_activations = false;
};

/// Mean and deviation of each channel of a map, over images and pixels; double precision.
struct ChannelStatistics {
  torch::Tensor mean;
  torch::Tensor deviation;
};

/// The scales of one policy's codes.
struct PolicyScales {
  Policy policy;
  std::vector<std::vector<float>> weights;  ///< of each layer: one, or one for each output channel
  std::vector<float> activations;           ///< of each layer's input
  std::map<std::size_t, float> stored;      ///< of maps that are stored, by their nodes
};

/// What one policy's network has in place of what all policies share.
struct Adjustments {
  /// In place of those that a calibration finds; null: those.
  std::shared_ptr<const PolicyScales> scales = {};
  /// Clipping thresholds of the layers' inputs; empty: those of the calibration.
  std::vector<float> thresholds = {};
  /// Of each layer's output channels: the factor by which the master weights, and with them the
  /// scales of their codes, differ from the network's; empty: 1.
  std::vector<std::vector<float>> gains = {};
};

/// All quantisers of a network: of the weights of every layer and of every point at which
/// activations become codes (QuantisationScheme). Thresholds of weights come from the float
/// weights, those of activations from a calibration; each is found when it is first needed. Not
/// thread-safe; what it gives out may be used by several threads, as long as it lives.
class NetworkQuantisers {
 public:
  /// Scale of a layer's input codes.
  using InputScale = std::function<float(std::size_t layer)>;

  /// `engine` and `weights` (float) must outlive this.
  NetworkQuantisers(Engine& engine, const Weights& weights, QuantiserOptions options);

  /// Keeps histograms of what is quantised on the way of these images through the float network.
  /// Images go in pieces; the histograms do not depend on how many threads there are.
  void calibrate(const TensorData& images);

  /// Throws Error (exit status 2) naming the layer when the policy does not have one pair a layer,
  /// or bits that an operand cannot have.
  void check(const Policy& policy) const;

  const LinearQuantiser& weight(std::size_t layer, int bits);
  const LinearQuantiser& activation(std::size_t layer, int bits);
  const CodebookQuantiser& codebook(std::size_t layer, int bits);
  /// Of a layer's weights and of its input under a policy.
  LinearQuantiser weight(std::size_t layer, const Policy& policy, const Adjustments& adjustments);
  LinearQuantiser activation(std::size_t layer, const Policy& policy,
                             const Adjustments& adjustments);
  /// Of a map that is stored.
  LinearQuantiser stored(std::size_t node, const Adjustments& adjustments);
  bool codebooks() const { return options_.weights.kind == WeightKind::kKmeans; }
  /// A weight tensor before its linear quantiser: DoReFa's are bent first.
  torch::Tensor bent(const torch::Tensor& weight) const;

  /// All linear quantisers of an operand, for scores of layers.
  QuantiserOf all_weights();
  QuantiserOf all_activations();

  /// Master weights as the network computes with them: weights as codes times scale, biases as
  /// whole multiples of what a unit of the layer's sums is worth (where both operands are codes).
  WeightView weight_view(const Policy& policy, const Adjustments& adjustments);
  /// The same with scales of the layers' inputs that change from step to step.
  WeightView weight_view(const Policy& policy, const Adjustments& adjustments,
                         InputScale input_scale);
  /// Quantises activations at every point.
  Hooks hooks(const Policy& policy, const Adjustments& adjustments);
  /// The part of hooks() that does not depend on bits.
  StoreHook store_hook(const Adjustments& adjustments);

  /// Of the outputs of every layer, before its ReLU, in floating point.
  std::vector<ChannelStatistics> output_statistics(const torch::Tensor& images) const;
  /// The same of a policy's network.
  std::vector<ChannelStatistics> output_statistics(const torch::Tensor& images,
                                                   const Policy& policy, const Weights& master,
                                                   const Adjustments& adjustments);

  /// Re-estimates folded batch norms for a policy: the mean of every output channel of a layer,
  /// over these images, becomes the one in `wanted` (output_statistics() of the same images) again,
  /// by its bias; with a scale for each channel its deviation does, too, by weights and scales (the
  /// codes stay). Layers in their order, each behind those that are corrected; layers without a
  /// bias stay. `master` are the float weights.
  void re_estimate(const torch::Tensor& images, const std::vector<ChannelStatistics>& wanted,
                   const Policy& policy, Weights& master, Adjustments& adjustments);

  /// Whether weights have a scale for each output channel that may be any.
  bool free_scales() const;

  /// Both operands quantised, whatever the options say; weights that were float by the scales that
  /// these have. `master` must outlive the result.
  NetworkQuantisers complete(const Weights& master) const;

  /// The network in integers. Throws Error (exit status 2) where the options leave an operand
  /// without codes, and as quantise_network() does.
  QuantisedNetwork integers(const Weights& master, const Policy& policy,
                            const Adjustments& adjustments);

 private:
  const LinearQuantiser& stored(std::size_t node);
  const std::vector<Layer>& layers() const { return engine_->model().network().layers; }
  std::size_t slot(std::size_t layer) const { return engine_->model().slot_of_layer(layer); }
  void check_weight_bits(int bits) const;
  template <typename Check, typename Find>
  QuantiserOf all_of(bool is_float, Check check, Find find);

  Engine* engine_;
  const Weights* weights_;
  QuantiserOptions options_;
  std::vector<std::optional<Magnitudes>> samples_;  ///< of each point but the image
  std::map<std::pair<std::size_t, int>, LinearQuantiser> weight_quantisers_;
  std::map<std::pair<std::size_t, int>, CodebookQuantiser> codebooks_;
  std::map<std::pair<std::size_t, int>, LinearQuantiser> activation_quantisers_;
  std::map<std::size_t, LinearQuantiser> stored_quantisers_;
};

}  // namespace bittern
