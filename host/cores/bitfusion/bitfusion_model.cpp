#include "host/cores/bitfusion/bitfusion_model.h"

#include <algorithm>

#include "host/base/error.h"

namespace bittern {
namespace {

/// Last step of an output -> its word is written, besides the N + M registers of the array.
constexpr int kStepToWord = 5;

}  // namespace

BitFusionModel::BitFusionModel(const BitFusionMachine& machine, std::uint64_t instructions)
    : StreamModel("BitFusion", machine, instructions),
      step_to_word_(machine.n + machine.m + kStepToWord),
      word_bits_(static_cast<std::uint64_t>(machine.m) * machine.result_bits),
      beat_bits_(static_cast<std::uint64_t>(machine.port_width) * machine.write_ports) {
  iterations_.fill(1);
}

void BitFusionModel::step(const BitFusionStep& step) {
  switch (step.kind) {
    case StreamStep::Kind::kFetchLhs:
    case StreamStep::Kind::kFetchRhs:
      return fetch(step);
    case StreamStep::Kind::kResult:
      words_read_ += step.tiles * step.store_words;
      return result(step, step.store_words * word_bits_ / beat_bits_);
    case StreamStep::Kind::kExec:
      break;
  }
  switch (step.op) {
    case BitFusionStep::Op::kCompute:
      return compute(step);
    case BitFusionStep::Op::kSetup:
      iterations_.fill(1);
      lhs_quarters_ = 8 / step.rhs_bits;
      rhs_quarters_ = 8 / step.lhs_bits;
      ++setups_;
      return configure();
    case BitFusionStep::Op::kLoop:
      iterations_.at(step.level) = step.iterations;
      ++loops_;
      return configure();
  }
}

void BitFusionModel::compute(const BitFusionStep& step) {
  const bool begins = !step.accumulate && !open_;
  const Cycle taken = begins ? begin_exec(step, free_slot()) : begin_exec(step);
  if (computes_ > 0) {
    drain_ += std::min<Cycle>(step_to_word_, taken - exec_end());
  }
  std::uint64_t steps = 1;
  std::uint64_t outputs = 1;
  for (int level = 0; level < BitFusionStep::kLevels; ++level) {
    steps *= iterations_[level];
    if (level >= BitFusionStep::kReductionLevels) outputs *= iterations_[level];
  }
  const Cycle last = taken + static_cast<Cycle>(steps);
  end_exec(step, last);
  open_ = !step.emit;
  // Halves are free when they are written out, not when their last beat is in a register.
  if (step.emit) release_slot(write_tile(last + step_to_word_).transferred);

  steps_ += steps;
  lhs_reads_ += steps * lhs_quarters_;
  rhs_reads_ += steps * rhs_quarters_;
  words_written_ += outputs;
  if (step.accumulate) words_read_ += outputs;
  ++computes_;
}

ModelResult BitFusionModel::finish() {
  if (computes_ > 0) drain_ += step_to_word_;
  ModelResult out = drain(exec_end() + step_to_word_ + 1);
  out.events.emplace_back("exec_run", steps_);
  out.events.emplace_back("array_drain", drain_);
  out.events.emplace_back("lhs_buffer_reads", lhs_reads_);
  out.events.emplace_back("rhs_buffer_reads", rhs_reads_);
  out.events.emplace_back("obuf_writes", words_written_);
  out.events.emplace_back("obuf_reads", words_read_);
  out.events.emplace_back("instr_compute", computes_);
  out.events.emplace_back("instr_store", results());
  out.events.emplace_back("instr_setup", setups_);
  out.events.emplace_back("instr_loop", loops_);
  return out;
}

}  // namespace bittern
