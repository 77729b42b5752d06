#include "host/cores/bitfusion/published_bitfusion.h"

#include <algorithm>
#include <vector>

#include "host/base/ceil_div.h"
#include "host/base/error.h"

// Facts of the simulator at github.com/hsharma35/bitfusion. Where its two published tables (its own
// results, and APQ's latencies) leave a choice, or differ, docs/bitfusion.md says which was taken.

namespace bittern {
namespace {

constexpr std::int64_t kPartialBits = 32;  // of an output, which is read and written

/// The least power of two that is not less: bits that a value takes in a buffer.
std::int64_t power_of_two(int bits) {
  std::int64_t power = 1;
  while (power < bits) power *= 2;
  return power;
}

std::int64_t round_up(std::int64_t value, std::int64_t unit) {
  return ceil_div(value, unit) * unit;
}

/// Passes over an operand pair beyond 8 bits, one for each pair of bytes.
std::int64_t passes(const PublishedLayer& layer) {
  return ceil_div(layer.act_bits, 8) * ceil_div(layer.wgt_bits, 8);
}

enum Operand { kWgt, kAct, kOut };

bool depends(Operand operand, PublishedLoop loop) {
  switch (operand) {
    case kWgt:
      return loop == PublishedLoop::kIn || loop == PublishedLoop::kOut;
    case kAct:
      return loop != PublishedLoop::kOut;
    case kOut:
      break;
  }
  return loop != PublishedLoop::kIn;
}

/// Everything about a tiling that does not hang on the order of its loops.
struct Tiles {
  std::array<std::int64_t, 5> counts{};  // by PublishedLoop
  std::array<std::int64_t, 3> bits{};    // of a tile in DRAM, by Operand
  std::array<std::int64_t, 3> stored{};  // in its buffer
  std::array<std::int64_t, 3> room{};
  PublishedCost fixed;  // compute, and accesses to buffers from the array

