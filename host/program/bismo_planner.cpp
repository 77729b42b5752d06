#include "host/program/bismo_planner.h"

#include <algorithm>
#include <set>

#include "host/base/error.h"

namespace bittern {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Tokens of one kind that may be in flight: depth of the core's counters.
constexpr int kMaxSlots = 8;

/// One operand while schedules are enumerated.
struct Side {
  std::int64_t stripes;  ///< of a bundle
  std::int64_t stripe_depth;
  std::int64_t depth;  ///< of the buffer
  std::int64_t most;   ///< stripes that one EXEC can walk over
  int bits;

  /// Most stripes a chunk may have when `slots` chunks share the buffer.
  std::int64_t room(int slots) const {
    return std::min({depth / slots / stripe_depth, most, stripes});
  }
};

/// Chunks of an operand over all bundles, beyond which smaller ones are not considered: the first
/// chunk is then less than a thousandth of the whole, and programs stay short.
constexpr std::int64_t kManyChunks = 1024;

/// Chunk sizes up to `most`: 1, 2, 4, ... and most, each evened out over the chunks it makes.
std::vector<std::int64_t> chunk_sizes(std::int64_t stripes, std::int64_t most,
                                      std::int64_t bundles) {
  std::set<std::int64_t> sizes;
  const std::int64_t least = std::min(most, ceil_div(bundles * stripes, kManyChunks));
  for (std::int64_t size = std::max<std::int64_t>(1, least); size <= most; size *= 2) {
    sizes.insert(ceil_div(stripes, ceil_div(stripes, size)));
  }
  if (most >= 1) sizes.insert(ceil_div(stripes, ceil_div(stripes, most)));
  return {sizes.begin(), sizes.end()};
}

class Enumerator {
 public:
  Enumerator(const BismoConfig& config, const GemmShape& shape, const BitPair& bits)
      : config_(config), shape_(shape) {
    const auto most = static_cast<std::int64_t>(config.max_exec_tiles);
    lhs_ = {shape.lhs_stripes, bits.activation * shape.k_words, config.lhs_depth, most,
            bits.activation};
    rhs_ = {shape.rhs_stripes, bits.weight * shape.k_words, config.rhs_depth, most, bits.weight};
  }

  std::vector<BismoSchedule> run() {
    for (const bool lhs_outer : {true, false}) {
      lhs_outer_ = lhs_outer;
      resident();
      streamed();
    }
    lhs_outer_ = true;
    bundled();
    // Pieces of K only where a stripe of either operand cannot be double buffered.
    if (lhs_.room(2) < 1 || rhs_.room(2) < 1) {
      for (const bool lhs_outer : {true, false}) {
        lhs_outer_ = lhs_outer;
        split_k(true);
        split_k(false);
      }
    }
    return std::move(schedules_);
  }

 private:
  const Side& outer() const { return lhs_outer_ ? lhs_ : rhs_; }
  const Side& inner() const { return lhs_outer_ ? rhs_ : lhs_; }

  void add(BismoSchedule schedule, const SideSchedule& outer_side, const SideSchedule& inner_side) {
    schedule.lhs_outer = lhs_outer_;
    schedule.lhs = lhs_outer_ ? outer_side : inner_side;
    schedule.rhs = lhs_outer_ ? inner_side : outer_side;
    if (schedule.k_chunk == 0) schedule.k_chunk = shape_.k_words;
    schedules_.push_back(schedule);
  }

