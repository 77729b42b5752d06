#include "host/program/bismo_schedule.h"

#include <algorithm>

#include "host/base/error.h"

namespace bittern {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
std::int64_t align(std::int64_t value, std::int64_t unit) { return ceil_div(value, unit) * unit; }

/// Instructions start on 64 bytes in device memory.
constexpr std::int64_t kBaseAlignment = 64;
/// Lanes and operands start on this, so that all ports meet burst boundaries at the same beat.
constexpr std::int64_t kRegionAlignment = 4096;

/// Emits the fetches of one operand and keeps account of its slots and tokens.
class Fetcher {
 public:
  Fetcher(const BismoConfig& config, const OperandLayout& layout, std::uint64_t address, bool lhs,
          int slots, std::int64_t total, const StepSink& sink)
      : config_(config), layout_(layout), sink_(sink), slots_(slots), total_(total) {
    step_.kind = lhs ? BismoStep::Kind::kFetchLhs : BismoStep::Kind::kFetchRhs;
    step_.lane_stride = layout.lane_bytes();
    address_ = address;
  }

  /// Loads `depth` words of every bank from `offset` into the next slot.
  void fetch(std::int64_t offset, std::int64_t depth) {
    const std::int64_t rows = layout_.rows();
    // An instruction counts so many words at most; pieces end on whole rows and 64 bytes.
    const std::int64_t unit = rows * 8;
    const std::int64_t most =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(config_.max_fetch_words) / unit) * unit;
    const std::int64_t words = depth * rows;
    for (std::int64_t done = 0; done < words; done += most) {
      step_.words = std::min(most, words - done);
      step_.wait_free = done == 0 && fetched_ >= slots_;
      step_.send_filled = done + most >= words;
      step_.buffer_base = static_cast<std::uint32_t>(slot_base(fetched_) + done / rows);
      step_.dram_base = address_ + offset + done * config_.port_bytes();
      sink_(step_, TileBlock{});
    }
    ++fetched_;
  }
  /// Chunks fetched so far.
  std::int64_t fetched() const { return fetched_; }
  /// Chunks that the program fetches in all.
  std::int64_t total() const { return total_; }
  /// Buffer address of the slot of chunk `index`.
  std::int64_t slot_base(std::int64_t index) const { return index % slots_ * layout_.slot_depth(); }
  /// Whether a later fetch waits for the slot of chunk `index`.
  bool frees(std::int64_t index) const { return index + slots_ < total_; }

 private:
  const BismoConfig& config_;
  const OperandLayout& layout_;
  const StepSink& sink_;
  BismoStep step_;
  std::uint64_t address_ = 0;
  std::int64_t slots_;
  std::int64_t total_;
  std::int64_t fetched_ = 0;
};

/// Which chunk of an operand an EXEC reads, and what it does with its tokens.
struct Use {
  std::int64_t base = 0;  ///< buffer address
  std::int64_t stripes = 1;
  bool wait = false;
  bool free = false;
};

/// Walks over one schedule. The three modes are three methods; `outer` and `inner` stand for LHS
/// and RHS or the reverse.
class Emitter {
 public:
  Emitter(const BismoConfig& config, const GemmShape& shape, const BismoSchedule& schedule,
          const BismoMap& map, const StepSink& sink)
      : config_(config),
        shape_(shape),
        schedule_(schedule),
        map_(map),
        sink_(sink),
        outer_(schedule.lhs_outer ? map.lhs : map.rhs),
        inner_(schedule.lhs_outer ? map.rhs : map.lhs),
        outer_side_(schedule.lhs_outer ? schedule.lhs : schedule.rhs),
        inner_side_(schedule.lhs_outer ? schedule.rhs : schedule.lhs) {}

  void run() {
    switch (schedule_.mode) {
      case BismoSchedule::Mode::kTiled:
        return tiled();
      case BismoSchedule::Mode::kBundled:
        return bundled();
      case BismoSchedule::Mode::kSplitK:
        return split_k();
    }
  }