  bool fits() const {
    return stored[kWgt] <= room[kWgt] && stored[kAct] <= room[kAct] && stored[kOut] <= room[kOut];
  }
};

/// Accesses of the array to its buffers: one of the operands stays while the others pass by,
/// whichever takes the least energy.
void count_accesses(const PublishedBitFusion& machine, const PublishedLayer& layer,
                    const PublishedTiling& tiling, std::int64_t tiles, PublishedCost& cost) {
  const std::int64_t outputs =
      tiling.batch * tiling.height * tiling.width * tiling.out_channels * tiles;
  const std::int64_t window = layer.kernel_h * layer.kernel_w * tiling.in_channels;
  const std::int64_t macs = outputs * window;
  struct Reads {
    std::int64_t act, wgt, out;
  };
  const Reads choices[] = {
      {macs, macs, outputs},                               // outputs stay
      {macs / tiling.out_channels, macs, macs},            // activations stay
      {macs, window * tiling.out_channels * tiles, macs},  // weights stay
  };
  const auto energy = [&](const Reads& reads) {
    return static_cast<double>(reads.act) * layer.act_bits * machine.act_read +
           static_cast<double>(reads.wgt) * layer.wgt_bits * machine.wgt_read +
           static_cast<double>(reads.out) * kPartialBits * (machine.out_read + machine.out_write);
  };
  const Reads* best = &choices[0];
  for (const Reads& reads : choices) {
    if (energy(reads) < energy(*best)) best = &reads;
  }
  cost.act_read = best->act * layer.act_bits;
  cost.wgt_read = best->wgt * layer.wgt_bits;
  cost.out_read = cost.out_write = best->out * kPartialBits;
}

Tiles tiles_of(const PublishedBitFusion& machine, const PublishedLayer& layer,
               const PublishedTiling& tiling) {
  Tiles tiles;
  const auto count = [&](PublishedLoop loop) -> std::int64_t& {
    return tiles.counts[static_cast<int>(loop)];
  };
  count(PublishedLoop::kBatch) = ceil_div(layer.batch, tiling.batch);
  count(PublishedLoop::kWidth) = ceil_div(layer.out_width, tiling.width);
  count(PublishedLoop::kHeight) = ceil_div(layer.out_height, tiling.height);
  count(PublishedLoop::kIn) = ceil_div(layer.in_channels, tiling.in_channels);
  count(PublishedLoop::kOut) = ceil_div(layer.out_channels, tiling.out_channels);

  const std::int64_t positions = layer.kernel_h * layer.kernel_w;
  const std::int64_t rows = machine.n * published_products(layer);
  const std::int64_t pixels = tiling.height * tiling.width * tiling.batch;
  const std::int64_t window = positions * tiling.in_channels;
  const std::int64_t columns = round_up(tiling.out_channels, machine.m);
  const std::int64_t wgt_stored = power_of_two(layer.wgt_bits);
  const std::int64_t act_stored = power_of_two(layer.act_bits);
  std::int64_t steps = 0;  // of one output pixel and `m` output channels
  if (layer.im2col) {
    steps = ceil_div(window, rows);
    tiles.bits[kWgt] = steps * rows * tiling.out_channels * layer.wgt_bits;
    tiles.bits[kAct] = pixels * window * layer.act_bits;
    tiles.stored[kAct] = pixels * window * act_stored;
  } else {
    steps = positions * ceil_div(tiling.in_channels, rows);
    const std::int64_t image = (layer.kernel_w + (tiling.width - 1) * layer.stride_w) *
                               (layer.kernel_h + (tiling.height - 1) * layer.stride_h) *
                               tiling.batch;
    tiles.bits[kWgt] = window * tiling.out_channels * layer.wgt_bits;
    tiles.bits[kAct] = image * tiling.in_channels * layer.act_bits;
    tiles.stored[kAct] = image * round_up(tiling.in_channels, rows) * act_stored;
  }
  tiles.bits[kOut] = pixels * tiling.out_channels * kPartialBits;
  tiles.stored[kWgt] = round_up(window, rows) * columns * wgt_stored;
  tiles.stored[kOut] = pixels * columns * kPartialBits;
  tiles.room = {machine.wgt_bits / 2, machine.act_bits / 2, machine.out_bits / 2};

  steps *= passes(layer);

  std::int64_t all = 1;
  for (const std::int64_t one : tiles.counts) all *= one;
  tiles.fixed.compute = all * pixels * ceil_div(tiling.out_channels, machine.m) * steps;
  count_accesses(machine, layer, tiling, all, tiles.fixed);
  return tiles;
}

/// Bits that one operand moves between DRAM and its buffer, and the most that it holds at once.
struct Traffic {
  std::int64_t total;
  std::int64_t held;
};

/// Going outwards, a loop multiplies the traffic when the operand changes with it; once what it
/// would hold exceeds its room, every loop further out does.
Traffic traffic(const Tiles& tiles, const std::array<PublishedLoop, 5>& order, Operand operand) {
  Traffic out = {tiles.bits[operand], tiles.bits[operand]};
  std::int64_t stored = tiles.stored[operand];
  bool held = true;
  for (auto loop = order.rbegin(); loop != order.rend(); ++loop) {
    const std::int64_t count = tiles.counts[static_cast<int>(*loop)];
    if (held && !depends(operand, *loop)) continue;
    out.total *= count;
    stored *= count;
    held = held && stored <= tiles.room[operand];
    if (held) out.held = out.total;
  }
  return out;
}

PublishedCost cost_of(const PublishedBitFusion& machine, const Tiles& tiles,
                      const std::array<PublishedLoop, 5>& order) {
  PublishedCost cost = tiles.fixed;
  const Traffic wgt = traffic(tiles, order, kWgt);
  const Traffic act = traffic(tiles, order, kAct);
  const Traffic out = traffic(tiles, order, kOut);
  cost.dram_read = wgt.total + act.total + out.total;
  cost.dram_write = out.total;
  cost.wgt_write = wgt.total;
  cost.act_write = act.total;
  cost.out_write += out.total;
  cost.out_read += out.total;

  // The first fill and the last drain are waited for; what lies between overlaps with compute.
  const std::int64_t first = wgt.held + act.held + out.held;
  const std::int64_t last = out.held;
  const std::int64_t between = cost.dram_read + cost.dram_write - first - last;
  cost.stalls = std::max<std::int64_t>(0, ceil_div(between, machine.dram_bits) - cost.compute) +
                ceil_div(first, machine.dram_bits) + ceil_div(last, machine.dram_bits);
  const auto pj = [](std::int64_t count, double each) { return static_cast<double>(count) * each; };
  cost.energy_pj = pj(cost.compute * machine.n * machine.m, machine.unit) +
                   pj(cost.wgt_read, machine.wgt_read) + pj(cost.wgt_write, machine.wgt_write) +
                   pj(cost.act_read, machine.act_read) + pj(cost.act_write, machine.act_write) +
                   pj(cost.out_read, machine.out_read) + pj(cost.out_write, machine.out_write) +
                   pj(cost.dram_read + cost.dram_write, machine.dram);
  return cost;
}

/// 1, 2, 4, ... and `total`, all times `unit` and at most `total`.
std::vector<std::int64_t> powers(std::int64_t total, std::int64_t unit) {
  std::vector<std::int64_t> sizes;
  std::int64_t size = unit;
  for (; size < total; size *= 2) sizes.push_back(size);
  sizes.push_back(total);
  return sizes;
}

}  // namespace

std::int64_t published_products(const PublishedLayer& layer) {
  return (8 / std::clamp(layer.act_bits, 2, 8)) * (8 / std::clamp(layer.wgt_bits, 2, 8));
}

std::string PublishedTiling::key() const {
  std::string loops;
  for (const PublishedLoop loop : order) {
    if (!loops.empty()) loops += ",";
    loops += "bxyio"[static_cast<int>(loop)];
  }
  return fmt::format("b{} y{} x{} i{} o{} order {}", batch, height, width, in_channels,
                     out_channels, loops);
}

PublishedCost published_cost(const PublishedBitFusion& machine, const PublishedLayer& layer,
                             const PublishedTiling& tiling) {
  return cost_of(machine, tiles_of(machine, layer, tiling), tiling.order);
}

PublishedBest published_search(const PublishedBitFusion& machine, const PublishedLayer& layer) {
  if (layer.wgt_bits > 8 || layer.act_bits > 8) {
    fail(
        "published BitFusion model: {} weight and {} activation bits, expected at most 8; the "
        "published simulator has no wider operands, use the closed form",
        layer.wgt_bits, layer.act_bits);
  }
  std::vector<std::array<PublishedLoop, 5>> orders;
  std::array<PublishedLoop, 5> order = {PublishedLoop::kBatch, PublishedLoop::kWidth,
                                        PublishedLoop::kHeight, PublishedLoop::kIn,
                                        PublishedLoop::kOut};
  do {
    orders.push_back(order);
  } while (std::next_permutation(order.begin(), order.end()));

  PublishedBest best;
  bool found = false;
  PublishedTiling tiling;
  for (const std::int64_t batch : powers(layer.batch, 1)) {
    tiling.batch = batch;
    for (const std::int64_t side : powers(std::max(layer.out_height, layer.out_width), 1)) {
      tiling.height = std::min(side, layer.out_height);
      tiling.width = std::min(side, layer.out_width);
      for (const std::int64_t in : powers(layer.in_channels, 1)) {
        tiling.in_channels = in;
        for (const std::int64_t out : powers(layer.out_channels, machine.m)) {
          tiling.out_channels = out;
          const Tiles tiles = tiles_of(machine, layer, tiling);
          if (!tiles.fits()) continue;
          if (found && tiles.fixed.compute > best.cost.cycles()) continue;
          for (const auto& each : orders) {
            const PublishedCost cost = cost_of(machine, tiles, each);
            if (!found || cost.cycles() < best.cost.cycles() ||
                (cost.cycles() == best.cost.cycles() && cost.energy_pj < best.cost.energy_pj)) {
              found = true;
              best.tiling = tiling;
              best.tiling.order = each;
              best.cost = cost;
            }
          }
        }
      }
    }
  }
  if (!found) {
    fail(
        "published BitFusion model: one output of a {}x{} kernel does not fit half of the buffers "
        "({}, {} and {} bits), and it does not split kernels; use the closed form",
        layer.kernel_h, layer.kernel_w, machine.wgt_bits, machine.act_bits, machine.out_bits);
  }
  return best;
}

}  // namespace bittern