  /// All inner stripes stay in the buffer. A single bundle is loaded in one or several chunks, so
  /// that work starts early; several bundles take turns, one chunk each.
  void resident() {
    if (inner().stripes > inner().room(1)) return;
    std::vector<SideSchedule> inner_sides;
    if (shape_.bundles == 1) {
      for (const int chunks : {1, 2, 4, kMaxSlots}) {
        const std::int64_t chunk = ceil_div(inner().stripes, chunks);
        const auto slots = static_cast<int>(ceil_div(inner().stripes, chunk));
        // The last chunk may be short, its slot is not: all must fit.
        if (slots * chunk > inner().room(1) &&
            slots * chunk * inner().stripe_depth > inner().depth) {
          continue;
        }
        if (inner_sides.empty() || inner_sides.back().chunk != chunk) {
          inner_sides.push_back({chunk, slots});
        }
      }
    } else {
      for (const int slots : {2, 4, 1}) {
        if (slots * inner().stripes * inner().stripe_depth > inner().depth) continue;
        inner_sides.push_back({inner().stripes, slots});
      }
    }
    for (const int slots : {2, 4, kMaxSlots, 1}) {
      for (const std::int64_t chunk :
           chunk_sizes(outer().stripes, outer().room(slots), shape_.bundles)) {
        const bool one_chunk = chunk >= outer().stripes && shape_.bundles == 1;
        if (slots > 1 && one_chunk) continue;
        for (const SideSchedule& inner_side : inner_sides) {
          BismoSchedule schedule;
          schedule.inner_resident = true;
          add(schedule, {chunk, slots}, inner_side);
          if (slots > 1 && inner_side.slots > 1) {
            schedule.prefetch = true;
            add(schedule, {chunk, slots}, inner_side);
          }
        }
      }
    }
  }

  /// Inner stripes stream by once for every outer chunk.
  void streamed() {
    for (const int outer_slots : {2, 4, 1}) {
      for (const std::int64_t outer_chunk :
           chunk_sizes(outer().stripes, outer().room(outer_slots), shape_.bundles)) {
        const bool one_chunk = outer_chunk >= outer().stripes && shape_.bundles == 1;
        if (outer_slots > 1 && one_chunk) continue;
        for (const int inner_slots : {2, 4, 1}) {
          const std::int64_t most = inner().room(inner_slots);
          for (const std::int64_t part : {1, 2, 4}) {
            if (most / part < 1 || most / part >= inner().stripes) continue;
            const std::int64_t inner_chunk =
                ceil_div(inner().stripes, ceil_div(inner().stripes, most / part));
            BismoSchedule schedule;
            add(schedule, {outer_chunk, outer_slots}, {inner_chunk, inner_slots});
            if (outer_slots > 1) {
              schedule.prefetch = true;
              add(schedule, {outer_chunk, outer_slots}, {inner_chunk, inner_slots});
            }
          }
        }
      }
    }
  }

  /// Several bundles in one fetch.
  void bundled() {
    if (shape_.bundles == 1) return;
    for (const int slots : {2, 4, kMaxSlots}) {
      const std::int64_t most =
          std::min({lhs_.depth / slots / (lhs_.stripes * lhs_.stripe_depth),
                    rhs_.depth / slots / (rhs_.stripes * rhs_.stripe_depth), shape_.bundles});
      if (lhs_.stripes > lhs_.most || rhs_.stripes > rhs_.most) return;
      for (const std::int64_t chunk : chunk_sizes(shape_.bundles, most, 1)) {
        BismoSchedule schedule;
        schedule.mode = BismoSchedule::Mode::kBundled;
        add(schedule, {chunk, slots}, {chunk, slots});
      }
    }
  }

  void split_k(bool whole) {
    for (const int slots : {2, 4, kMaxSlots, 1}) {
      const std::int64_t inner_most = inner().depth / slots / inner().bits;
      std::int64_t most = std::min<std::int64_t>(inner_most, shape_.k_words);
      int outer_slots = slots;
      if (whole) {
        outer_slots =
            static_cast<int>(std::min<std::int64_t>(outer().depth / outer().stripe_depth, 2));
        if (outer_slots < 1) return;
      } else {
        most = std::min(most, outer().depth / slots / outer().bits);
      }
      if (most < 1) continue;
      const std::int64_t chunk = ceil_div(shape_.k_words, ceil_div(shape_.k_words, most));
      BismoSchedule schedule;
      schedule.mode = BismoSchedule::Mode::kSplitK;
      schedule.outer_whole = whole;
      schedule.k_chunk = chunk;
      add(schedule, {1, outer_slots}, {1, slots});
    }
  }

  const BismoConfig& config_;
  const GemmShape& shape_;
  Side lhs_{};
  Side rhs_{};
  bool lhs_outer_ = true;
  std::vector<BismoSchedule> schedules_;
};

}  // namespace

