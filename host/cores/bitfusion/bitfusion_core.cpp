#include "host/cores/bitfusion/bitfusion_core.h"

#include <algorithm>
#include <utility>

#include "host/base/error.h"
#include "host/cores/bitfusion/bitfusion_image.h"
#include "host/cores/bitfusion/bitfusion_isa.h"
#include "host/cores/bitfusion/bitfusion_planner.h"
#include "host/cores/stream/result_options.h"
#include "host/integer/layer_data.h"

namespace bittern {
namespace {

/// Schedules whose closed form is worked out at most, and their instructions together: the bounds
/// have sorted them, and what is left beyond wins little.
constexpr int kMostModels = 200;
constexpr std::uint64_t kMostInstructions = 300000;

/// Address differences are two's complement.
std::uint64_t jump_field(std::int32_t jump) {
  return static_cast<std::uint32_t>(jump) & ((1u << 20) - 1);
}

std::uint64_t mode_field(int bits) { return bits == 8 ? 2 : bits == 4 ? 1 : 0; }

template <typename Fetch>
bitfusion_isa::Word encode_fetch(const StreamStep& step) {
  Fetch fetch;
  fetch.wait_free = step.wait_free;
  fetch.send_filled = step.send_filled;
  fetch.buffer_base = step.buffer_base;
  fetch.words = step.words;
  fetch.dram_base = step.dram_base;
  fetch.lane_stride = step.lane_stride;
  return fetch.encode();
}

bitfusion_isa::Word encode_array(const BitFusionStep& step, const Precision& precision) {
  switch (step.op) {
    case BitFusionStep::Op::kCompute: {
      bitfusion_isa::Compute compute;
      compute.wait_lhs = step.wait_lhs;
      compute.wait_rhs = step.wait_rhs;
      compute.free_lhs = step.free_lhs;
      compute.free_rhs = step.free_rhs;
      compute.accumulate = step.accumulate;
      compute.emit = step.emit;
      compute.lhs_base = step.lhs_base;
      compute.rhs_base = step.rhs_base;
      return compute.encode();
    }
    case BitFusionStep::Op::kSetup: {
      bitfusion_isa::Setup setup;
      setup.lhs_mode = mode_field(step.lhs_bits);
      setup.rhs_mode = mode_field(step.rhs_bits);
      setup.lhs_signed = precision.activation_signed;
      setup.rhs_signed = precision.weight_signed;
      setup.lhs_wide = step.lhs_wide;
      setup.rhs_wide = step.rhs_wide;
      return setup.encode();
    }
    case BitFusionStep::Op::kLoop:
      break;
  }
  bitfusion_isa::Loop loop;
  loop.level = static_cast<std::uint64_t>(step.level);
  loop.iterations = step.iterations - 1;
  loop.lhs_jump = jump_field(step.lhs_jump);
  loop.rhs_jump = jump_field(step.rhs_jump);
  return loop.encode();
}

bitfusion_isa::Word encode(const BitFusionStep& step, const Plan& plan) {
  switch (step.kind) {
    case StreamStep::Kind::kFetchLhs:
      return encode_fetch<bitfusion_isa::FetchLhs>(step);
    case StreamStep::Kind::kFetchRhs:
      return encode_fetch<bitfusion_isa::FetchRhs>(step);
    case StreamStep::Kind::kExec:
      return encode_array(step, plan.precision);
    case StreamStep::Kind::kResult:
      break;
  }
  bitfusion_isa::Store store;
  store.width = result_width_field(plan.result);
  store.is_signed = plan.result.is_signed;
  store.shift = plan.result.shift;
  store.tiles = step.tiles;
  store.words = step.store_words;
  store.dram_base = step.dram_base;
  store.lane_stride = step.lane_stride;
  return store.encode();
}

void append_word(std::vector<std::uint8_t>& bytes, const bitfusion_isa::Word& word) {
  for (const std::uint64_t half : word) {
    for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<std::uint8_t>(half >> (8 * i)));
  }
}

std::vector<BitFusionStep> steps_of(const BitFusionConfig& config, const FusionShape& shape,
                                    const FusionSchedule& schedule, const StreamMap& map) {
  std::vector<BitFusionStep> steps;
  emit_steps(config, shape, schedule, map,
             [&](const BitFusionStep& step, const TileBlock&) { steps.push_back(step); });
  return steps;
}

ModelResult model_steps(const BitFusionConfig& config, const std::vector<BitFusionStep>& steps) {
  BitFusionModel model(config.machine(), steps.size() + 1);
  for (const BitFusionStep& step : steps) model.step(step);
  return model.finish();
}

}  // namespace

