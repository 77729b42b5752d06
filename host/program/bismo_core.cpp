#include "host/program/bismo_core.h"

#include <algorithm>
#include <utility>

#include "host/base/error.h"
#include "host/program/bismo_image.h"
#include "host/program/bismo_isa.h"
#include "host/program/bismo_planner.h"

namespace bittern {
namespace {

/// How often the banks of an operand are halved for FETCH to fill the step's number.
int narrow_of(int banks, const BismoStep& step) {
  int narrow = 0;
  while (banks >> narrow > step.word_beats) ++narrow;
  return narrow;
}

bismo_isa::Word encode(const BismoConfig& config, const BismoStep& step,
                       const Precision& precision) {
  switch (step.kind) {
    case BismoStep::Kind::kFetchLhs: {
      bismo_isa::FetchLhs fetch;
      fetch.wait_free = step.wait_free;
      fetch.send_filled = step.send_filled;
      fetch.narrow = narrow_of(config.dm, step);
      fetch.buffer_base = step.buffer_base;
      fetch.words = step.words;
      fetch.dram_base = step.dram_base;
      fetch.lane_stride = step.lane_stride;
      return fetch.encode();
    }
    case BismoStep::Kind::kFetchRhs: {
      bismo_isa::FetchRhs fetch;
      fetch.wait_free = step.wait_free;
      fetch.send_filled = step.send_filled;
      fetch.narrow = narrow_of(config.dn, step);
      fetch.buffer_base = step.buffer_base;
      fetch.words = step.words;
      fetch.dram_base = step.dram_base;
      fetch.lane_stride = step.lane_stride;
      return fetch.encode();
    }
    case BismoStep::Kind::kExec: {
      bismo_isa::Exec exec;
      exec.wait_lhs = step.wait_lhs;
      exec.wait_rhs = step.wait_rhs;
      exec.free_lhs = step.free_lhs;
      exec.free_rhs = step.free_rhs;
      exec.lhs_signed = precision.activation_signed;
      exec.rhs_signed = precision.weight_signed;
      exec.accumulate = step.accumulate;
      exec.emit = step.emit;
      exec.lhs_bits = step.lhs_bits - 1;
      exec.rhs_bits = step.rhs_bits - 1;
      exec.lhs_tiles = step.lhs_tiles - 1;
      exec.rhs_tiles = step.rhs_tiles - 1;
      exec.lhs_base = step.lhs_base;
      exec.rhs_base = step.rhs_base;
      exec.k_words = step.k_words;
      exec.lhs_stride = step.lhs_stride;
      exec.rhs_stride = step.rhs_stride;
      return exec.encode();
    }
    case BismoStep::Kind::kResult:
      break;
  }
  bismo_isa::Result result;
  result.tiles = step.tiles;
  result.dram_base = step.dram_base;
  result.lane_stride = step.lane_stride;
  return result.encode();
}

void append_word(std::vector<std::uint8_t>& bytes, const bismo_isa::Word& word) {
  for (const std::uint64_t half : word) {
    for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<std::uint8_t>(half >> (8 * i)));
  }
}

const BismoPlan& own(const Plan& plan) {
  const auto* bismo = dynamic_cast<const BismoPlan*>(&plan);
  if (bismo == nullptr) {
    fail("layer {}: plan {} was not made by a BISMO core; use the core that made it",
         plan.layer.name, plan.key());
  }
  return *bismo;
}

/// Instructions of a schedule, END included.
std::uint64_t count_instructions(const BismoConfig& config, const GemmShape& shape,
                                 const BismoSchedule& schedule, const BitPair& bits,
                                 const StreamMap& map) {
  std::uint64_t instructions = 1;
  emit_steps(config, shape, schedule, bits, map,
             [&](const BismoStep&, const TileBlock&) { ++instructions; });
  return instructions;
}

}  // namespace

BitPair BismoCore::supported(BitPair bits) const {
  return {std::clamp(bits.weight, 1, 8), std::clamp(bits.activation, 1, 8)};
}

double BismoCore::peak_macs_per_cycle(BitPair bits) const {
  return static_cast<double>(config_.dm) * config_.dn * config_.dk /
         (static_cast<double>(bits.weight) * bits.activation);
}

std::vector<std::pair<std::string, std::string>> BismoCore::cycle_split() const {
  return {{"run", "exec_run"},
          {"wait_lhs", "exec_wait_lhs"},
          {"wait_rhs", "exec_wait_rhs"},
          {"wait_result", "exec_wait_result"}};
}

ModelResult BismoCore::model_schedule(const GemmShape& shape, const BismoSchedule& schedule,
                                      const BitPair& bits) const {
  const StreamMap map = make_map(config_, shape, schedule, bits);
  const std::uint64_t instructions = count_instructions(config_, shape, schedule, bits, map);
  BismoModel model(config_.machine(), instructions);
  emit_steps(config_, shape, schedule, bits, map,
             [&](const BismoStep& step, const TileBlock&) { model.step(step); });
  return model.finish();
}

