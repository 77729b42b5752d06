#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "host/cores/bitfusion/bitfusion_config.h"
#include "host/cores/stream/stream_schedule.h"
#include "host/network/layer.h"

namespace bittern {

/// How an operand of some width goes through the array: bits in a step and number of bytes that it
/// is cut into.
struct OperandMode {
  int bits = 8;   ///< 2, 4 or 8
  int bytes = 1;  ///< 2 for 9 to 16 bits
  /// For a width of 1 to 16 bits.
  static OperandMode of(int width);
};

/// A layer as the array sees it: `bundles` convolutions that have nothing to do with each other. A
/// bundle is one group, or several groups whose weights lie block-diagonally. In the im2col form
/// windows are gathered in memory, and the layer is a 1x1 convolution over kernel_h * kernel_w *
/// channels channels, ordered (kernel row, kernel column, channel).
struct FusionShape {
  bool im2col = false;
  std::int64_t bundles = 1;
  std::int64_t batch = 1;
  std::int64_t out_height = 1;
  std::int64_t out_width = 1;
  std::int64_t kernel_h = 1;
  std::int64_t kernel_w = 1;
  std::int64_t step_h = 1;         ///< input rows from one output row to the next, as packed
  std::int64_t step_w = 1;         ///< likewise: a stride beyond the kernel leaves nothing between
  std::int64_t channels = 0;       ///< input channels of a bundle
  std::int64_t outputs = 0;        ///< output channels of a bundle
  std::int64_t group_inputs = 0;   ///< input channels of a group, not gathered
  std::int64_t group_outputs = 0;  ///< output channels of a group
  std::int64_t bundle_inputs = 0;  ///< input channels of a bundle, not gathered

  OperandMode lhs;
  OperandMode rhs;
  std::int64_t block = 0;         ///< channels of a step: N * perf
  std::int64_t lhs_quarters = 0;  ///< quarter words that a step reads
  std::int64_t rhs_quarters = 0;
  std::int64_t blocks = 0;   ///< ceil(channels / block)
  std::int64_t columns = 0;  ///< ceil(outputs / M)

  static FusionShape of(const Layer& layer, int batch, const BitFusionConfig& config,
                        const BitPair& bits, bool im2col);
};

/// Sizes of a tile, in outputs, blocks of M output channels, blocks of input channels, and kernel
/// positions. All tiles of a layer are equal: what they exceed it by is computed and dropped.
struct FusionTile {
  std::int64_t batch = 1;
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t columns = 1;
  std::int64_t blocks = 1;
  std::int64_t kernel_h = 1;
  std::int64_t kernel_w = 1;

  std::int64_t words() const { return batch * height * width * columns; }
};

/// How a layer is cut into instructions. A stripe of LHS is the part of the input that the outputs
/// of one tile need, a stripe of RHS the weights of tile.columns * M output channels; pieces of the
/// reduction are tiles of channel blocks and kernel positions.
struct FusionSchedule : StreamSchedule {
  bool im2col = false;
  FusionTile tile;

  /// Canonical text, for example "direct b1 y14 x14 o2 c3 tiled lhs-outer lhs=1x2 rhs=2x1
  /// resident".
  std::string key() const;
};

/// A shape under a schedule: how many tiles there are and what they hold.
struct FusionGrid {
  FusionGrid(const FusionShape& shape, const FusionSchedule& schedule);

  FusionTile tile;
  std::int64_t batches = 1;  ///< tiles along each dimension
  std::int64_t rows = 1;
  std::int64_t cols = 1;
  std::int64_t lhs_stripes = 1;  ///< batches * rows * cols
  std::int64_t rhs_stripes = 1;
  std::int64_t block_pieces = 1;
  std::int64_t kernel_h_pieces = 1;
  std::int64_t kernel_w_pieces = 1;
  std::int64_t pieces = 1;  ///< ordered (channel blocks, kernel rows, kernel columns)

  std::int64_t in_height = 1;      ///< input rows of a piece of a stripe, halo included
  std::int64_t in_width = 1;       ///< likewise
  std::int64_t lhs_byte_size = 0;  ///< quarter words of one byte of all operands of a piece
  std::int64_t rhs_byte_size = 0;
  std::int64_t lhs_depth = 0;  ///< buffer words of a piece
  std::int64_t rhs_depth = 0;
  std::int64_t piece_steps = 0;  ///< steps of a tile and piece
};

/// Lays out operands, results and program. A piece of LHS is ordered [byte][image][row][column]
/// [channel block][quarter], one of RHS [byte][column block][kernel row][kernel column][channel
/// block][quarter]; the last word is filled up.
StreamMap make_map(const BitFusionConfig& config, const FusionShape& shape,
                   const FusionSchedule& schedule);

/// Receives one instruction after another; the block means something for COMPUTE only.
using FusionSink = std::function<void(const BitFusionStep&, const TileBlock&)>;

/// The program of a schedule without its closing END (see StreamEmitter). Output words of a tile
/// are ordered [column block][image][row][column].
void emit_steps(const BitFusionConfig& config, const FusionShape& shape,
                const FusionSchedule& schedule, const StreamMap& map, const FusionSink& sink);

}  // namespace bittern
