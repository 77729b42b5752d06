#include "host/cores/matrix/matrix_core.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "host/base/error.h"
#include "host/cores/matrix/matrix_image.h"
#include "host/cores/matrix/matrix_planner.h"
#include "host/integer/layer_data.h"

namespace bittern {
namespace {

constexpr std::size_t kInstructionBytes = 16;

void append_word(std::vector<std::uint8_t>& bytes, const std::array<std::uint64_t, 2>& word) {
  for (const std::uint64_t half : word) {
    for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<std::uint8_t>(half >> (8 * i)));
  }
}

const MatrixPlan& own(const Plan& plan) {
  const auto* matrix = dynamic_cast<const MatrixPlan*>(&plan);
  if (matrix == nullptr) {
    fail(
        "layer {}: plan {} was not made by a core that multiplies matrices; use the core that made "
        "it",
        plan.layer.name, plan.key());
  }
  return *matrix;
}

/// Instructions of a schedule, END included.
std::uint64_t count_instructions(const MatrixConfig& config, const MatrixShape& shape,
                                 const MatrixSchedule& schedule, const BitPair& bits,
                                 const StreamMap& map) {
  std::uint64_t instructions = 1;
  emit_steps(config, shape, schedule, bits, map,
             [&](const MatrixStep&, const TileBlock&) { ++instructions; });
  return instructions;
}

}  // namespace

BitPair MatrixCore::supported(BitPair bits) const {
  return {std::clamp(bits.weight, 1, config_.max_bits),
          std::clamp(bits.activation, 1, config_.max_bits)};
}

double MatrixCore::peak_macs_per_cycle(BitPair bits) const {
  return static_cast<double>(config_.tile_units) * config_.k_elements / config_.steps(bits);
}

std::vector<std::pair<std::string, std::string>> MatrixCore::cycle_split() const {
  return {{"run", "exec_run"},
          {"wait_lhs", "exec_wait_lhs"},
          {"wait_rhs", "exec_wait_rhs"},
          {"wait_result", "exec_wait_result"}};
}

ModelResult MatrixCore::model_schedule(const MatrixConfig& config, const MatrixShape& shape,
                                       const MatrixSchedule& schedule, const BitPair& bits) const {
  const StreamMap map = make_map(config, shape, schedule, bits);
  const std::uint64_t instructions = count_instructions(config, shape, schedule, bits, map);
  MatrixModel model(config.machine(bits), instructions);
  emit_steps(config, shape, schedule, bits, map,
             [&](const MatrixStep& step, const TileBlock&) { model.step(step); });
  return model.finish();
}

std::unique_ptr<MatrixPlan> MatrixCore::plan_with(const Layer& layer, const Precision& precision,
                                                  int batch, const MatrixSchedule& schedule) const {
  layer.validate();
  check_precision(layer, precision, batch, config_.max_bits);
  const ResultFormat result = config_.results.format(layer, precision);
  const MatrixConfig config = config_for(result, schedule);
  auto plan = std::make_unique<MatrixPlan>();
  plan->layer = layer;
  plan->precision = precision;
  plan->batch = batch;
  plan->shape = MatrixShape::of(layer, batch, config);
  plan->schedule = schedule;
  plan->result = result;
  plan->predicted = model_schedule(config, plan->shape, schedule, precision.bits);
  return plan;
}

std::vector<MatrixSchedule> MatrixCore::candidates(const Layer& layer, int batch,
                                                   const BitPair& bits) const {
  const MatrixShape shape = MatrixShape::of(layer, batch, config_);
  std::vector<MatrixSchedule> schedules = candidate_schedules(config_, shape, bits);
  // Staggered columns work on each window alone. They take groups of filters, or parts of the
  // reduction of one group after the other, evened out over as few rounds as there have to be: a
  // column that waits for the others wins nothing.
  std::int64_t least = shape.lhs_stripes * shape.rhs_stripes * shape.k_words;
  const auto add = [&](std::int64_t work, bool cascade) {
    const auto most = std::min<std::int64_t>({config_.max_columns, bits.activation, work});
    const std::int64_t rounds = (work + most - 1) / most;
    const auto columns = static_cast<int>((work + rounds - 1) / rounds);
    if (columns == 1) return;
    const MatrixConfig config = config_.staggered(columns, cascade);
    const MatrixShape staggered = MatrixShape::of(layer, batch, config);
    const std::int64_t words = staggered.lhs_stripes * staggered.rhs_stripes * staggered.k_words;
    if (words >= least) return;
    least = words;
    const std::vector<MatrixSchedule> more = candidate_schedules(config, staggered, bits);
    schedules.insert(schedules.end(), more.begin(), more.end());
  };
  add(shape.rhs_stripes, false);
  add(shape.k_words, true);
  return schedules;
}