const BitFusionPlan& BitFusionPlan::of(const Plan& plan) {
  const auto* fusion = dynamic_cast<const BitFusionPlan*>(&plan);
  if (fusion == nullptr) {
    fail("layer {}: plan {} was not made by a BitFusion core; use the core that made it",
         plan.layer.name, plan.key());
  }
  return *fusion;
}

BitPair BitFusionCore::supported(BitPair bits) const {
  const auto rounded = [](int width) {
    const OperandMode mode = OperandMode::of(std::clamp(width, 1, kMostBits));
    return mode.bits * mode.bytes;
  };
  return {rounded(bits.weight), rounded(bits.activation)};
}

double BitFusionCore::peak_macs_per_cycle(BitPair bits) const {
  const OperandMode lhs = OperandMode::of(bits.activation);
  const OperandMode rhs = OperandMode::of(bits.weight);
  // Bits of an operand divide 8: so many products a unit makes at once.
  const int products = (8 / lhs.bits) * (8 / rhs.bits);
  return static_cast<double>(config_.n) * config_.m * products / (lhs.bytes * rhs.bytes);
}

std::vector<std::pair<std::string, std::string>> BitFusionCore::cycle_split() const {
  // Not array_drain: while the array drains, the next COMPUTE may be waiting for its operands.
  return {{"run", "exec_run"},
          {"wait_lhs", "exec_wait_lhs"},
          {"wait_rhs", "exec_wait_rhs"},
          {"wait_result", "exec_wait_result"}};
}

std::vector<FusionShape> BitFusionCore::shapes(const Layer& layer, const BitPair& bits,
                                               int batch) const {
  const FusionShape gathered = FusionShape::of(layer, batch, config_, bits, true);
  // The array walks over neighbouring pixels only.
  if (layer.dilated()) return {gathered};
  std::vector<FusionShape> shapes = {FusionShape::of(layer, batch, config_, bits, false)};
  const FusionShape& direct = shapes.front();
  // Gathering pays where channels leave a block half empty.
  if (gathered.blocks < direct.blocks * direct.kernel_h * direct.kernel_w) {
    shapes.push_back(gathered);
  }
  return shapes;
}

std::unique_ptr<BitFusionPlan> BitFusionCore::plan_with(const Layer& layer,
                                                        const Precision& precision, int batch,
                                                        const FusionSchedule& schedule) const {
  layer.validate();
  check_precision(layer, precision, batch, kMostBits);
  auto plan = std::make_unique<BitFusionPlan>();
  plan->layer = layer;
  plan->precision = precision;
  plan->batch = batch;
  plan->result = config_.results.format(layer, precision);
  const BitFusionConfig config = config_.for_results(plan->result.bits);
  plan->shape = FusionShape::of(layer, batch, config_, precision.bits, schedule.im2col);
  plan->schedule = schedule;
  plan->predicted = model_steps(
      config, steps_of(config, plan->shape, schedule, make_map(config, plan->shape, schedule)));
  return plan;
}

