#pragma once

#include <cstdint>
#include <string>

#include "host/cores/stream/stream_model.h"

namespace bittern {

/// Choices of a schedule for one operand.
struct SideSchedule {
  /// Stripes that one token covers (kTiled), bundles (kBundled); 1 in kSplitK.
  std::int64_t chunk = 1;
  /// Chunks that the buffer holds: the last slots - 1 are fetched ahead.
  int slots = 1;
};

/// In which order the stripes of two operands go through the buffers of a core. A layer is a number
/// of bundles (groups of channels that have nothing to do with each other); a bundle is all pairs
/// of a stripe of LHS (output pixels) and one of RHS (output channels); the reduction of a pair may
/// be cut into pieces. How long a stripe is and what it holds is the core's. See docs/lowering.md.
struct StreamSchedule {
  enum class Mode {
    kTiled,    ///< chunks of stripes within a bundle
    kBundled,  ///< chunks of whole bundles, both operands
    kSplitK,   ///< one stripe of each operand at a time, the reduction in pieces
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
  SideSchedule lhs;
  SideSchedule rhs;

  /// Canonical text of mode, order, chunks and slots, for example "tiled lhs-outer lhs=16x4 rhs=8x1
  /// resident". `split` says how long a piece is, in kSplitK.
  std::string order_key(const std::string& split) const;
};

/// One operand, before it is laid out.
struct OperandShape {
  std::int64_t bundles = 1;      ///< distinct ones: bundle b of the layer has data b % bundles
  std::int64_t stripes = 0;      ///< of a bundle
  std::int64_t pieces = 1;       ///< of the reduction
  std::int64_t piece_depth = 0;  ///< buffer words of a piece of a stripe
  std::int64_t last_depth = 0;   ///< of the last piece
  std::int64_t word_beats = 1;   ///< beats of every port that a buffer word takes
  /// The same in the last stripe of a bundle, of which only some rows may be in memory. Not used
  /// (0, or several stripes a bundle in kBundled, where one fetch takes them all): word_beats.
  std::int64_t last_word_beats = 0;
  std::int64_t beat_bytes = 8;  ///< of one port
};

/// Where the words of one operand lie in device memory, and how a schedule walks over them.
/// Offsets are bytes within the region of a lane (the share of one read port).
class OperandLayout {
 public:
  OperandLayout() = default;
  /// Layout of LHS (`lhs` true) or RHS under a schedule.
  OperandLayout(const StreamSchedule& schedule, const OperandShape& shape, bool lhs);

  std::int64_t stripes() const { return shape_.stripes; }  ///< of a bundle
  /// Buffer words of a stripe.
  std::int64_t stripe_depth() const {
    return (shape_.pieces - 1) * shape_.piece_depth + shape_.last_depth;
  }
  std::int64_t pieces() const { return shape_.pieces; }
  /// Buffer words of piece `piece` of a stripe.
  std::int64_t piece_depth(std::int64_t piece) const {
    return piece + 1 == shape_.pieces ? shape_.last_depth : shape_.piece_depth;
  }
  /// Buffer words of a stripe in front of piece `piece`, where the stripe is in the buffer whole.
  std::int64_t piece_base(std::int64_t piece) const { return piece * shape_.piece_depth; }
  /// Beats of every port that a buffer word of a stripe takes. Stripes of the following bundles go
  /// on counting.
  std::int64_t word_beats(std::int64_t stripe) const {
    return (stripe + 1) % shape_.stripes == 0 ? shape_.last_word_beats : shape_.word_beats;
  }
  std::int64_t beat_bytes() const { return shape_.beat_bytes; }
  /// Start of (bundle, stripe, piece).
  std::int64_t offset(std::int64_t bundle, std::int64_t stripe, std::int64_t piece) const;
  /// Bytes of a lane's region, a multiple of 4096.
  std::int64_t lane_bytes() const { return lane_bytes_; }
  /// Buffer words that a slot takes.
  std::int64_t slot_depth() const { return slot_depth_; }

