#include "host/cores/bismo/bismo_core.h"

#include <array>

#include "host/cores/bismo/bismo_isa.h"
#include "host/cores/stream/result_options.h"

namespace bittern {
namespace {

/// How often the banks of an operand are halved for FETCH to fill the step's number.
int narrow_of(const MatrixOperand& operand, const MatrixStep& step) {
  int narrow = 0;
  while (operand.rows >> narrow > step.word_beats) ++narrow;
  return narrow;
}

}  // namespace

std::array<std::uint64_t, 2> BismoCore::encode(const MatrixStep& step, const Plan& plan) const {
  const Precision& precision = plan.precision;
  switch (step.kind) {
    case MatrixStep::Kind::kFetchLhs: {
      bismo_isa::FetchLhs fetch;
      fetch.wait_free = step.wait_free;
      fetch.send_filled = step.send_filled;
      fetch.narrow = narrow_of(config().lhs, step);
      fetch.buffer_base = step.buffer_base;
      fetch.words = step.words;
      fetch.dram_base = step.dram_base;
      fetch.lane_stride = step.lane_stride;
      return fetch.encode();
    }
    case MatrixStep::Kind::kFetchRhs: {
      bismo_isa::FetchRhs fetch;
      fetch.wait_free = step.wait_free;
      fetch.send_filled = step.send_filled;
      fetch.narrow = narrow_of(config().rhs, step);
      fetch.buffer_base = step.buffer_base;
      fetch.words = step.words;
      fetch.dram_base = step.dram_base;
      fetch.lane_stride = step.lane_stride;
      return fetch.encode();
    }
    case MatrixStep::Kind::kExec: {
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
    case MatrixStep::Kind::kResult:
      break;
  }
  bismo_isa::Result result;
  result.width = result_width_field(plan.result);
  result.is_signed = plan.result.is_signed;
  result.shift = plan.result.shift;
  result.tiles = step.tiles;
  result.dram_base = step.dram_base;
  result.lane_stride = step.lane_stride;
  return result.encode();
}

}  // namespace bittern