std::vector<BismoSchedule> candidate_schedules(const BismoConfig& config, const GemmShape& shape,
                                               const BitPair& bits) {
  std::vector<BismoSchedule> schedules = Enumerator(config, shape, bits).run();
  if (schedules.empty()) {
    fail(
        "no schedule fits the buffers ({} and {} words) at {} weight bits and {} activation bits; "
        "BismoConfig promises at least 8 words each",
        config.lhs_depth, config.rhs_depth, bits.weight, bits.activation);
  }
  return schedules;
}

std::int64_t cycle_bound(const BismoConfig& config, const GemmShape& shape,
                         const BismoSchedule& schedule, const BitPair& bits) {
  // Words fetched in all and before the first tile. Each port delivers one beat a cycle at most.
  const int beat_cycles = std::max(1, config.port_bytes() / config.memory.bytes_per_cycle);
  const std::int64_t lhs_once =
      shape.bundles * shape.lhs_stripes * config.dm * bits.activation * shape.k_words;
  const std::int64_t rhs_once =
      shape.bundles * shape.rhs_stripes * config.dn * bits.weight * shape.k_words;
  std::int64_t lhs_times = 1;
  std::int64_t rhs_times = 1;
  std::int64_t lhs_first = bits.activation * config.dm;
  std::int64_t rhs_first = bits.weight * config.dn;
  switch (schedule.mode) {
    case BismoSchedule::Mode::kTiled: {
      std::int64_t& times = schedule.lhs_outer ? rhs_times : lhs_times;
      if (!schedule.inner_resident) {
        times = schedule.lhs_outer ? ceil_div(shape.lhs_stripes, schedule.lhs.chunk)
                                   : ceil_div(shape.rhs_stripes, schedule.rhs.chunk);
      }
      lhs_first *= schedule.lhs.chunk * shape.k_words;
      rhs_first *= schedule.rhs.chunk * shape.k_words;
      break;
    }
    case BismoSchedule::Mode::kBundled:
      lhs_first *= schedule.lhs.chunk * shape.lhs_stripes * shape.k_words;
      rhs_first *= schedule.rhs.chunk * shape.rhs_stripes * shape.k_words;
      break;
    case BismoSchedule::Mode::kSplitK:
      if (!(schedule.outer_whole && schedule.lhs_outer)) lhs_times = shape.rhs_stripes;
      if (!(schedule.outer_whole && !schedule.lhs_outer)) rhs_times = shape.lhs_stripes;
      lhs_first *= schedule.k_chunk;
      rhs_first *= schedule.k_chunk;
      break;
  }
  const std::int64_t lhs = lhs_once * lhs_times * beat_cycles;
  const std::int64_t rhs = rhs_once * rhs_times * beat_cycles;
  lhs_first *= beat_cycles;
  rhs_first *= beat_cycles;
  const std::int64_t fetch = config.split_fetch ? std::max(lhs, rhs) : lhs + rhs;
  const std::int64_t first =
      config.split_fetch ? std::max(lhs_first, rhs_first) : lhs_first + rhs_first;
  const std::int64_t tiles = shape.bundles * shape.lhs_stripes * shape.rhs_stripes;
  const std::int64_t tile = bits.weight * bits.activation * shape.k_words;
  const std::int64_t tile_write = config.tile_bytes_per_port() / config.port_bytes() * beat_cycles;

  // What every program pays, in the terms of host/model: the first instruction arrives, its FETCH
  // is dispatched, its first beat arrives; beat to token to first address; last address to first
  // write beat; response, and the end of the run.
  const BismoMachine machine = config.machine();
  const std::int64_t latency = machine.memory_latency;
  const std::int64_t first_beat = 3 + latency + 2 + 5 + latency;
  const std::int64_t to_write = 7 + machine.pop_stages;
  const std::int64_t end = latency + 2;
  const std::int64_t first_address = first_beat + first - beat_cycles + 3;
  return std::max({first_beat + fetch - beat_cycles + 3 + to_write + tile_write,
                   first_address + tiles * tile - 1 + to_write + tile_write,
                   first_address + tile - 1 + to_write + tiles * tile_write}) -
         beat_cycles + end;
}

}  // namespace bittern
