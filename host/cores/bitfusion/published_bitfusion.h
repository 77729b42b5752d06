#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace bittern {

/// BitFusion as the simulator that its authors published sees it (Sharma et al., ISCA 2018): array,
/// buffers, bits of DRAM a cycle, and what accesses cost. There are no latencies in it.
struct PublishedBitFusion {
  std::int64_t n = 0;         ///< rows of the array
  std::int64_t m = 0;         ///< columns
  std::int64_t wgt_bits = 0;  ///< sizes of the three buffers; a tile may use half of each
  std::int64_t act_bits = 0;
  std::int64_t out_bits = 0;
  std::int64_t dram_bits = 0;  ///< a cycle

  // pJ a bit (CACTI, 45 nm) and a cycle and fusion unit, with which ties are broken. The sizes are
  // those of the published 16x32 array.
  double wgt_read = 0.021, wgt_write = 0.029;
  double act_read = 0.059, act_write = 0.114;
  double out_read = 0.033, out_write = 0.073;
  double dram = 15.0;
  double unit = 0.459;
};

/// A convolution of one group of channels, for the whole batch.
struct PublishedLayer {
  std::int64_t batch = 1;
  std::int64_t out_height = 1;
  std::int64_t out_width = 1;
  std::int64_t kernel_h = 1;
  std::int64_t kernel_w = 1;
  std::int64_t stride_h = 1;
  std::int64_t stride_w = 1;
  std::int64_t in_channels = 1;
  std::int64_t out_channels = 1;
  /// As they lie in DRAM. The simulator stops at 8; published_cost() takes 16 as two bytes, which
  /// the paper multiplies in a pass for each pair.
  int wgt_bits = 8;
  int act_bits = 8;
  /// Windows are gathered in memory: kernel positions and channels share the rows of the array. The
  /// simulator does so for the first layer of a network.
  bool im2col = false;
};

/// Products that a fusion unit makes a cycle at the bits of the layer, 1 to 16; widths between 2, 4
/// and 8 are rounded up, wider ones count as 8.
std::int64_t published_products(const PublishedLayer& layer);

/// Loops of the tiling.
enum class PublishedLoop { kBatch, kWidth, kHeight, kIn, kOut };

/// Sizes of a tile, and the order of the loops over tiles, outermost first.
struct PublishedTiling {
  std::int64_t batch = 1;
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t in_channels = 1;
  std::int64_t out_channels = 1;
  std::array<PublishedLoop, 5> order = {PublishedLoop::kBatch, PublishedLoop::kHeight,
                                        PublishedLoop::kWidth, PublishedLoop::kOut,
                                        PublishedLoop::kIn};

  /// For example "b2 y4 x4 i64 o32 order b,y,x,o,i".
  std::string key() const;
};

/// What the published model counts. Bits are of DRAM and of the buffers.
struct PublishedCost {
  std::int64_t compute = 0;  ///< cycles in which the array works
  std::int64_t stalls =
      0;  ///< cycles in which it waits for DRAM, first fill and last drain included
  std::int64_t cycles() const { return compute + stalls; }

  std::int64_t dram_read = 0;
  std::int64_t dram_write = 0;
  std::int64_t wgt_read = 0;
  std::int64_t wgt_write = 0;
  std::int64_t act_read = 0;
  std::int64_t act_write = 0;
  std::int64_t out_read = 0;
  std::int64_t out_write = 0;
  double energy_pj = 0.0;  ///< by the numbers of PublishedBitFusion
};

/// Cost of a layer under a tiling that need not be one of the search's.
PublishedCost published_cost(const PublishedBitFusion& machine, const PublishedLayer& layer,
                             const PublishedTiling& tiling);

/// What the search of the published simulator finds: over tile sizes that are powers of two (output
/// channels: times the columns of the array; height and width together) and all 120 loop orders,
/// the fewest cycles, then the least energy. A tile fits when half of each buffer holds it filled
/// up to the array's rows and columns (docs/bitfusion.md). Throws Error for bits beyond 8, which
/// that simulator cannot do, and when not even the smallest tile fits.
struct PublishedBest {
  PublishedTiling tiling;
  PublishedCost cost;
};
PublishedBest published_search(const PublishedBitFusion& machine, const PublishedLayer& layer);

}  // namespace bittern
