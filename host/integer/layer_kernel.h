#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/base/span.h"
#include "host/network/layer.h"

namespace bittern {

/// The sums of one layer, fast: weights are laid out for dot products once, windows are gathered
/// from a copy of the map with its padding and its channels innermost, and several windows meet
/// several filters at once. Gives what reference_outputs() gives (host/integer/reference.h), as
/// long as no sum leaves 32 bits. May be used by several threads.
class LayerKernel {
 public:
  /// `weights`: codes of at most 9 bits, [out_channel][in_channel / groups][kernel_h][kernel_w].
  LayerKernel(const Layer& layer, const std::vector<std::int16_t>& weights);

  /// Sums of one image. `input` has layer.inputs() codes of at most 9 bits, planes of rows; `sums`
  /// takes layer.outputs().
  void sums(Span<const std::int16_t> input, Span<std::int32_t> sums) const;

 private:
  void gathered(Span<const std::int16_t> input, Span<std::int32_t> sums) const;
  void direct(Span<const std::int16_t> input, Span<std::int32_t> sums) const;
  /// The map of one group with its padding, [row][column][channel].
  void pad(Span<const std::int16_t> input, int group, std::vector<std::int16_t>& map) const;

  Layer layer_;
  int group_inputs_ = 1;
  int group_outputs_ = 1;
  int padded_width_ = 1;
  int padded_height_ = 1;
  std::size_t length_ = 1;  ///< of a window, in whole blocks
  /// Gathered: filters of length_, [out_channel][kernel_h][kernel_w][in_channel / groups], with
  /// zeros behind. Direct: as they came.
  std::vector<std::int16_t> filters_;
  bool direct_ = false;
};

}  // namespace bittern
