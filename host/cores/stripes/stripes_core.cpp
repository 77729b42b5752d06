#include "host/cores/stripes/stripes_core.h"

#include <array>

#include "host/cores/stream/result_options.h"
#include "host/cores/stripes/stripes_isa.h"

namespace bittern {

std::array<std::uint64_t, 2> StripesCore::encode(const MatrixStep& step, const Plan& plan) const {
  const Precision& precision = plan.precision;
  switch (step.kind) {
    case MatrixStep::Kind::kFetchLhs: {
      stripes_isa::FetchLhs fetch;
      fetch.wait_free = step.wait_free;
      fetch.send_filled = step.send_filled;
      fetch.buffer_base = step.buffer_base;
      fetch.banks = step.word_beats - 1;
      fetch.rows = step.words / step.word_beats;
      fetch.bits = config().lhs.parallel ? 0 : precision.bits.activation - 1;
      fetch.dram_base = step.dram_base;
      fetch.lane_stride = step.lane_stride;
      return fetch.encode();
    }
    case MatrixStep::Kind::kFetchRhs: {
      stripes_isa::FetchRhs fetch;
      fetch.wait_free = step.wait_free;
      fetch.send_filled = step.send_filled;
      fetch.buffer_base = step.buffer_base;
      fetch.banks = step.word_beats - 1;
      fetch.rows = step.words / step.word_beats;
      fetch.bits = config().rhs.parallel ? 0 : precision.bits.weight - 1;
      fetch.dram_base = step.dram_base;
      fetch.lane_stride = step.lane_stride;
      return fetch.encode();
    }
    case MatrixStep::Kind::kExec: {
      stripes_isa::Exec exec;
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
      exec.bricks = step.k_words - 1;
      exec.lhs_stride = step.lhs_stride;
      exec.rhs_stride = step.rhs_stride;
      exec.columns = step.columns - 1;
      exec.cascade = step.cascade;
      return exec.encode();
    }
    case MatrixStep::Kind::kResult:
      break;
  }
  stripes_isa::Result result;
  result.width = result_width_field(plan.result);
  result.is_signed = plan.result.is_signed;
  result.shift = plan.result.shift;
  result.tiles = step.tiles;
  result.dram_base = step.dram_base;
  result.lane_stride = step.lane_stride;
  return result.encode();
}

}  // namespace bittern
