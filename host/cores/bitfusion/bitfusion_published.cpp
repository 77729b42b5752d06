#include <algorithm>
#include <optional>

#include "host/base/ceil_div.h"
#include "host/cores/bitfusion/bitfusion_core.h"
#include "host/cores/bitfusion/published_bitfusion.h"

namespace bittern {
namespace {

/// Channels up to which a convolution counts as the first layer of a network.
constexpr int kImageChannels = 4;
/// Groups of a depthwise layer that are computed as one dense product, for each product that a
/// fusion unit makes a cycle. The authors' simulator has no depthwise layers; this is what the
/// latencies of APQ's table (Wang et al., CVPR 2020) say, which go up in steps of 8 channels at 8/8
/// and 6/6 bits, 16 at 6/4 and 32 at 4/4.
constexpr std::int64_t kDepthwiseBundle = 8;

std::uint64_t ceil_of(std::int64_t a, std::int64_t b) {
  return static_cast<std::uint64_t>(ceil_div(a, b));
}

PublishedBitFusion machine_of(const BitFusionConfig& config) {
  PublishedBitFusion machine;
  machine.n = config.n;
  machine.m = config.m;
  machine.wgt_bits = std::int64_t{config.wbuf_depth} * config.n * config.m * 32;
  machine.act_bits = std::int64_t{config.ibuf_depth} * config.n * 32;
  machine.out_bits = std::int64_t{config.obuf_depth} * config.m * 32;
  // One interface for reads and writes, as wide as the read ports.
  const std::int64_t port =
      std::min<std::int64_t>(config.memory.bytes_per_cycle, config.port_bytes());
  machine.dram_bits = 8 * port * config.lanes * (config.split_fetch ? 2 : 1);
  return machine;
}

/// A cost, `times` times over, in units of the core's counters.
PublishedResult result_of(const BitFusionConfig& config, const PublishedCost& cost,
                          std::int64_t times, const std::string& schedule) {
  PublishedResult out;
  out.schedule = schedule;
  out.compute = cost.compute * times;
  out.stalls = cost.stalls * times;
  out.bytes_read = ceil_of(cost.dram_read * times, 8);
  out.bytes_written = ceil_of(cost.dram_write * times, 8);
  const std::int64_t quarter = 8 * std::int64_t{config.n};
  const std::int64_t word = 32 * std::int64_t{config.m};
  out.events = {
      {"exec_run", out.compute},
      {"lhs_buffer_writes", ceil_of(cost.act_write * times, config.port_width)},
      {"rhs_buffer_writes", ceil_of(cost.wgt_write * times, config.port_width)},
      {"lhs_buffer_reads", ceil_of(cost.act_read * times, quarter)},
      {"rhs_buffer_reads", ceil_of(cost.wgt_read * times, quarter * config.m)},
      {"obuf_writes", ceil_of(cost.out_write * times, word)},
      {"obuf_reads", ceil_of(cost.out_read * times, word)},
  };
  return out;
}

}  // namespace

std::optional<PublishedResult> BitFusionCore::published(const Layer& layer, BitPair bits,
                                                        int batch) const {
  layer.validate();
  PublishedLayer one;  // group, or bundle of groups
  one.batch = batch;
  one.out_height = layer.out_height();
  one.out_width = layer.out_width();
  one.kernel_h = layer.kernel_h;
  one.kernel_w = layer.kernel_w;
  one.stride_h = layer.stride_h;
  one.stride_w = layer.stride_w;
  one.in_channels = layer.in_channels / layer.groups;
  one.out_channels = layer.out_channels / layer.groups;
  one.wgt_bits = bits.weight;
  one.act_bits = bits.activation;
  // The authors' model knows no dilation: windows of such layers have to be gathered, too.
  one.im2col = layer.dilated() ||
               (layer.kind == LayerKind::kConv && layer.groups == 1 &&
                layer.kernel_h * layer.kernel_w > 1 && layer.in_channels <= kImageChannels);
  std::int64_t times = layer.groups;
  if (layer.kind == LayerKind::kDepthwise) {
    const std::int64_t bundle = kDepthwiseBundle * published_products(one);
    one.in_channels *= bundle;
    one.out_channels *= bundle;
    times = ceil_div(layer.groups, bundle);
  }
  const PublishedBest best = published_search(machine_of(config_), one);
  return result_of(config_, best.cost, times, (one.im2col ? "im2col " : "") + best.tiling.key());
}

std::optional<PublishedResult> BitFusionCore::published_for(const Plan& any) const {
  const BitFusionPlan& plan = BitFusionPlan::of(any);
  const FusionShape& shape = plan.shape;
  const FusionTile& tile = plan.schedule.tile;
  PublishedLayer bundle;
  bundle.batch = shape.batch;
  bundle.out_height = shape.out_height;
  bundle.out_width = shape.out_width;
  bundle.kernel_h = shape.kernel_h;
  bundle.kernel_w = shape.kernel_w;
  bundle.stride_h = shape.step_h;
  bundle.stride_w = shape.step_w;
  bundle.in_channels = shape.channels;
  bundle.out_channels = shape.outputs;
  bundle.wgt_bits = shape.rhs.bits * shape.rhs.bytes;
  bundle.act_bits = shape.lhs.bits * shape.lhs.bytes;
  PublishedTiling tiling;
  tiling.batch = tile.batch;
  tiling.height = tile.height;
  tiling.width = tile.width;
  tiling.in_channels = std::min(tile.blocks * shape.block, shape.channels);
  tiling.out_channels = tile.columns * config_.m;
  using Loop = PublishedLoop;
  if (plan.schedule.lhs_outer) {
    tiling.order = {Loop::kBatch, Loop::kHeight, Loop::kWidth, Loop::kOut, Loop::kIn};
  } else {
    tiling.order = {Loop::kOut, Loop::kBatch, Loop::kHeight, Loop::kWidth, Loop::kIn};
  }
  const PublishedCost cost = published_cost(machine_of(config_), bundle, tiling);
  const FusionGrid grid(shape, plan.schedule);
  // The model has no kernels in pieces: what these are padded by is added to its compute term.
  PublishedResult out = result_of(config_, cost, shape.bundles, tiling.key());
  out.compute = cost.compute * shape.bundles * grid.kernel_h_pieces * tile.kernel_h *
                grid.kernel_w_pieces * tile.kernel_w / (shape.kernel_h * shape.kernel_w);
  return out;
}

}  // namespace bittern