 private:
  Fetcher fetcher(bool outer, std::int64_t total) const {
    const bool lhs = outer == schedule_.lhs_outer;
    return Fetcher(config_, lhs ? map_.lhs : map_.rhs, lhs ? map_.lhs_address : map_.rhs_address,
                   lhs, lhs ? schedule_.lhs.slots : schedule_.rhs.slots, total, sink_);
  }

  void exec(const Use& outer, const Use& inner, std::int64_t bundle, std::int64_t outer_stripe,
            std::int64_t inner_stripe, std::int64_t piece) {
    const Use& lhs = schedule_.lhs_outer ? outer : inner;
    const Use& rhs = schedule_.lhs_outer ? inner : outer;
    BismoStep step;
    step.kind = BismoStep::Kind::kExec;
    step.wait_lhs = lhs.wait;
    step.wait_rhs = rhs.wait;
    step.free_lhs = lhs.free;
    step.free_rhs = rhs.free;
    step.accumulate = piece > 0;
    step.emit = piece + 1 == map_.lhs.pieces();
    step.lhs_bits = map_.lhs.bits();
    step.rhs_bits = map_.rhs.bits();
    step.lhs_base = static_cast<std::uint32_t>(lhs.base);
    step.rhs_base = static_cast<std::uint32_t>(rhs.base);
    step.k_words = static_cast<std::uint32_t>(map_.lhs.piece_words(piece));
    step.lhs_tiles = static_cast<std::uint32_t>(lhs.stripes);
    step.rhs_tiles = static_cast<std::uint32_t>(rhs.stripes);
    // The field has 16 bits and a stride is only used between stripes.
    step.lhs_stride = lhs.stripes > 1 ? static_cast<std::uint32_t>(map_.lhs.stripe_depth()) : 0;
    step.rhs_stride = rhs.stripes > 1 ? static_cast<std::uint32_t>(map_.rhs.stripe_depth()) : 0;
    if (step.emit) results(lhs.stripes * rhs.stripes);
    sink_(step, schedule_.lhs_outer ? TileBlock{bundle, outer_stripe, inner_stripe}
                                    : TileBlock{bundle, inner_stripe, outer_stripe});
  }

