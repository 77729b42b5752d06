#include "host/cores/bitfusion/bitfusion_planner.h"

#include <algorithm>
#include <set>

#include "host/base/ceil_div.h"
#include "host/base/error.h"
#include "host/cores/stream/stream_planner.h"

namespace bittern {
namespace {

/// Tiles that a token covers at most: one instruction each.
constexpr std::int64_t kMostTiles = 1024;
/// Iterations of a loop level at most.
constexpr std::int64_t kMostIterations = 1 << 16;
/// Last step of a tile -> its first beat is written, besides the N + M registers of the array.
constexpr std::int64_t kStepToBeat = 8;

/// Sizes of a tile along a dimension, at most `most`: the greatest that makes tiles even, and those
/// for half, a quarter, ... of it, and the greatest divisor. Descending.
std::vector<std::int64_t> tile_sizes(std::int64_t total, std::int64_t most, int halvings) {
  most = std::min(most, total);
  std::set<std::int64_t> sizes;
  for (std::int64_t size = most; size >= 1 && halvings >= 0; size /= 2, --halvings) {
    sizes.insert(ceil_div(total, ceil_div(total, size)));
  }
  for (std::int64_t size = most; size >= 1; --size) {
    if (total % size == 0) {
      sizes.insert(size);
      break;
    }
  }
  return {sizes.rbegin(), sizes.rend()};
}

class Enumerator {
 public:
  Enumerator(const BitFusionConfig& config, const FusionShape& shape)
      : config_(config), shape_(shape), machine_(config.machine()) {}

  std::vector<FusionCandidate> run() {
    tiles(3);
    // Buffers that hold so little take smaller tiles.
    if (candidates_.empty()) tiles(kAllHalvings);
    return std::move(candidates_);
  }

 private:
  static constexpr int kAllHalvings = 30;

  void tiles(int halvings) {
    FusionTile tile;
    for (const std::int64_t columns :
         tile_sizes(shape_.columns, config_.tile_words(), kAllHalvings)) {
      tile.columns = columns;
      const std::int64_t pixels = config_.tile_words() / columns;
      for (const std::int64_t width : tile_sizes(shape_.out_width, pixels, halvings)) {
        tile.width = width;
        for (const std::int64_t height :
             tile_sizes(shape_.out_height, pixels / width, halvings - 1)) {
          tile.height = height;
          // Tiles of several images only where they are of whole images.
          const bool whole = width == shape_.out_width && height == shape_.out_height;
          const std::int64_t images = whole ? pixels / width / height : 1;
          for (const std::int64_t batch : tile_sizes(shape_.batch, images, 1)) {
            tile.batch = batch;
            reductions(tile);
          }
        }
      }
    }
  }

  /// Grid of a tile.
  FusionGrid grid(const FusionTile& tile) const {
    FusionSchedule schedule;
    schedule.tile = tile;
    return {shape_, schedule};
  }

  bool fits(const FusionTile& tile, int slots) const {
    const FusionGrid g = grid(tile);
    return g.lhs_depth * slots <= config_.ibuf_depth && g.rhs_depth * slots <= config_.wbuf_depth &&
           tile.kernel_w * tile.blocks <= kMostIterations;
  }

  /// All schedules for tiles of these outputs.
  void reductions(FusionTile tile) {
    tile.blocks = shape_.blocks;
    tile.kernel_h = shape_.kernel_h;
    tile.kernel_w = shape_.kernel_w;
    if (fits(tile, 1)) whole(tile);
    if (!fits(tile, 2)) split(tile);
  }

  void whole(const FusionTile& tile) {
    const FusionGrid g = grid(tile);
    const PlanSide lhs{g.lhs_stripes, g.lhs_depth, config_.ibuf_depth, kMostTiles};
    const PlanSide rhs{g.rhs_stripes, g.rhs_depth, config_.wbuf_depth, kMostTiles};
    for (const StreamSchedule& order : whole_schedules(lhs, rhs, shape_.bundles, shape_.bundles)) {
      add(order, tile, g);
    }
  }

