#pragma once

#include <vector>

#include "agent/quant/quantise_loop.h"
#include "agent/torch.h"
#include "host/integer/threshold.h"

namespace bittern {

/// Linear symmetric quantiser without zero point: code = clamp(round(x / scale), low, high), value
/// = code * scale; ties round to even. Where only odd codes are given: code = clamp(2 * floor(x /
/// (2
/// * scale)) + 1, low, high). The division is a multiplication with the float nearest to 1
/// / scale, the same in all functions below, so dequantise(codes(x)) equals fake_quantise(x) bit
/// for bit. Binary codes are the sign, +1 of zero.
class LinearQuantiser {
 public:
  /// One scale for the whole tensor: threshold / range.high. Throws Error unless the threshold is
  /// positive and finite.
  LinearQuantiser(CodeRange range, float threshold);
  /// One scale for each index of the tensor's dimension 0 (output channels of weights).
  LinearQuantiser(CodeRange range, const std::vector<float>& thresholds);
  /// With these scales: of more than one, each is of an index of dimension 0. Throws Error unless
  /// all are positive and finite.
  static LinearQuantiser with_scales(CodeRange range, const std::vector<float>& scales);

  /// Codes of `x`, of type 8-bit integer (unsigned when the range is).
  torch::Tensor codes(const torch::Tensor& x) const;
  /// Values of codes, float.
  torch::Tensor dequantise(const torch::Tensor& codes) const;
  /// dequantise(codes(x)) without the detour over integers. Carries no gradient.
  torch::Tensor fake_quantise(const torch::Tensor& x) const;
  /// fake_quantise() with the clipped straight-through gradient: 1 where x rounds to a code
  /// of the range, 0 where it is clipped.
  torch::Tensor fake_quantise_with_gradient(const torch::Tensor& x) const;

  CodeRange range() const { return range_; }
  /// One scale, or one for each output channel.
  const std::vector<float>& scales() const { return scales_; }
  /// Whether both give the same for every tensor.
  bool operator==(const LinearQuantiser& other) const {
    return range_ == other.range_ && scales_ == other.scales_;
  }
  /// The same codes for a tensor whose output channels are multiplied by these (positive) factors.
  /// Throws Error unless there is a scale for each.
  LinearQuantiser times(const std::vector<float>& factors) const;
  /// The same quantiser with its scales on another device.
  LinearQuantiser to(torch::Device device) const;

 private:
  LinearQuantiser() = default;
  torch::Tensor rounded(const torch::Tensor& x) const;     ///< codes before clamping
  torch::Tensor scaled(const torch::Tensor& codes) const;  ///< codes * scale, in place
  torch::Tensor factor(bool inverse, const torch::Tensor& like) const;
  bool loops(const torch::Tensor& x) const;  ///< whether loop() may run over it
  QuantiseLoop loop() const;

  CodeRange range_;
  std::vector<float> scales_;
  torch::Tensor scale_;    ///< per channel only: the scales as a tensor
  torch::Tensor inverse_;  ///< per channel only: 1 / scales
};

/// tanh(w) over its greatest magnitude: what DoReFa quantises (WeightKind::kDorefa). Of one bit it
/// changes no sign. Zeros stay zeros.
torch::Tensor dorefa_bent(const torch::Tensor& weight);

/// Codes of weights of a kind. Throws Error for bits outside 1..8 (kWrpn: 2..8), and for kKmeans.
CodeRange weight_code_range(WeightKind kind, int bits);

/// Quantiser for a weight tensor (dimension 0: output channels; on the CPU). Throws Error for bits
/// outside 1..8 (kWrpn: 2..8), and for kKmeans, which is not linear (agent/quant/codebook.h).
LinearQuantiser weight_quantiser(const torch::Tensor& weight, int bits,
                                 const WeightQuantisation& how);

/// Magnitudes of a tensor's values (any shape; on the CPU).
Magnitudes magnitudes_of(const torch::Tensor& samples, bool is_signed);

/// Quantiser for activations, calibrated on the magnitudes of samples. Throws Error for bits
/// outside 1..8, or 2..8 when signed.
LinearQuantiser activation_quantiser(const Magnitudes& samples, int bits, bool is_signed,
                                     ThresholdMethod method);

}  // namespace bittern