  /// Makes sure that RESULT instructions cover `tiles` more tiles.
  void results(std::int64_t tiles) {
    // Whole multiples keep the base of every RESULT on 64 bytes.
    const std::int64_t most =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(config_.max_result_tiles) / 64) * 64;
    emitted_ += tiles;
    while (covered_ < emitted_) {
      BismoStep step;
      step.kind = BismoStep::Kind::kResult;
      step.tiles = std::min(most, map_.result_tiles - covered_);
      step.dram_base = map_.result_address + covered_ * config_.tile_bytes_per_port();
      step.lane_stride = map_.result_lane_bytes;
      covered_ += step.tiles;
      sink_(step, TileBlock{});
    }
  }

  void tiled() {
    const std::int64_t outer_chunks = ceil_div(outer_.stripes(), outer_side_.chunk);
    const std::int64_t inner_chunks = ceil_div(inner_.stripes(), inner_side_.chunk);
    const std::int64_t passes = schedule_.inner_resident ? 1 : outer_chunks;
    Fetcher outer_fetcher = fetcher(true, shape_.bundles * outer_chunks);
    Fetcher inner_fetcher = fetcher(false, shape_.bundles * passes * inner_chunks);

    const auto outer_stripes = [&](std::int64_t chunk) {
      return std::min(outer_side_.chunk, outer_.stripes() - chunk * outer_side_.chunk);
    };
    const auto inner_stripes = [&](std::int64_t chunk) {
      return std::min(inner_side_.chunk, inner_.stripes() - chunk * inner_side_.chunk);
    };
    // Fetches outer chunks up to `index`, counted over all bundles.
    const auto fetch_outer = [&](std::int64_t index) {
      while (outer_fetcher.fetched() <= std::min(index, outer_fetcher.total() - 1)) {
        const std::int64_t bundle = outer_fetcher.fetched() / outer_chunks;
        const std::int64_t chunk = outer_fetcher.fetched() % outer_chunks;
        outer_fetcher.fetch(outer_.offset(bundle, chunk * outer_side_.chunk, 0),
                            outer_stripes(chunk) * outer_.stripe_depth());
      }
    };

    std::int64_t resident_first = 0;  // inner chunk index that the resident set starts with
    for (std::int64_t bundle = 0; bundle < shape_.bundles; ++bundle) {
      for (std::int64_t a = 0; a < outer_chunks; ++a) {
        const std::int64_t outer_index = bundle * outer_chunks + a;
        const bool whole = schedule_.inner_resident && a > 0;
        const std::int64_t turns = whole ? 1 : inner_chunks;
        for (std::int64_t b = 0; b < turns; ++b) {
          Use inner;
          if (whole) {
            // All inner chunks lie one behind the other: one EXEC takes them together.
            inner.base = inner_fetcher.slot_base(resident_first);
            inner.stripes = inner_.stripes();
            inner.free =
                a + 1 == outer_chunks && inner_chunks == 1 && inner_fetcher.frees(resident_first);
          } else {
            const std::int64_t index = inner_fetcher.fetched();
            if (b == 0) resident_first = index;
            inner_fetcher.fetch(inner_.offset(bundle, b * inner_side_.chunk, 0),
                                inner_stripes(b) * inner_.stripe_depth());
            inner.base = inner_fetcher.slot_base(index);
            inner.stripes = inner_stripes(b);
            inner.wait = true;
            inner.free =
                inner_fetcher.frees(index) && (!schedule_.inner_resident || outer_chunks == 1);
          }
          fetch_outer(outer_index);
          if (schedule_.prefetch) fetch_outer(outer_index + 1);
          Use outer;
          outer.base = outer_fetcher.slot_base(outer_index);
          outer.stripes = outer_stripes(a);
          outer.wait = b == 0;
          outer.free = b + 1 == turns && outer_fetcher.frees(outer_index);
          exec(outer, inner, bundle, a * outer_side_.chunk, whole ? 0 : b * inner_side_.chunk, 0);
        }
      }
    }
  }

  void bundled() {
    const std::int64_t chunk = outer_side_.chunk;
    const std::int64_t chunks = ceil_div(shape_.bundles, chunk);
    Fetcher outer_fetcher = fetcher(true, chunks);
    Fetcher inner_fetcher = fetcher(false, chunks);
    const std::int64_t outer_depth = outer_.stripes() * outer_.stripe_depth();
    const std::int64_t inner_depth = inner_.stripes() * inner_.stripe_depth();
    for (std::int64_t index = 0; index < chunks; ++index) {
      const std::int64_t first = index * chunk;
      const std::int64_t count = std::min(chunk, shape_.bundles - first);
      inner_fetcher.fetch(inner_.offset(first, 0, 0), count * inner_depth);
      outer_fetcher.fetch(outer_.offset(first, 0, 0), count * outer_depth);
      for (std::int64_t i = 0; i < count; ++i) {
        Use outer;
        outer.base = outer_fetcher.slot_base(index) + i * outer_depth;
        outer.stripes = outer_.stripes();
        outer.wait = i == 0;
        outer.free = i + 1 == count && outer_fetcher.frees(index);
        Use inner;
        inner.base = inner_fetcher.slot_base(index) + i * inner_depth;
        inner.stripes = inner_.stripes();
        inner.wait = i == 0;
        inner.free = i + 1 == count && inner_fetcher.frees(index);
        exec(outer, inner, first + i, 0, 0, 0);
      }
    }
  }

  void split_k() {
    const std::int64_t pieces = map_.lhs.pieces();
    const std::int64_t tiles = shape_.bundles * outer_.stripes() * inner_.stripes();
    const bool whole = schedule_.outer_whole;
    Fetcher outer_fetcher =
        fetcher(true, whole ? shape_.bundles * outer_.stripes() : tiles * pieces);
    Fetcher inner_fetcher = fetcher(false, tiles * pieces);
    for (std::int64_t bundle = 0; bundle < shape_.bundles; ++bundle) {
      for (std::int64_t a = 0; a < outer_.stripes(); ++a) {
        for (std::int64_t b = 0; b < inner_.stripes(); ++b) {
          for (std::int64_t piece = 0; piece < pieces; ++piece) {
            Use outer;
            const bool first = !whole || (b == 0 && piece == 0);
            const bool last = !whole || (b + 1 == inner_.stripes() && piece + 1 == pieces);
            if (first) {
              outer_fetcher.fetch(
                  outer_.offset(bundle, a, piece),
                  outer_.bits() * (whole ? shape_.k_words : outer_.piece_words(piece)));
            }
            const std::int64_t outer_index = outer_fetcher.fetched() - 1;
            outer.base = outer_fetcher.slot_base(outer_index) +
                         (whole ? piece * outer_.bits() * schedule_.k_chunk : 0);
            outer.wait = first;
            outer.free = last && outer_fetcher.frees(outer_index);
            Use inner;
            const std::int64_t inner_index = inner_fetcher.fetched();
            inner_fetcher.fetch(inner_.offset(bundle, b, piece),
                                inner_.bits() * inner_.piece_words(piece));
            inner.base = inner_fetcher.slot_base(inner_index);
            inner.wait = true;
            inner.free = inner_fetcher.frees(inner_index);
            exec(outer, inner, bundle, a, b, piece);
          }
        }
      }
    }
  }

  const BismoConfig& config_;
  const GemmShape& shape_;
  const BismoSchedule& schedule_;
  const BismoMap& map_;
  const StepSink& sink_;
  const OperandLayout& outer_;
  const OperandLayout& inner_;
  const SideSchedule& outer_side_;
  const SideSchedule& inner_side_;
  std::int64_t emitted_ = 0;
  std::int64_t covered_ = 0;
};

}  // namespace