  /// The reduction in pieces, as long as the buffers allow: channels are cut first, then kernel
  /// rows, then kernel columns.
  void split(const FusionTile& outputs) {
    for (const int slots : {2, 4, kMaxPlanSlots, 1}) {
      FusionTile tile = outputs;
      tile.kernel_h = shape_.kernel_h;
      tile.kernel_w = shape_.kernel_w;
      tile.blocks = 1;
      while (!fits(tile, slots) && tile.kernel_h > 1) cut(tile.kernel_h, shape_.kernel_h);
      while (!fits(tile, slots) && tile.kernel_w > 1) cut(tile.kernel_w, shape_.kernel_w);
      if (!fits(tile, slots)) continue;
      std::int64_t low = 1;
      std::int64_t high = shape_.blocks;
      while (low < high) {
        tile.blocks = (low + high + 1) / 2;
        if (fits(tile, slots)) {
          low = tile.blocks;
        } else {
          high = tile.blocks - 1;
        }
      }
      tile.blocks = ceil_div(shape_.blocks, ceil_div(shape_.blocks, low));
      const FusionGrid g = grid(tile);
      if (g.pieces == 1) continue;  // one of whole()
      for (const bool lhs_outer : {true, false}) {
        for (const bool whole : {true, false}) {
          StreamSchedule order;
          order.mode = StreamSchedule::Mode::kSplitK;
          order.lhs_outer = lhs_outer;
          order.outer_whole = whole;
          SideSchedule& outer = lhs_outer ? order.lhs : order.rhs;
          SideSchedule& inner = lhs_outer ? order.rhs : order.lhs;
          outer = inner = {1, slots};
          if (whole) {
            const std::int64_t stripe = (lhs_outer ? g.lhs_depth : g.rhs_depth) * g.pieces;
            const std::int64_t depth = lhs_outer ? config_.ibuf_depth : config_.wbuf_depth;
            outer.slots = static_cast<int>(std::min<std::int64_t>(depth / stripe, 2));
            if (outer.slots < 1) continue;
          }
          add(order, tile, g);
        }
      }
    }
  }

  /// The next smaller even part of `total`.
  static void cut(std::int64_t& part, std::int64_t total) {
    const std::int64_t before = part;
    for (std::int64_t parts = ceil_div(total, part); part == before; ++parts) {
      part = ceil_div(total, parts);
    }
  }

  void add(const StreamSchedule& order, const FusionTile& tile, const FusionGrid& g) {
    FusionCandidate candidate;
    static_cast<StreamSchedule&>(candidate.schedule) = order;
    candidate.schedule.im2col = shape_.im2col;
    candidate.schedule.tile = tile;

    const std::int64_t group_bytes = std::int64_t{config_.lanes} * config_.port_bytes();
    const std::int64_t lhs_beats = 4 * config_.lhs_quarter_bytes() / group_bytes * g.lhs_depth;
    const std::int64_t rhs_beats = 4 * config_.rhs_quarter_bytes() / group_bytes * g.rhs_depth;
    StreamWork work;
    work.bundles = shape_.bundles;
    work.lhs_stripes = g.lhs_stripes;
    work.rhs_stripes = g.rhs_stripes;
    work.lhs_piece_beats = lhs_beats;
    work.rhs_piece_beats = rhs_beats;
    work.lhs_stripe_beats = lhs_beats * g.pieces;
    work.rhs_stripe_beats = rhs_beats * g.pieces;
    work.tile_cycles = g.piece_steps * g.pieces;
    work.tile_beats = tile.words() * config_.word_bytes_per_port() / config_.port_bytes();
    work.to_write = config_.n + config_.m + kStepToBeat;
    // A half is in use from the first step to the transfer of the last beat.
    work.slot_turn = work.tile_cycles + work.to_write +
                     work.tile_beats * machine_.port_width / 8 /
                         std::min(machine_.port_width / 8, machine_.memory_bytes_per_cycle);
    work.tile_instructions = g.pieces;
    candidate.bound = stream_bound(machine_, order, work);
    candidates_.push_back(candidate);
  }

  const BitFusionConfig& config_;
  const FusionShape& shape_;
  const BitFusionMachine machine_;
  std::vector<FusionCandidate> candidates_;
};

}  // namespace

std::vector<FusionCandidate> candidate_schedules(const BitFusionConfig& config,
                                                 const FusionShape& shape) {
  std::vector<FusionCandidate> candidates = Enumerator(config, shape).run();
  if (candidates.empty()) {
    fail(
        "no schedule fits the buffers ({}, {} and {} words); BitFusionConfig promises at least two "
        "words each",
        config.ibuf_depth, config.wbuf_depth, config.obuf_depth);
  }
  return candidates;
}

}  // namespace bittern
