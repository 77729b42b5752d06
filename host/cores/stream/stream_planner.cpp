#include "host/cores/stream/stream_planner.h"

#include <algorithm>
#include <set>

#include "host/base/ceil_div.h"

namespace bittern {
namespace {

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
  Enumerator(const PlanSide& lhs, const PlanSide& rhs, std::int64_t bundles,
             std::int64_t rhs_bundles)
      : lhs_(lhs), rhs_(rhs), bundles_(bundles), rhs_bundles_(rhs_bundles) {}

  std::vector<StreamSchedule> run() {
    for (const bool lhs_outer : {true, false}) {
      lhs_outer_ = lhs_outer;
      resident();
      streamed();
    }
    lhs_outer_ = true;
    bundled();
    return std::move(schedules_);
  }

 private:
  const PlanSide& outer() const { return lhs_outer_ ? lhs_ : rhs_; }
  const PlanSide& inner() const { return lhs_outer_ ? rhs_ : lhs_; }

  void add(StreamSchedule schedule, const SideSchedule& outer_side,
           const SideSchedule& inner_side) {
    schedule.lhs_outer = lhs_outer_;
    schedule.lhs = lhs_outer_ ? outer_side : inner_side;
    schedule.rhs = lhs_outer_ ? inner_side : outer_side;
    schedules_.push_back(schedule);
  }

