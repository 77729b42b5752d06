#include "host/cores/matrix/matrix_model.h"

#include <algorithm>
#include <string>

namespace bittern {

MatrixModel::MatrixModel(const MatrixMachine& machine, std::uint64_t instructions)
    : StreamModel(machine.core, machine, instructions),
      machine_(machine),
      step_to_tile_(machine.step_to_tile + machine.columns - 1),
      tile_beats_(static_cast<std::uint64_t>(machine.tile_bits) /
                  (static_cast<std::uint64_t>(machine.port_width) * machine.write_ports)) {}

void MatrixModel::step(const MatrixStep& step) {
  switch (step.kind) {
    case StreamStep::Kind::kFetchLhs:
    case StreamStep::Kind::kFetchRhs:
      return fetch(step);
    case StreamStep::Kind::kExec:
      return exec(step);
    case StreamStep::Kind::kResult:
      return result(step, tile_beats_);
  }
}

void MatrixModel::exec(const MatrixStep& step) {
  Cycle end = begin_exec(step);
  const Cycle word_steps = static_cast<Cycle>(machine_.lhs_serial ? step.lhs_bits : 1) *
                           (machine_.rhs_serial ? step.rhs_bits : 1);
  const Cycle tile_steps = word_steps * static_cast<Cycle>(step.k_words);
  const Cycle after_slot = machine_.slot_before_brick ? word_steps - 1 : 0;
  const std::uint64_t tiles = static_cast<std::uint64_t>(step.lhs_tiles) * step.rhs_tiles;
  for (std::uint64_t tile = 0; tile < tiles; ++tile) {
    end += tile_steps;
    if (!open_) end = wait_for_slot(end - after_slot) + after_slot;
    open_ = !step.emit;
    // A slot is free when its last beat is loaded, though not yet transferred.
    if (step.emit) release_slot(write_tile(end + step_to_tile_).loaded);
  }
  exec_run_ += tiles * tile_steps;
  // A parallel operand is read once a word of K, or once for each staggered column.
  const auto words = static_cast<Cycle>(step.k_words);
  lhs_reads_ += tiles * (machine_.lhs_serial ? tile_steps : words);
  rhs_reads_ += tiles * (machine_.rhs_serial ? tile_steps : words * step.columns);
  end_exec(step, end);
  ++instructions_;
}

ModelResult MatrixModel::finish() {
  ModelResult out = drain(exec_end() + step_to_tile_);
  out.events.emplace_back("exec_run", exec_run_);
  if (machine_.counts_reads) {
    // Planes: of a parallel operand all of them, the lower 8 and those above counted apart.
    const auto planes = [&](const char* lower, const char* upper, std::uint64_t times,
                            bool serial) {
      const int all = serial ? 1 : machine_.planes;
      out.events.emplace_back(lower, times * std::min(all, 8));
      out.events.emplace_back(upper, times * std::max(all - 8, 0));
    };
    planes("lhs_buffer_reads", "lhs_buffer_upper_reads", lhs_reads_, machine_.lhs_serial);
    planes("rhs_buffer_reads", "rhs_buffer_upper_reads", rhs_reads_, machine_.rhs_serial);
    planes("array_planes", "array_upper_planes", exec_run_,
           machine_.lhs_serial && machine_.rhs_serial);
  }
  out.events.emplace_back("instr_exec", instructions_);
  out.events.emplace_back("instr_result", results());
  return out;
}

}  // namespace bittern