std::unique_ptr<Plan> MatrixCore::plan(const Layer& layer, const Precision& precision,
                                       int batch) const {
  layer.validate();
  check_precision(layer, precision, batch, config_.max_bits);
  const std::vector<MatrixSchedule> schedules = candidates(layer, batch, precision.bits);
  const ResultFormat result = config_.results.format(layer, precision);

  // Schedules in the order of their bounds; once a bound is no better than the best count, no later
  // one can win, and once the best is within a thousandth of the least bound, none can win much.
  std::vector<std::int64_t> bounds(schedules.size());
  std::vector<std::size_t> order(schedules.size());
  std::uint64_t least_memory = ~std::uint64_t{0};
  for (std::size_t i = 0; i < schedules.size(); ++i) {
    const MatrixConfig config = config_for(result, schedules[i]);
    bounds[i] =
        cycle_bound(config, MatrixShape::of(layer, batch, config), schedules[i], precision.bits);
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return bounds[a] < bounds[b]; });
  const auto least_bound = static_cast<std::uint64_t>(bounds[order.front()]);
  const MatrixSchedule* best = nullptr;
  std::uint64_t best_cycles = ~std::uint64_t{0};
  for (const std::size_t i : order) {
    if (best != nullptr && (static_cast<std::uint64_t>(bounds[i]) >= best_cycles ||
                            best_cycles - least_bound <= least_bound / 1000)) {
      break;
    }
    const MatrixConfig config = config_for(result, schedules[i]);
    const MatrixShape shape = MatrixShape::of(layer, batch, config);
    const StreamMap map = make_map(config, shape, schedules[i], precision.bits);
    // Data first: schedules that are too big by far need not be counted out.
    std::uint64_t needed = map.program_address;
    if (needed <= config_.memory.size_bytes) {
      needed +=
          count_instructions(config, shape, schedules[i], precision.bits, map) * kInstructionBytes;
    }
    least_memory = std::min(least_memory, needed);
    if (needed > config_.memory.size_bytes) continue;
    const std::uint64_t cycles = model_schedule(config, shape, schedules[i], precision.bits).cycles;
    if (cycles < best_cycles) {
      best_cycles = cycles;
      best = &schedules[i];
    }
  }
  if (best == nullptr) {
    fail(
        "layer {}: batch {} at {} weight and {} activation bits needs {} bytes of device memory, "
        "the variant has {}; give it more memory.size_mib or a smaller batch",
        layer.name, batch, precision.bits.weight, precision.bits.activation, least_memory,
        config_.memory.size_bytes);
  }
  return plan_with(layer, precision, batch, *best);
}

ProgramOutline MatrixCore::outline(const Plan& any) const {
  const MatrixPlan& plan = own(any);
  const MatrixConfig config = config_for(plan.result, plan.schedule);
  const StreamMap map = make_map(config, plan.shape, plan.schedule, plan.precision.bits);
  ProgramOutline outline;
  std::vector<std::uint8_t>& words = outline.instructions;
  emit_steps(
      config, plan.shape, plan.schedule, plan.precision.bits, map,
      [&](const MatrixStep& step, const TileBlock&) { append_word(words, encode(step, plan)); });
  append_word(words, std::array<std::uint64_t, 2>{});

  outline.program_address = map.program_address;
  outline.instruction_count = static_cast<std::uint32_t>(words.size() / kInstructionBytes);
  outline.result_address = map.result_address;
  outline.result_bytes = config_.write_ports * map.result_lane_bytes;
  outline.memory_end = map.program_address + words.size();
  if (outline.memory_end > config_.memory.size_bytes) {
    fail(
        "layer {}: the program ends at byte {} of device memory, which has {}; give the variant "
        "more memory.size_mib or a smaller batch",
        plan.layer.name, outline.memory_end, config_.memory.size_bytes);
  }
  const auto lanes = static_cast<std::uint64_t>(config.lanes);
  outline.tensors = {{map.lhs_address, lanes * static_cast<std::uint64_t>(map.lhs.lane_bytes())},
                     {map.rhs_address, lanes * static_cast<std::uint64_t>(map.rhs.lane_bytes())}};
  return outline;
}

std::vector<std::vector<std::uint8_t>> MatrixCore::pack(const Plan& any,
                                                        const LayerData& data) const {
  const MatrixPlan& plan = own(any);
  const MatrixConfig config = config_for(plan.result, plan.schedule);
  const StreamMap map = make_map(config, plan.shape, plan.schedule, plan.precision.bits);
  return {pack_activations(config, plan.shape, map.lhs, plan.precision.bits.activation, plan.layer,
                           plan.batch, data.activations),
          pack_weights(config, plan.shape, map.rhs, plan.precision.bits.weight, plan.layer,
                       data.weights)};
}

std::vector<std::int32_t> MatrixCore::unpack(const Plan& any, Bytes result) const {
  const MatrixPlan& plan = own(any);
  const MatrixConfig config = config_for(plan.result, plan.schedule);
  const StreamMap map = make_map(config, plan.shape, plan.schedule, plan.precision.bits);
  return unpack_results(config, plan.shape, plan.schedule, plan.precision.bits, map, plan.layer,
                        plan.batch, plan.result, result);
}

ModelResult MatrixCore::model(const Plan& plan) const { return own(plan).predicted; }

}  // namespace bittern