  /// All inner stripes stay in the buffer. A single bundle is loaded in one or several chunks, so
  /// that work starts early; several bundles take turns, one chunk each.
  void resident() {
    if (inner().stripes > inner().room(1)) return;
    std::vector<SideSchedule> inner_sides;
    if (bundles_ == 1) {
      for (const int chunks : {1, 2, 4, kMaxPlanSlots}) {
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
    for (const int slots : {2, 4, kMaxPlanSlots, 1}) {
      for (const std::int64_t chunk : chunk_sizes(outer().stripes, outer().room(slots), bundles_)) {
        const bool one_chunk = chunk >= outer().stripes && bundles_ == 1;
        if (slots > 1 && one_chunk) continue;
        for (const SideSchedule& inner_side : inner_sides) {
          StreamSchedule schedule;
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
           chunk_sizes(outer().stripes, outer().room(outer_slots), bundles_)) {
        const bool one_chunk = outer_chunk >= outer().stripes && bundles_ == 1;
        if (outer_slots > 1 && one_chunk) continue;
        for (const int inner_slots : {2, 4, 1}) {
          const std::int64_t most = inner().room(inner_slots);
          for (const std::int64_t part : {1, 2, 4}) {
            if (most / part < 1 || most / part >= inner().stripes) continue;
            const std::int64_t inner_chunk =
                ceil_div(inner().stripes, ceil_div(inner().stripes, most / part));
            StreamSchedule schedule;
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
    if (bundles_ == 1) return;
    for (const int slots : {2, 4, kMaxPlanSlots}) {
      const std::int64_t most =
          std::min({lhs_.depth / slots / (lhs_.stripes * lhs_.stripe_depth),
                    rhs_.depth / slots / (rhs_.stripes * rhs_.stripe_depth), bundles_});
      if (lhs_.stripes > lhs_.most || rhs_.stripes > rhs_.most) return;
      for (const std::int64_t chunk : chunk_sizes(bundles_, most, 1)) {
        // Chunks of weights that come again must come as the same chunks.
        if (rhs_bundles_ < bundles_ && rhs_bundles_ % chunk != 0) continue;
        StreamSchedule schedule;
        schedule.mode = StreamSchedule::Mode::kBundled;
        add(schedule, {chunk, slots}, {chunk, slots});
      }
    }
  }

  PlanSide lhs_;
  PlanSide rhs_;
  std::int64_t bundles_;
  std::int64_t rhs_bundles_;
  bool lhs_outer_ = true;
  std::vector<StreamSchedule> schedules_;
};

}  // namespace

std::vector<StreamSchedule> whole_schedules(const PlanSide& lhs, const PlanSide& rhs,
                                            std::int64_t bundles, std::int64_t rhs_bundles) {
  return Enumerator(lhs, rhs, bundles, rhs_bundles).run();
}

std::int64_t stream_bound(const StreamMachine& machine, const StreamSchedule& schedule,
                          const StreamWork& work) {
  // Beats fetched in all and before the first tile. Each port delivers one beat a cycle at most.
  const std::int64_t beat_bytes = machine.port_width / 8;
  const std::int64_t rate = std::min<std::int64_t>(beat_bytes, machine.memory_bytes_per_cycle);
  const auto cycles = [&](std::int64_t beats) { return beats * beat_bytes / rate; };
  std::int64_t lhs_times = 1;
  std::int64_t rhs_times = 1;
  const std::int64_t lhs_bundle = work.lhs_stripes * work.lhs_stripe_beats - work.lhs_saved_beats;
  const std::int64_t rhs_bundle = work.rhs_stripes * work.rhs_stripe_beats - work.rhs_saved_beats;
  std::int64_t lhs_first = work.lhs_stripe_beats;
  std::int64_t rhs_first = work.rhs_stripe_beats;
  switch (schedule.mode) {
    case StreamSchedule::Mode::kTiled: {
      std::int64_t& times = schedule.lhs_outer ? rhs_times : lhs_times;
      if (!schedule.inner_resident) {
        times = schedule.lhs_outer ? ceil_div(work.lhs_stripes, schedule.lhs.chunk)
                                   : ceil_div(work.rhs_stripes, schedule.rhs.chunk);
      }
      lhs_first *= std::min(schedule.lhs.chunk, work.lhs_stripes);
      rhs_first *= std::min(schedule.rhs.chunk, work.rhs_stripes);
      if (schedule.lhs.chunk >= work.lhs_stripes) lhs_first -= work.lhs_saved_beats;
      if (schedule.rhs.chunk >= work.rhs_stripes) rhs_first -= work.rhs_saved_beats;
      break;
    }
    case StreamSchedule::Mode::kBundled:
      lhs_first = std::min(schedule.lhs.chunk, work.bundles) * lhs_bundle;
      rhs_first = std::min(schedule.rhs.chunk, work.bundles) * rhs_bundle;
      break;
    case StreamSchedule::Mode::kSplitK:
      if (!(schedule.outer_whole && schedule.lhs_outer)) lhs_times = work.rhs_stripes;
      if (!(schedule.outer_whole && !schedule.lhs_outer)) rhs_times = work.lhs_stripes;
      lhs_first = work.lhs_piece_beats;
      rhs_first = work.rhs_piece_beats;
      break;
  }
  const std::int64_t lhs = work.bundles * lhs_bundle * lhs_times;
  const std::int64_t rhs = work.bundles * rhs_bundle * rhs_times;
  const std::int64_t fetch = cycles(machine.split_fetch ? std::max(lhs, rhs) : lhs + rhs);
  const std::int64_t first =
      cycles(machine.split_fetch ? std::max(lhs_first, rhs_first) : lhs_first + rhs_first);
  const std::int64_t tiles = work.bundles * work.lhs_stripes * work.rhs_stripes;
  const std::int64_t tile_write = cycles(work.tile_beats);
  const std::int64_t beat = cycles(1);

  // What every program pays, in the terms of host/model: the first instruction arrives, its FETCH
  // is dispatched, its first beat arrives; beat to token to first address; last address to first
  // write beat; response, and the end of the run.
  const std::int64_t latency = machine.memory_latency;
  const std::int64_t first_beat = 3 + latency + 2 + 5 + latency;
  const std::int64_t end = latency + 2;
  const std::int64_t first_address = first_beat + first - beat + 3;
  // An instruction has two beats.
  const std::int64_t last_instruction = 3 + latency + 2 * tiles * work.tile_instructions;
  return std::max({first_beat + fetch - beat + 3 + work.to_write + tile_write,
                   first_address + tiles * work.tile_cycles - 1 + work.to_write + tile_write,
                   first_address + work.tile_cycles - 1 + work.to_write +
                       cycles(tiles * work.tile_beats),
                   first_address + (tiles - 1) / 2 * work.slot_turn + work.tile_cycles - 1 +
                       work.to_write + tile_write,
                   last_instruction + work.to_write + tile_write}) -
         beat + end;
}

}  // namespace bittern
