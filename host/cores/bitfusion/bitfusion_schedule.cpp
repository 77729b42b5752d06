#include "host/cores/bitfusion/bitfusion_schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host/base/ceil_div.h"
#include "host/base/error.h"

namespace bittern {
namespace {

/// Iterations of a loop level, and what its index adds to the addresses.
struct Level {
  std::int64_t iterations = 1;
  std::int64_t lhs_stride = 0;
  std::int64_t rhs_stride = 0;
};

std::array<Level, BitFusionStep::kLevels> levels_of(const FusionShape& shape,
                                                    const FusionGrid& grid) {
  const FusionTile& tile = grid.tile;
  const std::int64_t lhs_pixel = tile.blocks * shape.lhs_quarters;
  const std::int64_t rhs_position = tile.blocks * shape.rhs_quarters;
  return {{
      // Channel blocks and kernel columns lie one behind the other in both operands.
      {tile.kernel_w * tile.blocks, shape.lhs_quarters, shape.rhs_quarters},
      {tile.kernel_h, grid.in_width * lhs_pixel, tile.kernel_w * rhs_position},
      {shape.lhs.bytes, grid.lhs_byte_size, 0},
      {shape.rhs.bytes, 0, grid.rhs_byte_size},
      {tile.width, shape.step_w * lhs_pixel, 0},
      {tile.height, shape.step_h * grid.in_width * lhs_pixel, 0},
      {tile.batch, grid.in_height * grid.in_width * lhs_pixel, 0},
      {tile.columns, 0, tile.kernel_h * tile.kernel_w * rhs_position},
  }};
}

class Emitter : public StreamEmitter {
 public:
  Emitter(const BitFusionConfig& config, const FusionShape& shape, const FusionSchedule& schedule,
          const StreamMap& map, const FusionSink& sink)
      : StreamEmitter(schedule, map, shape.bundles, config.max_fetch_words, config.max_store_tiles),
        shape_(shape),
        grid_(shape, schedule),
        sink_(sink) {}

 private:
  void stream(const StreamStep& step) override {
    BitFusionStep out;
    static_cast<StreamStep&>(out) = step;
    out.store_words = static_cast<std::uint32_t>(grid_.tile.words());
    sink_(out, TileBlock{});
  }

  void execute(const Use& lhs, const Use& rhs, const TileBlock& block,
               std::int64_t piece) override {
    if (!configured_) configure();
    configured_ = true;
    BitFusionStep step;
    step.kind = StreamStep::Kind::kExec;
    step.op = BitFusionStep::Op::kCompute;
    step.accumulate = piece > 0;
    step.emit = piece + 1 == grid_.pieces;
    if (step.emit) store(lhs.stripes * rhs.stripes);
    for (std::int64_t i = 0; i < lhs.stripes; ++i) {
      for (std::int64_t j = 0; j < rhs.stripes; ++j) {
        const bool first = i == 0 && j == 0;
        const bool last = i + 1 == lhs.stripes && j + 1 == rhs.stripes;
        step.wait_lhs = first && lhs.wait;
        step.wait_rhs = first && rhs.wait;
        step.free_lhs = last && lhs.free;
        step.free_rhs = last && rhs.free;
        step.lhs_base = static_cast<std::uint32_t>(4 * (lhs.base + i * map().lhs.stripe_depth()));
        step.rhs_base = static_cast<std::uint32_t>(4 * (rhs.base + j * map().rhs.stripe_depth()));
        sink_(step, {block.bundle, block.lhs_stripe + i, block.rhs_stripe + j});
      }
    }
  }

  /// Modes and loops, which all tiles have in common.
  void configure() {
    BitFusionStep setup;
    setup.kind = StreamStep::Kind::kExec;
    setup.op = BitFusionStep::Op::kSetup;
    setup.lhs_bits = shape_.lhs.bits;
    setup.rhs_bits = shape_.rhs.bits;
    setup.lhs_wide = shape_.lhs.bytes > 1;
    setup.rhs_wide = shape_.rhs.bytes > 1;
    sink_(setup, TileBlock{});
    std::int64_t lhs_walked = 0;  // by the inner levels
    std::int64_t rhs_walked = 0;
    int number = 0;
    for (const Level& level : levels_of(shape_, grid_)) {
      BitFusionStep loop;
      loop.kind = StreamStep::Kind::kExec;
      loop.op = BitFusionStep::Op::kLoop;
      loop.level = number++;
      loop.iterations = static_cast<std::uint32_t>(level.iterations);
      loop.lhs_jump = static_cast<std::int32_t>(level.lhs_stride - lhs_walked);
      loop.rhs_jump = static_cast<std::int32_t>(level.rhs_stride - rhs_walked);
      if (level.iterations > 1) sink_(loop, TileBlock{});
      lhs_walked += (level.iterations - 1) * level.lhs_stride;
      rhs_walked += (level.iterations - 1) * level.rhs_stride;
    }
  }