GemmShape GemmShape::of(const Layer& layer, int batch, const BismoConfig& config) {
  GemmShape shape;
  shape.group_inputs = layer.in_channels / layer.groups;
  shape.group_outputs = layer.out_channels / layer.groups;
  std::int64_t pack = 1;
  if (layer.kind == LayerKind::kDepthwise) {
    pack = std::min<std::int64_t>(config.depthwise_pack, layer.groups);
  }
  shape.bundles = ceil_div(layer.groups, pack);
  shape.channels = pack * shape.group_inputs;
  shape.m = static_cast<std::int64_t>(batch) * layer.out_height() * layer.out_width();
  shape.n = pack * shape.group_outputs;
  shape.k = static_cast<std::int64_t>(layer.kernel_h) * layer.kernel_w * shape.channels;
  shape.lhs_stripes = ceil_div(shape.m, config.dm);
  shape.rhs_stripes = ceil_div(shape.n, config.dn);
  shape.k_words = ceil_div(shape.k, config.dk);
  return shape;
}

std::string BismoSchedule::key() const {
  const char* order = lhs_outer ? "lhs-outer" : "rhs-outer";
  switch (mode) {
    case Mode::kTiled:
      return fmt::format("tiled {} lhs={}x{} rhs={}x{}{}{}", order, lhs.chunk, lhs.slots, rhs.chunk,
                         rhs.slots, inner_resident ? " resident" : "", prefetch ? " ahead" : "");
    case Mode::kBundled:
      return fmt::format("bundled {} lhs={}x{} rhs={}x{}", order, lhs.chunk, lhs.slots, rhs.chunk,
                         rhs.slots);
    case Mode::kSplitK:
      break;
  }
  return fmt::format("splitk {} k={} lhs=1x{} rhs=1x{}{}", order, k_chunk, lhs.slots, rhs.slots,
                     outer_whole ? " whole" : "");
}

