#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "agent/nn/engine.h"
#include "agent/quant/quantiser.h"
#include "agent/torch.h"
#include "host/evaluator/evaluator.h"

namespace bittern {

/// Scores of all layers and widths.
struct LayerScores {
  static constexpr int kWidths = 9;
  /// By layer, then bits (1..8): expected rise of the mean loss (nats). 0 where the operand has no
  /// such quantiser.
  std::vector<std::array<double, kWidths>> weights;
  std::vector<std::array<double, kWidths>> activations;
  /// Backward passes, each counted with its images.
  std::int64_t backward_images = 0;
};

/// The quantiser of an operand of a layer; nullptr where there is none of that width.
using QuantiserOf = std::function<const LinearQuantiser*(std::size_t layer, int bits)>;

/// Second-order terms of the rise of the loss when one operand of one layer is quantised and
/// nothing else, from the images of `data` (with d = quantised - float value):
///
/// kFisher: half the mean over the images of (g . d)^2, g being the gradient of an image's loss:
/// the Hessian is taken for the Fisher information of the layer, which is not cut down to its
/// diagonal (Theis et al., 2018, and FIT, Zandonati et al., 2022, keep the diagonal). One backward
/// pass.
///
/// kHessian: half the mean over the images of tr(H) / n |d|^2 with n values in the operand
/// (HAWQ-V2, Dong et al., NeurIPS 2020), on the first 64 images at most. The trace is estimated
/// with `probes` vectors of random signs v, as v . Hv (Hutchinson): a backward pass for all of
/// them, and another for each probe of each operand.
///
/// The result depends on `seed` (kHessian), not on the number of threads.
LayerScores layer_scores(ScoreKind kind, Engine& engine, const Weights& weights,
                         const TensorData& data, const QuantiserOf& weight_quantiser,
                         const QuantiserOf& activation_quantiser, std::uint64_t seed,
                         int probes = 4);

/// Scores that are computed when the first one is asked for; asking again costs nothing. Not
/// thread-safe.
class LazyScores : public GradientScores {
 public:
  /// `images`: of one evaluation, in which spent() is counted. A backward pass counts as three
  /// forward passes over its images.
  LazyScores(std::function<LayerScores()> compute, std::int64_t images);
  /// Throws std::out_of_range for a layer that is not there and for bits outside of 0..8.
  double weight_score(std::size_t layer, int bits) override;
  double activation_score(std::size_t layer, int bits) override;
  double spent() const override;

 private:
  const LayerScores& scores();

  std::function<LayerScores()> compute_;
  std::int64_t images_;
  std::optional<LayerScores> scores_;
};

}  // namespace bittern
