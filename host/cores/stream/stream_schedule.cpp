#include "host/cores/stream/stream_schedule.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/base/ceil_div.h"

namespace bittern {
namespace {

std::int64_t align(std::int64_t value, std::int64_t unit) { return ceil_div(value, unit) * unit; }

/// Instructions start on 64 bytes in device memory.
constexpr std::int64_t kBaseAlignment = 64;
/// Lanes and operands start on this, so that all ports meet burst boundaries at the same beat.
constexpr std::int64_t kRegionAlignment = 4096;

}  // namespace

std::string StreamSchedule::order_key(const std::string& split) const {
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
  return fmt::format("splitk {} {} lhs=1x{} rhs=1x{}{}", order, split, lhs.slots, rhs.slots,
                     outer_whole ? " whole" : "");
}

OperandLayout::OperandLayout(const StreamSchedule& schedule, const OperandShape& shape, bool lhs)
    : mode_(schedule.mode), shape_(shape) {
  whole_ = shape.pieces == 1 || (schedule.outer_whole && lhs == schedule.lhs_outer);
  chunk_ = lhs ? schedule.lhs.chunk : schedule.rhs.chunk;
  if (shape_.last_word_beats == 0 ||
      (mode_ == StreamSchedule::Mode::kBundled && shape.stripes > 1)) {
    shape_.last_word_beats = shape.word_beats;
  }

  std::int64_t chunk_count = 0;  // of the whole operand
  switch (mode_) {
    case StreamSchedule::Mode::kTiled:
      chunks_ = ceil_div(shape.stripes, chunk_);
      chunk_count = shape.bundles * chunks_;
      slot_depth_ = std::min(chunk_, shape.stripes) * stripe_depth();
      break;
    case StreamSchedule::Mode::kBundled:
      chunk_count = ceil_div(shape.bundles, chunk_);
      slot_depth_ = std::min(chunk_, shape.bundles) * shape.stripes * stripe_depth();
      break;
    case StreamSchedule::Mode::kSplitK:
      chunk_count = shape.bundles * shape.stripes * (whole_ ? 1 : shape.pieces);
      slot_depth_ = whole_ ? stripe_depth() : shape.piece_depth;
      break;
  }
  chunk_stride_ = align(slot_depth_ * shape.word_beats * shape.beat_bytes, kBaseAlignment);
  // A last stripe that is laid out otherwise starts on a base of its own.
  if (shape_.last_word_beats != shape.word_beats) chunk_stride_ += kBaseAlignment;
  lane_bytes_ = align(chunk_count * chunk_stride_, kRegionAlignment);
}

std::int64_t OperandLayout::offset(std::int64_t bundle, std::int64_t stripe,
                                   std::int64_t piece) const {
  bundle %= shape_.bundles;
  const std::int64_t within_stripe = piece_base(piece) * word_beats(stripe) * shape_.beat_bytes;
  const std::int64_t stripe_bytes = stripe_depth() * shape_.word_beats * shape_.beat_bytes;
  switch (mode_) {
    case StreamSchedule::Mode::kTiled: {
      const bool own_base = word_beats(stripe) != shape_.word_beats;
      return (bundle * chunks_ + stripe / chunk_) * chunk_stride_ +
             align(stripe % chunk_ * stripe_bytes, own_base ? kBaseAlignment : 1) + within_stripe;
    }
    case StreamSchedule::Mode::kBundled:
      // Either all stripes have the same layout, or there is one a bundle.
      return bundle / chunk_ * chunk_stride_ +
             (bundle % chunk_ * shape_.stripes + stripe) * stripe_depth() * word_beats(stripe) *
                 shape_.beat_bytes +
             within_stripe;
    case StreamSchedule::Mode::kSplitK:
      break;
  }
  if (whole_) return (bundle * shape_.stripes + stripe) * chunk_stride_ + within_stripe;
  return ((bundle * shape_.stripes + stripe) * shape_.pieces + piece) * chunk_stride_;
}

StreamMap lay_out(const OperandLayout& lhs, const OperandLayout& rhs, int lanes,
                  std::int64_t result_tiles, std::int64_t tile_bytes, int write_ports) {
  StreamMap map;
  map.lhs = lhs;
  map.rhs = rhs;
  map.lhs_address = 0;
  map.rhs_address = map.lhs_address + lanes * lhs.lane_bytes();
  map.result_address = map.rhs_address + lanes * rhs.lane_bytes();
  map.result_tiles = result_tiles;
  map.tile_bytes = tile_bytes;
  map.result_lane_bytes = align(result_tiles * tile_bytes, kRegionAlignment);
  map.program_address = map.result_address + write_ports * map.result_lane_bytes;
  return map;
}

/// Emits the fetches of one operand and keeps account of its slots and tokens.
class StreamEmitter::Fetcher {
 public:
  Fetcher(StreamEmitter& emitter, const OperandLayout& layout, std::uint64_t address, bool lhs,
          int slots, std::int64_t total)
      : emitter_(emitter), layout_(layout), address_(address), slots_(slots), total_(total) {
    step_.kind = lhs ? StreamStep::Kind::kFetchLhs : StreamStep::Kind::kFetchRhs;
    step_.lane_stride = layout.lane_bytes();
  }

