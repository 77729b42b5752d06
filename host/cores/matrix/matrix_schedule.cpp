#include "host/cores/matrix/matrix_schedule.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/base/ceil_div.h"

namespace bittern {
namespace {

OperandShape operand(const MatrixConfig& config, const MatrixShape& shape,
                     const MatrixSchedule& schedule, bool lhs, int bits) {
  const bool split = schedule.mode == StreamSchedule::Mode::kSplitK;
  const std::int64_t k_chunk = split ? schedule.k_chunk : shape.k_words;
  const MatrixOperand& side = lhs ? config.lhs : config.rhs;
  const int addresses = side.addresses(bits);
  OperandShape out;
  out.bundles = lhs ? shape.bundles : shape.weight_bundles;
  out.stripes = lhs ? shape.lhs_stripes : shape.rhs_stripes;
  out.pieces = ceil_div(shape.k_words, k_chunk);
  out.piece_depth = addresses * k_chunk;
  out.last_depth = addresses * (shape.k_words - (out.pieces - 1) * k_chunk);
  out.word_beats = side.banks(bits);
  out.last_word_beats = last_stripe_banks(config, side, lhs ? shape.m : shape.n, bits);
  out.beat_bytes = config.port_bytes();
  return out;
}

class Emitter : public StreamEmitter {
 public:
  Emitter(const MatrixConfig& config, const MatrixShape& shape, const MatrixSchedule& schedule,
          const BitPair& bits, const StreamMap& map, const StepSink& sink)
      : StreamEmitter(schedule, map, shape.bundles, config.max_fetch_words,
                      config.max_result_tiles),
        config_(config),
        bits_(bits),
        sink_(sink) {}

 private:
  void stream(const StreamStep& step) override {
    MatrixStep out;
    static_cast<StreamStep&>(out) = step;
    sink_(out, TileBlock{});
  }

  void execute(const Use& lhs, const Use& rhs, const TileBlock& block,
               std::int64_t piece) override {
    MatrixStep step;
    step.kind = StreamStep::Kind::kExec;
    step.wait_lhs = lhs.wait;
    step.wait_rhs = rhs.wait;
    step.free_lhs = lhs.free;
    step.free_rhs = rhs.free;
    step.accumulate = piece > 0;
    step.emit = piece + 1 == map().lhs.pieces();
    step.lhs_bits = bits_.activation;
    step.rhs_bits = bits_.weight;
    step.columns = config_.columns;
    step.cascade = config_.cascade;
    step.lhs_base = static_cast<std::uint32_t>(lhs.base);
    step.rhs_base = static_cast<std::uint32_t>(rhs.base);
    step.k_words = static_cast<std::uint32_t>(map().lhs.piece_depth(piece) /
                                              config_.lhs.addresses(bits_.activation));
    step.lhs_tiles = static_cast<std::uint32_t>(lhs.stripes);
    step.rhs_tiles = static_cast<std::uint32_t>(rhs.stripes);
    // The field has 16 bits and a stride is only used between stripes.
    step.lhs_stride = lhs.stripes > 1 ? static_cast<std::uint32_t>(map().lhs.stripe_depth()) : 0;
    step.rhs_stride = rhs.stripes > 1 ? static_cast<std::uint32_t>(map().rhs.stripe_depth()) : 0;
    if (step.emit) store(lhs.stripes * rhs.stripes);
    sink_(step, block);
  }

  const MatrixConfig& config_;
  const BitPair bits_;
  const StepSink& sink_;
};

}  // namespace

MatrixShape MatrixShape::of(const Layer& layer, int batch, const MatrixConfig& config) {
  MatrixShape shape;
  shape.group_inputs = layer.in_channels / layer.groups;
  shape.group_outputs = layer.out_channels / layer.groups;
  std::int64_t pack = 1;
  if (layer.kind == LayerKind::kDepthwise) {
    pack = std::min<std::int64_t>(config.depthwise_pack, layer.groups);
  }
  // A linear layer has one row an image: the batch is what fills its tiles.
  const bool by_image = config.by_image && layer.kind != LayerKind::kLinear;
  shape.weight_bundles = ceil_div(layer.groups, pack);
  shape.bundles = (by_image ? batch : 1) * shape.weight_bundles;
  shape.channels = pack * shape.group_inputs;
  shape.m =
      static_cast<std::int64_t>(by_image ? 1 : batch) * layer.out_height() * layer.out_width();
  shape.n = pack * shape.group_outputs;
  shape.channel_stride = config.bricks
                             ? ceil_div(shape.channels, config.k_elements) * config.k_elements
                             : shape.channels;
  shape.k = static_cast<std::int64_t>(layer.kernel_h) * layer.kernel_w * shape.channel_stride;
  shape.lhs_stripes = ceil_div(shape.m, config.lhs.rows);
  shape.rhs_stripes = ceil_div(shape.n, config.rhs.rows);
  shape.k_words = ceil_div(ceil_div(shape.k, config.k_elements), config.lhs.parts);
  return shape;
}

std::string MatrixSchedule::key() const {
  std::string order = order_key(fmt::format("k={}", k_chunk));
  if (columns == 1) return order;
  return fmt::format("{} {}={}", order, cascade ? "cascade" : "columns", columns);
}

std::int64_t last_stripe_banks(const MatrixConfig& config, const MatrixOperand& operand,
                               std::int64_t rows, int bits) {
  std::int64_t banks = operand.banks(bits);
  if (config.bricks) return banks;
  // FETCH can say 7 halvings.
  const std::int64_t last = (rows - 1) % operand.rows + 1;
  for (int narrow = 0; narrow < 7 && banks / 2 >= last; ++narrow) banks /= 2;
  return banks;
}

StreamMap make_map(const MatrixConfig& config, const MatrixShape& shape,
                   const MatrixSchedule& schedule, const BitPair& bits) {
  return lay_out(
      OperandLayout(schedule, operand(config, shape, schedule, true, bits.activation), true),
      OperandLayout(schedule, operand(config, shape, schedule, false, bits.weight), false),
      config.lanes, shape.bundles * shape.lhs_stripes * shape.rhs_stripes,
      config.tile_bytes_per_port(), config.write_ports);
}

void emit_steps(const MatrixConfig& config, const MatrixShape& shape,
                const MatrixSchedule& schedule, const BitPair& bits, const StreamMap& map,
                const StepSink& sink) {
  Emitter(config, shape, schedule, bits, map, sink).run();
}

}  // namespace bittern
