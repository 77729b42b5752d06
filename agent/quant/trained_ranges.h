#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "agent/quant/quantiser.h"
#include "agent/torch.h"

namespace bittern {

/// Clipping thresholds of activations that are trained with the weights (PACT, Choi et al. 2018).
/// The gradient of a threshold is that of every value at or beyond it, with the sign of the value;
/// values within it pass theirs on (straight-through), the others do not. Plain SGD with momentum
/// and an L2 penalty.
///
/// Gradients of several threads are added up in fixed point, so that their order does not matter.
/// Inputs that carry no gradient (the image) leave their threshold alone.
class TrainedRanges {
 public:
  /// Codes and first threshold of each layer. Throws Error unless the thresholds are positive
  /// numbers, as many as codes.
  TrainedRanges(std::vector<CodeRange> codes, std::vector<float> thresholds);
  ~TrainedRanges();
  TrainedRanges(TrainedRanges&&) noexcept;
  TrainedRanges& operator=(TrainedRanges&&) noexcept;

  /// `x` as codes times scale. Where it carries a gradient, going back adds to the threshold's;
  /// this object must be there then. May be called from several threads at once.
  torch::Tensor quantise(std::size_t layer, const torch::Tensor& x);

  /// One step of every threshold against what was added up since the last one. A threshold never
  /// falls below a thousandth of its start. Throws Error when a gradient was no number.
  void step(double rate, double momentum, double weight_decay);

  const std::vector<float>& thresholds() const;
  /// Of a layer, with its present threshold.
  LinearQuantiser quantiser(std::size_t layer) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bittern