  /// Loads `stripes` stripes from `stripe` of `bundle` on into the next slot, from each `depth`
  /// buffer words that start with piece `piece`.
  void fetch(std::int64_t bundle, std::int64_t stripe, std::int64_t stripes, std::int64_t piece,
             std::int64_t depth) {
    const std::int64_t last = stripe + stripes - 1;
    for (std::int64_t done = 0; done < stripes;) {
      // All stripes are alike, or the last one is not.
      const std::int64_t beats = layout_.word_beats(stripe + done);
      const std::int64_t count = stripes - done - (layout_.word_beats(last) != beats ? 1 : 0);
      part(layout_.offset(bundle, stripe + done, piece), done * depth, count * depth, beats,
           done == 0, done + count == stripes);
      done += count;
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
  /// Loads `depth` buffer words of `beats` beats from `offset` to word `base` of the slot.
  void part(std::int64_t offset, std::int64_t base, std::int64_t depth, std::int64_t beats,
            bool first, bool last) {
    // An instruction counts so many beats at most; pieces end on whole words and 64 bytes.
    const std::int64_t unit = beats * 8;
    const std::int64_t most =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(emitter_.max_fetch_words_) / unit) *
        unit;
    const std::int64_t words = depth * beats;
    step_.word_beats = static_cast<int>(beats);
    for (std::int64_t done = 0; done < words; done += most) {
      step_.words = std::min(most, words - done);
      step_.wait_free = first && done == 0 && fetched_ >= slots_;
      step_.send_filled = last && done + most >= words;
      step_.buffer_base = static_cast<std::uint32_t>(slot_base(fetched_) + base + done / beats);
      step_.dram_base = address_ + offset + done * layout_.beat_bytes();
      emitter_.stream(step_);
    }
  }

  StreamEmitter& emitter_;
  const OperandLayout& layout_;
  StreamStep step_;
  std::uint64_t address_;
  std::int64_t slots_;
  std::int64_t total_;
  std::int64_t fetched_ = 0;
};

StreamEmitter::StreamEmitter(const StreamSchedule& schedule, const StreamMap& map,
                             std::int64_t bundles, std::uint64_t max_fetch_words,
                             std::uint64_t max_result_tiles)
    : schedule_(schedule),
      map_(map),
      outer_(schedule.lhs_outer ? map.lhs : map.rhs),
      inner_(schedule.lhs_outer ? map.rhs : map.lhs),
      outer_side_(schedule.lhs_outer ? schedule.lhs : schedule.rhs),
      inner_side_(schedule.lhs_outer ? schedule.rhs : schedule.lhs),
      bundles_(bundles),
      max_fetch_words_(max_fetch_words),
      max_result_tiles_(max_result_tiles) {}

void StreamEmitter::run() {
  switch (schedule_.mode) {
    case StreamSchedule::Mode::kTiled:
      return tiled();
    case StreamSchedule::Mode::kBundled:
      return bundled();
    case StreamSchedule::Mode::kSplitK:
      return split_k();
  }
}

StreamEmitter::Fetcher StreamEmitter::fetcher(bool outer, std::int64_t total) {
  const bool lhs = outer == schedule_.lhs_outer;
  return {*this,
          lhs ? map_.lhs : map_.rhs,
          lhs ? map_.lhs_address : map_.rhs_address,
          lhs,
          lhs ? schedule_.lhs.slots : schedule_.rhs.slots,
          total};
}

void StreamEmitter::pair(const Use& outer, const Use& inner, std::int64_t bundle,
                         std::int64_t outer_stripe, std::int64_t inner_stripe, std::int64_t piece) {
  if (schedule_.lhs_outer) {
    execute(outer, inner, {bundle, outer_stripe, inner_stripe}, piece);
  } else {
    execute(inner, outer, {bundle, inner_stripe, outer_stripe}, piece);
  }
}

void StreamEmitter::store(std::int64_t tiles) {
  // Whole multiples keep the base of every store on 64 bytes.
  const std::int64_t most =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(max_result_tiles_) / 64) * 64;
  stored_ += tiles;
  while (covered_ < stored_) {
    StreamStep step;
    step.kind = StreamStep::Kind::kResult;
    step.tiles = std::min(most, map_.result_tiles - covered_);
    step.dram_base = map_.result_address + covered_ * map_.tile_bytes;
    step.lane_stride = map_.result_lane_bytes;
    covered_ += step.tiles;
    stream(step);
  }
}

void StreamEmitter::tiled() {
  const std::int64_t outer_chunks = ceil_div(outer_.stripes(), outer_side_.chunk);
  const std::int64_t inner_chunks = ceil_div(inner_.stripes(), inner_side_.chunk);
  const std::int64_t passes = schedule_.inner_resident ? 1 : outer_chunks;
  Fetcher outer_fetcher = fetcher(true, bundles_ * outer_chunks);
  Fetcher inner_fetcher = fetcher(false, bundles_ * passes * inner_chunks);

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
      outer_fetcher.fetch(bundle, chunk * outer_side_.chunk, outer_stripes(chunk), 0,
                          outer_.stripe_depth());
    }
  };

  std::int64_t resident_first = 0;  // inner chunk index that the resident set starts with
  for (std::int64_t bundle = 0; bundle < bundles_; ++bundle) {
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
          inner_fetcher.fetch(bundle, b * inner_side_.chunk, inner_stripes(b), 0,
                              inner_.stripe_depth());
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
        pair(outer, inner, bundle, a * outer_side_.chunk, whole ? 0 : b * inner_side_.chunk, 0);
      }
    }
  }
}

