#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "host/model/bismo_model.h"
#include "host/network/layer.h"
#include "host/program/bismo_config.h"

namespace bittern {

/// A layer as matrix products: `bundles` products of L (m x k) and R (n x k), with the reduction
/// ordered (kernel row, kernel column, channel). A bundle is one group of a convolution, or
/// depthwise_pack groups of a depthwise layer, whose weights then lie block-diagonally in R.
struct GemmShape {
  std::int64_t bundles = 1;
  std::int64_t m = 0;              ///< batch * out_height * out_width
  std::int64_t n = 0;              ///< output channels of a bundle
  std::int64_t k = 0;              ///< kernel_h * kernel_w * channels
  std::int64_t channels = 0;       ///< input channels of a bundle
  std::int64_t group_inputs = 0;   ///< input channels of a group
  std::int64_t group_outputs = 0;  ///< output channels of a group
  std::int64_t lhs_stripes = 0;    ///< ceil(m / dm)
  std::int64_t rhs_stripes = 0;    ///< ceil(n / dn)
  std::int64_t k_words = 0;        ///< ceil(k / dk)

  static GemmShape of(const Layer& layer, int batch, const BismoConfig& config);
};

/// Choices of a schedule for one operand.
struct SideSchedule {
  /// Stripes that one token covers (kTiled), bundles (kBundled); 1 in kSplitK.
  std::int64_t chunk = 1;
  /// Chunks that the buffer holds: the last slots - 1 are fetched ahead.
  int slots = 1;
};

/// How a layer is cut into instructions. See docs/lowering.md.
struct BismoSchedule {
  enum class Mode {
    kTiled,    ///< chunks of stripes within a bundle
    kBundled,  ///< chunks of whole bundles, both operands
    kSplitK,   ///< one stripe of each operand at a time, K in pieces
  };
  Mode mode = Mode::kTiled;
  /// The operand of the outer loop is fetched once; the inner one once per chunk of the outer,
  /// unless it is resident.
  bool lhs_outer = true;
  /// kTiled: all stripes of the inner operand stay in the buffer while the bundle is worked on.
  bool inner_resident = false;
  /// kSplitK: the outer stripe is held whole while the inner ones stream by in pieces.
  bool outer_whole = false;
  /// kTiled: the next outer chunk is fetched as soon as the present one is started.
  bool prefetch = false;
  std::int64_t k_chunk = 0;  ///< words of K a piece; all of them unless kSplitK
  SideSchedule lhs;
  SideSchedule rhs;

  /// Canonical text, for example "tiled lhs-outer lhs=16x4 rhs=8x1 resident".
  std::string key() const;
};

/// Where the words of one operand lie in device memory, and how a schedule walks over them.
/// Offsets are bytes within the region of a lane.
class OperandLayout {
 public:
  OperandLayout() = default;
  /// Layout of LHS (`lhs` true) or RHS under a schedule; `bits` are those of the operand.
  OperandLayout(const BismoConfig& config, const GemmShape& shape, const BismoSchedule& schedule,
                bool lhs, int bits);

  std::int64_t rows() const { return rows_; }        ///< dm or dn
  std::int64_t stripes() const { return stripes_; }  ///< of a bundle
  int bits() const { return bits_; }
  /// Words of dk bits that a stripe takes in each bank.
  std::int64_t stripe_depth() const { return bits_ * k_words_; }
  std::int64_t pieces() const { return pieces_; }
  /// Words along K of piece `piece`.
  std::int64_t piece_words(std::int64_t piece) const;
  /// Start of plane 0 of (bundle, stripe, piece); its words are ordered plane, word along K, row.
  std::int64_t offset(std::int64_t bundle, std::int64_t stripe, std::int64_t piece) const;
  /// Bytes of a lane's region, a multiple of 4096.
  std::int64_t lane_bytes() const { return lane_bytes_; }
  /// Buffer words in each bank that a slot takes.
  std::int64_t slot_depth() const { return slot_depth_; }

 private:
  BismoSchedule::Mode mode_ = BismoSchedule::Mode::kTiled;
  bool whole_ = true;  ///< all pieces of a stripe follow each other without alignment
  std::int64_t rows_ = 0;
  std::int64_t stripes_ = 0;
  std::int64_t k_words_ = 0;
  std::int64_t k_chunk_ = 0;
  std::int64_t pieces_ = 1;
  std::int64_t chunk_ = 1;
  std::int64_t chunks_ = 1;  ///< of a bundle (kTiled)
  std::int64_t word_bytes_ = 0;
  std::int64_t chunk_stride_ = 0;
  std::int64_t lane_bytes_ = 0;
  std::int64_t slot_depth_ = 0;
  int bits_ = 1;
};

/// Device memory of a program.
struct BismoMap {
  OperandLayout lhs;
  OperandLayout rhs;
  std::uint64_t lhs_address = 0;
  std::uint64_t rhs_address = 0;
  std::uint64_t result_address = 0;
  std::uint64_t result_lane_bytes = 0;  ///< region of one write port
  std::uint64_t program_address = 0;    ///< last: its length depends on the rest
  std::int64_t result_tiles = 0;
};

/// Lays out operands, results and program.
BismoMap make_map(const BismoConfig& config, const GemmShape& shape, const BismoSchedule& schedule,
                  const BitPair& bits);

/// First tile of an EXEC: its tiles are (bundle, lhs_stripe + i, rhs_stripe + j), j inner.
struct TileBlock {
  std::int64_t bundle = 0;
  std::int64_t lhs_stripe = 0;
  std::int64_t rhs_stripe = 0;
};

/// Receives one instruction after another; the block means something for EXEC only.
using StepSink = std::function<void(const BismoStep&, const TileBlock&)>;

/// The program of a schedule without its closing END. RESULT instructions stand before the EXECs
/// whose tiles they write; everything else only waits for instructions before it, so that the
/// queues of the core can never lock up. Operands are unsigned in the steps: signs are the
/// encoder's.
void emit_steps(const BismoConfig& config, const GemmShape& shape, const BismoSchedule& schedule,
                const BismoMap& map, const StepSink& sink);

}  // namespace bittern