OperandLayout::OperandLayout(const BismoConfig& config, const GemmShape& shape,
                             const BismoSchedule& schedule, bool lhs, int bits)
    : mode_(schedule.mode), bits_(bits) {
  rows_ = lhs ? config.dm : config.dn;
  stripes_ = lhs ? shape.lhs_stripes : shape.rhs_stripes;
  k_words_ = shape.k_words;
  k_chunk_ = mode_ == BismoSchedule::Mode::kSplitK ? schedule.k_chunk : k_words_;
  pieces_ = ceil_div(k_words_, k_chunk_);
  whole_ = pieces_ == 1 || (schedule.outer_whole && lhs == schedule.lhs_outer);
  chunk_ = lhs ? schedule.lhs.chunk : schedule.rhs.chunk;
  word_bytes_ = config.port_bytes();

  std::int64_t chunk_count = 0;  // of the whole operand
  switch (mode_) {
    case BismoSchedule::Mode::kTiled:
      chunks_ = ceil_div(stripes_, chunk_);
      chunk_count = shape.bundles * chunks_;
      slot_depth_ = std::min(chunk_, stripes_) * stripe_depth();
      break;
    case BismoSchedule::Mode::kBundled:
      chunk_count = ceil_div(shape.bundles, chunk_);
      slot_depth_ = std::min(chunk_, shape.bundles) * stripes_ * stripe_depth();
      break;
    case BismoSchedule::Mode::kSplitK:
      chunk_count = shape.bundles * stripes_ * (whole_ ? 1 : pieces_);
      slot_depth_ = bits_ * (whole_ ? k_words_ : k_chunk_);
      break;
  }
  chunk_stride_ = align(slot_depth_ * rows_ * word_bytes_, kBaseAlignment);
  lane_bytes_ = align(chunk_count * chunk_stride_, kRegionAlignment);
}

std::int64_t OperandLayout::piece_words(std::int64_t piece) const {
  return std::min(k_chunk_, k_words_ - piece * k_chunk_);
}

std::int64_t OperandLayout::offset(std::int64_t bundle, std::int64_t stripe,
                                   std::int64_t piece) const {
  const std::int64_t depth_bytes = rows_ * word_bytes_;
  const std::int64_t within_stripe = piece * k_chunk_ * bits_ * depth_bytes;
  switch (mode_) {
    case BismoSchedule::Mode::kTiled:
      return (bundle * chunks_ + stripe / chunk_) * chunk_stride_ +
             stripe % chunk_ * stripe_depth() * depth_bytes + within_stripe;
    case BismoSchedule::Mode::kBundled:
      return bundle / chunk_ * chunk_stride_ +
             (bundle % chunk_ * stripes_ + stripe) * stripe_depth() * depth_bytes + within_stripe;
    case BismoSchedule::Mode::kSplitK:
      break;
  }
  if (whole_) return (bundle * stripes_ + stripe) * chunk_stride_ + within_stripe;
  return ((bundle * stripes_ + stripe) * pieces_ + piece) * chunk_stride_;
}

BismoMap make_map(const BismoConfig& config, const GemmShape& shape, const BismoSchedule& schedule,
                  const BitPair& bits) {
  BismoMap map;
  map.lhs = OperandLayout(config, shape, schedule, true, bits.activation);
  map.rhs = OperandLayout(config, shape, schedule, false, bits.weight);
  map.lhs_address = 0;
  map.rhs_address = map.lhs_address + config.lanes * map.lhs.lane_bytes();
  map.result_address = map.rhs_address + config.lanes * map.rhs.lane_bytes();
  map.result_tiles = shape.bundles * shape.lhs_stripes * shape.rhs_stripes;
  map.result_lane_bytes = align(map.result_tiles * config.tile_bytes_per_port(), kRegionAlignment);
  map.program_address = map.result_address + config.write_ports * map.result_lane_bytes;
  return map;
}

void emit_steps(const BismoConfig& config, const GemmShape& shape, const BismoSchedule& schedule,
                const BismoMap& map, const StepSink& sink) {
  Emitter(config, shape, schedule, map, sink).run();
}

}  // namespace bittern