void StreamEmitter::bundled() {
  const std::int64_t chunk = outer_side_.chunk;
  const std::int64_t chunks = ceil_div(bundles_, chunk);
  Fetcher outer_fetcher = fetcher(true, chunks);
  Fetcher inner_fetcher = fetcher(false, chunks);
  const std::int64_t outer_depth = outer_.stripes() * outer_.stripe_depth();
  const std::int64_t inner_depth = inner_.stripes() * inner_.stripe_depth();
  for (std::int64_t index = 0; index < chunks; ++index) {
    const std::int64_t first = index * chunk;
    const std::int64_t count = std::min(chunk, bundles_ - first);
    inner_fetcher.fetch(first, 0, count * inner_.stripes(), 0, inner_.stripe_depth());
    outer_fetcher.fetch(first, 0, count * outer_.stripes(), 0, outer_.stripe_depth());
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
      pair(outer, inner, first + i, 0, 0, 0);
    }
  }
}

void StreamEmitter::split_k() {
  const std::int64_t pieces = map_.lhs.pieces();
  const std::int64_t tiles = bundles_ * outer_.stripes() * inner_.stripes();
  const bool whole = schedule_.outer_whole;
  Fetcher outer_fetcher = fetcher(true, whole ? bundles_ * outer_.stripes() : tiles * pieces);
  Fetcher inner_fetcher = fetcher(false, tiles * pieces);
  for (std::int64_t bundle = 0; bundle < bundles_; ++bundle) {
    for (std::int64_t a = 0; a < outer_.stripes(); ++a) {
      for (std::int64_t b = 0; b < inner_.stripes(); ++b) {
        for (std::int64_t piece = 0; piece < pieces; ++piece) {
          Use outer;
          const bool first = !whole || (b == 0 && piece == 0);
          const bool last = !whole || (b + 1 == inner_.stripes() && piece + 1 == pieces);
          if (first) {
            outer_fetcher.fetch(bundle, a, 1, piece,
                                whole ? outer_.stripe_depth() : outer_.piece_depth(piece));
          }
          const std::int64_t outer_index = outer_fetcher.fetched() - 1;
          outer.base =
              outer_fetcher.slot_base(outer_index) + (whole ? outer_.piece_base(piece) : 0);
          outer.wait = first;
          outer.free = last && outer_fetcher.frees(outer_index);
          Use inner;
          const std::int64_t inner_index = inner_fetcher.fetched();
          inner_fetcher.fetch(bundle, b, 1, piece, inner_.piece_depth(piece));
          inner.base = inner_fetcher.slot_base(inner_index);
          inner.wait = true;
          inner.free = inner_fetcher.frees(inner_index);
          pair(outer, inner, bundle, a, b, piece);
        }
      }
    }
  }
}

}  // namespace bittern