std::unique_ptr<Plan> BitFusionCore::plan(const Layer& layer, const Precision& precision,
                                          int batch) const {
  layer.validate();
  check_precision(layer, precision, batch, kMostBits);
  const ResultFormat result = config_.results.format(layer, precision);
  const BitFusionConfig config = config_.for_results(result.bits);
  std::vector<FusionCandidate> candidates;
  const std::vector<FusionShape> forms = shapes(layer, precision.bits, batch);
  for (const FusionShape& shape : forms) {
    const std::vector<FusionCandidate> of_form = candidate_schedules(config, shape);
    candidates.insert(candidates.end(), of_form.begin(), of_form.end());
  }
  std::stable_sort(
      candidates.begin(), candidates.end(),
      [](const FusionCandidate& a, const FusionCandidate& b) { return a.bound < b.bound; });

  const auto form_of = [&forms](const FusionSchedule& schedule) -> const FusionShape& {
    return forms.front().im2col == schedule.im2col ? forms.front() : forms.back();
  };

  // Once a bound is no better than the best count, no later schedule can win, and once the best is
  // within a thousandth of the least bound, none can win much.
  const auto least_bound = static_cast<std::uint64_t>(candidates.front().bound);
  std::uint64_t least_memory = ~std::uint64_t{0};
  std::uint64_t instructions = 0;
  int models = 0;
  const FusionSchedule* best = nullptr;
  ModelResult best_result;
  best_result.cycles = ~std::uint64_t{0};
  for (const FusionCandidate& candidate : candidates) {
    if (best != nullptr && (static_cast<std::uint64_t>(candidate.bound) >= best_result.cycles ||
                            best_result.cycles - least_bound <= least_bound / 1000 ||
                            models >= kMostModels || instructions >= kMostInstructions)) {
      break;
    }
    const FusionShape& shape = form_of(candidate.schedule);
    const StreamMap map = make_map(config, shape, candidate.schedule);
    least_memory = std::min(least_memory, map.program_address);
    if (map.program_address > config_.memory.size_bytes) continue;
    const std::vector<BitFusionStep> steps = steps_of(config, shape, candidate.schedule, map);
    const std::uint64_t needed =
        map.program_address + (steps.size() + 1) * sizeof(bitfusion_isa::Word);
    if (needed > config_.memory.size_bytes) continue;
    instructions += steps.size();
    ++models;
    ModelResult counted = model_steps(config, steps);
    if (counted.cycles < best_result.cycles) {
      best_result = std::move(counted);
      best = &candidate.schedule;
    }
  }
  if (best == nullptr) {
    fail(
        "layer {}: batch {} at {} weight and {} activation bits needs {} bytes of device memory "
        "and room for its program, the variant has {}; give it more memory.size_mib or a smaller "
        "batch",
        layer.name, batch, precision.bits.weight, precision.bits.activation, least_memory,
        config_.memory.size_bytes);
  }
  auto plan = std::make_unique<BitFusionPlan>();
  plan->layer = layer;
  plan->precision = precision;
  plan->batch = batch;
  plan->result = result;
  plan->shape = form_of(*best);
  plan->schedule = *best;
  plan->predicted = std::move(best_result);
  return plan;
}

ProgramOutline BitFusionCore::outline(const Plan& any) const {
  const BitFusionPlan& plan = BitFusionPlan::of(any);
  const BitFusionConfig config = config_.for_results(plan.result.bits);
  const StreamMap map = make_map(config, plan.shape, plan.schedule);
  ProgramOutline outline;
  std::vector<std::uint8_t>& words = outline.instructions;
  emit_steps(
      config, plan.shape, plan.schedule, map,
      [&](const BitFusionStep& step, const TileBlock&) { append_word(words, encode(step, plan)); });
  append_word(words, bitfusion_isa::End{}.encode());

  outline.program_address = map.program_address;
  outline.instruction_count =
      static_cast<std::uint32_t>(words.size() / sizeof(bitfusion_isa::Word));
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

std::vector<std::vector<std::uint8_t>> BitFusionCore::pack(const Plan& any,
                                                           const LayerData& data) const {
  const BitFusionPlan& plan = BitFusionPlan::of(any);
  const BitFusionConfig config = config_.for_results(plan.result.bits);
  const StreamMap map = make_map(config, plan.shape, plan.schedule);
  return {
      pack_activations(config, plan.shape, plan.schedule, map.lhs, plan.layer, data.activations),
      pack_weights(config, plan.shape, plan.schedule, map.rhs, plan.layer, data.weights)};
}

std::vector<std::int32_t> BitFusionCore::unpack(const Plan& any, Bytes result) const {
  const BitFusionPlan& plan = BitFusionPlan::of(any);
  const BitFusionConfig config = config_.for_results(plan.result.bits);
  const StreamMap map = make_map(config, plan.shape, plan.schedule);
  return unpack_results(config, plan.shape, plan.schedule, map, plan.layer, plan.result, result);
}

ModelResult BitFusionCore::model(const Plan& plan) const {
  return BitFusionPlan::of(plan).predicted;
}

}  // namespace bittern
