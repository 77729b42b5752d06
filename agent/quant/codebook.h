#pragma once

#include <cstdint>
#include <vector>

#include "agent/torch.h"
#include "host/base/span.h"

namespace bittern {

/// Centres of `values` by Lloyd's k-means, ascending: `count` of them, or fewer where there
/// are not so many different values. They start evenly spread between the least and the greatest
/// value (Deep Compression, Han et al. 2016, section 3.2: starts that follow the density leave the
/// few large weights, which matter most, without a centre); a centre that loses all its values goes
/// to the group with the greatest squared error. Deterministic. Ends when nothing moves, or after
/// `iterations` each time. Throws Error when there are no values, one is not finite, or count is
/// below 1.
std::vector<float> cluster_centres(Span<const float> values, int count, int iterations = 300);

/// Weights that share values (Deep Compression; HAQ, section 4.3): every weight of a tensor is one
/// of 2^bits centres, found by k-means. Which weights share one is decided once; what they share is
/// the mean of their float values, so that training the float values with the gradients of the
/// shared ones moves a centre by the mean gradient of its weights.
class CodebookQuantiser {
 public:
  /// Groups the values of `weight` (any shape; on the CPU). Throws Error for bits outside 1..8.
  CodebookQuantiser(const torch::Tensor& weight, int bits);

  /// Every value replaced by the mean of its group. `weight` has the shape and device of the one
  /// that was grouped. Carries no gradient.
  torch::Tensor fake_quantise(const torch::Tensor& weight) const;
  /// Group of each value, 8-bit unsigned.
  torch::Tensor codes() const;
  /// The means of the groups of such a weight, by code: codebook(w)[codes()] == fake_quantise(w).
  torch::Tensor codebook(const torch::Tensor& weight) const;

  /// The same quantiser on another device.
  CodebookQuantiser to(torch::Device device) const;

 private:
  torch::Tensor groups_;  ///< of each value, 64-bit integer, in the weight's shape
  torch::Tensor order_;   ///< places of the values, group by group
  torch::Tensor ends_;    ///< of each group within it
  torch::Tensor sizes_;   ///< of each group, 64-bit float
};

}  // namespace bittern