std::unique_ptr<BismoPlan> BismoCore::plan_with(const Layer& layer, const Precision& precision,
                                                int batch, const BismoSchedule& schedule) const {
  layer.validate();
  check_precision(layer, precision, batch, 8);
  auto plan = std::make_unique<BismoPlan>();
  plan->layer = layer;
  plan->precision = precision;
  plan->batch = batch;
  plan->shape = GemmShape::of(layer, batch, config_);
  plan->schedule = schedule;
  plan->predicted = model_schedule(plan->shape, schedule, precision.bits);
  return plan;
}

std::unique_ptr<Plan> BismoCore::plan(const Layer& layer, const Precision& precision,
                                      int batch) const {
  layer.validate();
  check_precision(layer, precision, batch, 8);
  const GemmShape shape = GemmShape::of(layer, batch, config_);
  const std::vector<BismoSchedule> schedules = candidate_schedules(config_, shape, precision.bits);

  // Schedules in the order of their bounds; once a bound is no better than the best count, no later
  // one can win, and once the best is within a thousandth of the least bound, none can win much.
  std::vector<std::int64_t> bounds(schedules.size());
  std::vector<std::size_t> order(schedules.size());
  std::uint64_t least_memory = ~std::uint64_t{0};
  for (std::size_t i = 0; i < schedules.size(); ++i) {
    bounds[i] = cycle_bound(config_, shape, schedules[i], precision.bits);
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return bounds[a] < bounds[b]; });
  const auto least_bound = static_cast<std::uint64_t>(bounds[order.front()]);
  const BismoSchedule* best = nullptr;
  std::uint64_t best_cycles = ~std::uint64_t{0};
  for (const std::size_t i : order) {
    if (best != nullptr && (static_cast<std::uint64_t>(bounds[i]) >= best_cycles ||
                            best_cycles - least_bound <= least_bound / 1000)) {
      break;
    }
    const StreamMap map = make_map(config_, shape, schedules[i], precision.bits);
    // Data first: schedules that are too big by far need not be counted out.
    std::uint64_t needed = map.program_address;
    if (needed <= config_.memory.size_bytes) {
      needed += count_instructions(config_, shape, schedules[i], precision.bits, map) *
                sizeof(bismo_isa::Word);
    }
    least_memory = std::min(least_memory, needed);
    if (needed > config_.memory.size_bytes) continue;
    const std::uint64_t cycles = model_schedule(shape, schedules[i], precision.bits).cycles;
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

Program BismoCore::build(const Plan& any, const LayerData& data) const {
  const BismoPlan& plan = own(any);
  const Layer& layer = plan.layer;
  check_data(layer, plan.precision, plan.batch, data);
  const StreamMap map = make_map(config_, plan.shape, plan.schedule, plan.precision.bits);
  Program program;
  std::vector<std::uint8_t> words;
  emit_steps(config_, plan.shape, plan.schedule, plan.precision.bits, map,
             [&](const BismoStep& step, const TileBlock&) {
               append_word(words, encode(config_, step, plan.precision));
             });
  append_word(words, bismo_isa::End{}.encode());

  program.program_address = map.program_address;
  program.instruction_count = static_cast<std::uint32_t>(words.size() / sizeof(bismo_isa::Word));
  program.result_address = map.result_address;
  program.result_bytes = config_.write_ports * map.result_lane_bytes;
  program.memory_end = map.program_address + words.size();
  if (program.memory_end > config_.memory.size_bytes) {
    fail(
        "layer {}: the program ends at byte {} of device memory, which has {}; give the variant "
        "more memory.size_mib or a smaller batch",
        layer.name, program.memory_end, config_.memory.size_bytes);
  }
  program.segments.push_back(
      {map.lhs_address,
       pack_activations(config_, plan.shape, map.lhs, plan.precision.bits.activation, layer,
                        plan.batch, data.activations)});
  program.segments.push_back(
      {map.rhs_address, pack_weights(config_, plan.shape, map.rhs, plan.precision.bits.weight,
                                     layer, data.weights)});
  program.segments.push_back({map.program_address, std::move(words)});
  return program;
}

std::vector<std::int32_t> BismoCore::unpack(const Plan& any, Bytes result) const {
  const BismoPlan& plan = own(any);
  const StreamMap map = make_map(config_, plan.shape, plan.schedule, plan.precision.bits);
  return unpack_results(config_, plan.shape, plan.schedule, plan.precision.bits, map, plan.layer,
                        plan.batch, result);
}

ModelResult BismoCore::model(const Plan& plan) const { return own(plan).predicted; }

}  // namespace bittern