  const FusionShape& shape_;
  const FusionGrid grid_;
  const FusionSink& sink_;
  bool configured_ = false;
};

}  // namespace

OperandMode OperandMode::of(int width) {
  if (width <= 2) return {2, 1};
  if (width <= 4) return {4, 1};
  return {8, width <= 8 ? 1 : 2};
}

FusionShape FusionShape::of(const Layer& layer, int batch, const BitFusionConfig& config,
                            const BitPair& bits, bool im2col) {
  FusionShape shape;
  shape.lhs = OperandMode::of(bits.activation);
  shape.rhs = OperandMode::of(bits.weight);
  // A step gives every fusion unit as many bits of an operand as the other one leaves room for.
  shape.lhs_quarters = 8 / shape.rhs.bits;
  shape.rhs_quarters = 8 / shape.lhs.bits;
  shape.block = config.n * shape.lhs_quarters * shape.rhs_quarters;

  shape.group_inputs = layer.in_channels / layer.groups;
  shape.group_outputs = layer.out_channels / layer.groups;
  std::int64_t pack = std::min(config.depthwise_pack, layer.groups);
  if (layer.kind != LayerKind::kDepthwise) {
    // Groups share a block only as long as they share the array, too: it never costs steps.
    pack = std::clamp<std::int64_t>(
        std::min(shape.block / shape.group_inputs, config.m / shape.group_outputs), 1, pack);
  }
  shape.bundles = ceil_div(layer.groups, pack);
  shape.bundle_inputs = pack * shape.group_inputs;
  shape.outputs = pack * shape.group_outputs;
  shape.batch = batch;
  shape.out_height = layer.out_height();
  shape.out_width = layer.out_width();
  shape.channels = shape.bundle_inputs;
  shape.im2col = im2col;
  if (!im2col && layer.dilated()) {
    fail("layer {}: a dilated kernel needs its windows gathered (im2col)", layer.name);
  }
  if (im2col) {
    shape.channels *= static_cast<std::int64_t>(layer.kernel_h) * layer.kernel_w;
  } else {
    shape.kernel_h = layer.kernel_h;
    shape.kernel_w = layer.kernel_w;
    shape.step_h = std::min(layer.stride_h, layer.kernel_h);
    shape.step_w = std::min(layer.stride_w, layer.kernel_w);
  }
  shape.blocks = ceil_div(shape.channels, shape.block);
  shape.columns = ceil_div(shape.outputs, config.m);
  return shape;
}

std::string FusionSchedule::key() const {
  const bool split = mode == Mode::kSplitK;
  return fmt::format("{} b{} y{} x{} o{} {}", im2col ? "im2col" : "direct", tile.batch, tile.height,
                     tile.width, tile.columns, split ? "" : fmt::format("c{} ", tile.blocks)) +
         order_key(fmt::format("c={} k={}x{}", tile.blocks, tile.kernel_h, tile.kernel_w));
}

FusionGrid::FusionGrid(const FusionShape& shape, const FusionSchedule& schedule)
    : tile(schedule.tile) {
  batches = ceil_div(shape.batch, tile.batch);
  rows = ceil_div(shape.out_height, tile.height);
  cols = ceil_div(shape.out_width, tile.width);
  lhs_stripes = batches * rows * cols;
  rhs_stripes = ceil_div(shape.columns, tile.columns);
  block_pieces = ceil_div(shape.blocks, tile.blocks);
  kernel_h_pieces = ceil_div(shape.kernel_h, tile.kernel_h);
  kernel_w_pieces = ceil_div(shape.kernel_w, tile.kernel_w);
  pieces = block_pieces * kernel_h_pieces * kernel_w_pieces;
  in_height = (tile.height - 1) * shape.step_h + tile.kernel_h;
  in_width = (tile.width - 1) * shape.step_w + tile.kernel_w;
  lhs_byte_size = tile.batch * in_height * in_width * tile.blocks * shape.lhs_quarters;
  rhs_byte_size = tile.columns * tile.kernel_h * tile.kernel_w * tile.blocks * shape.rhs_quarters;
  lhs_depth = ceil_div(shape.lhs.bytes * lhs_byte_size, 4);
  rhs_depth = ceil_div(shape.rhs.bytes * rhs_byte_size, 4);
  piece_steps = tile.words() * tile.kernel_h * tile.kernel_w * tile.blocks * shape.lhs.bytes *
                shape.rhs.bytes;
}

StreamMap make_map(const BitFusionConfig& config, const FusionShape& shape,
                   const FusionSchedule& schedule) {
  const FusionGrid grid(shape, schedule);
  const std::int64_t group_bytes = std::int64_t{config.lanes} * config.port_bytes();
  OperandShape lhs;
  lhs.bundles = shape.bundles;
  lhs.stripes = grid.lhs_stripes;
  lhs.pieces = grid.pieces;
  lhs.piece_depth = lhs.last_depth = grid.lhs_depth;
  lhs.word_beats = 4 * config.lhs_quarter_bytes() / group_bytes;
  lhs.beat_bytes = config.port_bytes();
  OperandShape rhs = lhs;
  rhs.stripes = grid.rhs_stripes;
  rhs.piece_depth = rhs.last_depth = grid.rhs_depth;
  rhs.word_beats = 4 * config.rhs_quarter_bytes() / group_bytes;
  return lay_out(OperandLayout(schedule, lhs, true), OperandLayout(schedule, rhs, false),
                 config.lanes, shape.bundles * grid.lhs_stripes * grid.rhs_stripes,
                 grid.tile.words() * config.word_bytes_per_port(), config.write_ports);
}

void emit_steps(const BitFusionConfig& config, const FusionShape& shape,
                const FusionSchedule& schedule, const StreamMap& map, const FusionSink& sink) {
  Emitter(config, shape, schedule, map, sink).run();
}

}  // namespace bittern
