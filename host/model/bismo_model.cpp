#include "host/model/bismo_model.h"

namespace bittern {
namespace {

/// rtl/bismo: last address of a tile -> seen by the result stage, without the array's stages.
constexpr int kAddressToTile = 4;

}  // namespace

BismoModel::BismoModel(const BismoMachine& machine, std::uint64_t instructions)
    : StreamModel("BISMO", machine, instructions),
      address_to_tile_(kAddressToTile + machine.pop_stages),
      tile_beats_(static_cast<std::uint64_t>(machine.dm) * machine.dn * 32 /
                  (static_cast<std::uint64_t>(machine.port_width) * machine.write_ports)) {}

void BismoModel::step(const BismoStep& step) {
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

void BismoModel::exec(const BismoStep& step) {
  Cycle end = begin_exec(step);
  const Cycle tile_cycles =
      static_cast<Cycle>(step.lhs_bits) * step.rhs_bits * static_cast<Cycle>(step.k_words);
  const std::uint64_t tiles = static_cast<std::uint64_t>(step.lhs_tiles) * step.rhs_tiles;
  for (std::uint64_t tile = 0; tile < tiles; ++tile) {
    end += tile_cycles;
    if (!open_) end = wait_for_slot(end);
    open_ = !step.emit;
    // A slot is free when its last beat is loaded, though not yet transferred.
    if (step.emit) release_slot(write_tile(end + address_to_tile_).loaded);
  }
  exec_run_ += tiles * tile_cycles;
  end_exec(step, end);
  ++instructions_;
}

ModelResult BismoModel::finish() {
  ModelResult out = drain(exec_end() + address_to_tile_);
  out.events.emplace_back("exec_run", exec_run_);
  out.events.emplace_back("instr_exec", instructions_);
  out.events.emplace_back("instr_result", results());
  return out;
}

}  // namespace bittern
