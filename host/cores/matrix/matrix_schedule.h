#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "host/cores/matrix/matrix_config.h"
#include "host/cores/matrix/matrix_model.h"
#include "host/cores/stream/stream_schedule.h"
#include "host/network/layer.h"

namespace bittern {

/// A layer as matrix products: `bundles` products of L (m x k) and R (n x k), with the reduction
/// ordered (kernel row, kernel column, channel). A bundle is one group of a convolution, or
/// depthwise_pack groups of a depthwise layer, whose weights then lie block-diagonally in R. The
/// rows of L are the output pixels of all images; with `by_image` each image is a bundle of its
/// own, which meets the weights anew.
struct MatrixShape {
  std::int64_t bundles = 1;         ///< images * weight_bundles, images outermost
  std::int64_t weight_bundles = 1;  ///< bundle b has the weights b % weight_bundles
  std::int64_t m = 0;               ///< output pixels of all images, or of one
  std::int64_t n = 0;               ///< output channels of a bundle
  std::int64_t k = 0;               ///< kernel_h * kernel_w * channel_stride
  std::int64_t channels = 0;        ///< input channels of a bundle
  std::int64_t channel_stride = 0;  ///< the same, padded to whole bricks where K is cut into them
  std::int64_t group_inputs = 0;    ///< input channels of a group
  std::int64_t group_outputs = 0;   ///< output channels of a group
  std::int64_t lhs_stripes = 0;     ///< ceil(m / rows of LHS)
  std::int64_t rhs_stripes = 0;     ///< ceil(n / rows of RHS)
  std::int64_t k_words = 0;         ///< ceil(k / elements of a word), of each part side by side

  static MatrixShape of(const Layer& layer, int batch, const MatrixConfig& config);
};

/// How a layer is cut into instructions. Stripes are as many rows as the array takes at once, with
/// all their planes; pieces are k_chunk words of K.
struct MatrixSchedule : StreamSchedule {
  std::int64_t k_chunk = 0;  ///< words of K a piece; all of them unless kSplitK
  int columns = 1;           ///< staggered, see MatrixConfig::staggered()
  bool cascade = false;      ///< they share filters

  /// Canonical text, for example "tiled lhs-outer lhs=16x4 rhs=8x1 resident".
  std::string key() const;
};

/// Fetch words at an address of the last of an operand's stripes. Where every row has a bank of its
/// own (no bricks): those that it needs of the stripe's, rounded up to a power of two; FETCH fills
/// only as many banks. `rows` are those of the operand.
std::int64_t last_stripe_banks(const MatrixConfig& config, const MatrixOperand& operand,
                               std::int64_t rows, int bits);

/// Lays out operands, results and program. The fetch words of a piece of an operand are ordered
/// plane, word along K, row without bricks. With bricks in a serial operand: brick, word of a
/// plane, beat, where each lane has in as many beats as an integer has bits its integers of that
/// word, packed. In a parallel one: brick, staggered column, plane, word of the plane. In cascade,
/// brick k of column c is brick c * k_words + k of the reduction.
StreamMap make_map(const MatrixConfig& config, const MatrixShape& shape,
                   const MatrixSchedule& schedule, const BitPair& bits);

/// Receives one instruction after another; the block means something for EXEC only.
using StepSink = std::function<void(const MatrixStep&, const TileBlock&)>;

/// The program of a schedule without its closing END (see StreamEmitter). Operands are unsigned in
/// the steps: signs are the encoder's.
void emit_steps(const MatrixConfig& config, const MatrixShape& shape,
                const MatrixSchedule& schedule, const BitPair& bits, const StreamMap& map,
                const StepSink& sink);

}  // namespace bittern