 private:
  StreamSchedule::Mode mode_ = StreamSchedule::Mode::kTiled;
  OperandShape shape_;
  bool whole_ = true;  ///< all pieces of a stripe follow each other without alignment
  std::int64_t chunk_ = 1;
  std::int64_t chunks_ = 1;  ///< of a bundle (kTiled)
  std::int64_t chunk_stride_ = 0;
  std::int64_t lane_bytes_ = 0;
  std::int64_t slot_depth_ = 0;
};

/// Device memory of a program.
struct StreamMap {
  OperandLayout lhs;
  OperandLayout rhs;
  std::uint64_t lhs_address = 0;
  std::uint64_t rhs_address = 0;
  std::uint64_t result_address = 0;
  std::int64_t result_tiles = 0;
  std::int64_t tile_bytes = 0;          ///< of a result tile in the region of one write port
  std::uint64_t result_lane_bytes = 0;  ///< region of one write port
  std::uint64_t program_address = 0;    ///< last: its length depends on the rest
};

/// Lays out two operands for `lanes` read ports each, `result_tiles` tiles for `write_ports`, and
/// the program.
StreamMap lay_out(const OperandLayout& lhs, const OperandLayout& rhs, int lanes,
                  std::int64_t result_tiles, std::int64_t tile_bytes, int write_ports);

/// First tile of an instruction of the array: its tiles are (bundle, lhs_stripe + i, rhs_stripe +
/// j), j inner.
struct TileBlock {
  std::int64_t bundle = 0;
  std::int64_t lhs_stripe = 0;
  std::int64_t rhs_stripe = 0;
};

/// Walks over a schedule and makes its instructions, with what is the core's own left to a derived
/// class. Instructions that write results stand before those that make their tiles; everything else
/// only waits for instructions before it, so that the queues of a core can never lock up.
class StreamEmitter {
 public:
  /// Limits are those of the instruction fields: beats of a fetch, tiles of a store.
  StreamEmitter(const StreamSchedule& schedule, const StreamMap& map, std::int64_t bundles,
                std::uint64_t max_fetch_words, std::uint64_t max_result_tiles);
  virtual ~StreamEmitter() = default;

  /// The whole schedule.
  void run();

 protected:
  /// Which chunk of an operand the array reads, and what it does with its tokens.
  struct Use {
    std::int64_t base = 0;  ///< buffer word of the first stripe
    std::int64_t stripes = 1;
    bool wait = false;
    bool free = false;
  };

  /// A fetch of either operand, or (kResult) the store of step.tiles tiles.
  virtual void stream(const StreamStep& step) = 0;
  /// All tiles of lhs.stripes and rhs.stripes from `block` on, piece `piece` of their reduction.
  virtual void execute(const Use& lhs, const Use& rhs, const TileBlock& block,
                       std::int64_t piece) = 0;

  /// Makes sure that stores cover `tiles` more tiles.
  void store(std::int64_t tiles);

  const StreamSchedule& schedule() const { return schedule_; }
  const StreamMap& map() const { return map_; }

 private:
  class Fetcher;
  Fetcher fetcher(bool outer, std::int64_t total);
  void pair(const Use& outer, const Use& inner, std::int64_t bundle, std::int64_t outer_stripe,
            std::int64_t inner_stripe, std::int64_t piece);
  void tiled();
  void bundled();
  void split_k();

  const StreamSchedule& schedule_;
  const StreamMap& map_;
  const OperandLayout& outer_;
  const OperandLayout& inner_;
  const SideSchedule& outer_side_;
  const SideSchedule& inner_side_;
  std::int64_t bundles_;
  std::uint64_t max_fetch_words_;
  std::uint64_t max_result_tiles_;
  std::int64_t stored_ = 0;
  std::int64_t covered_ = 0;
};

}  // namespace bittern
