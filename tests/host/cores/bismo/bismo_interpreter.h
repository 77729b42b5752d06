#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "host/cores/bismo/bismo_isa.h"
#include "host/cores/matrix/matrix_config.h"
#include "tests/host/cores/stream/stream_interpreter.h"

namespace bittern {

struct BismoNames {
  using Word = bismo_isa::Word;
  using End = bismo_isa::End;
  using FetchLhs = bismo_isa::FetchLhs;
  using FetchRhs = bismo_isa::FetchRhs;
  using Result = bismo_isa::Result;
  static std::uint64_t banks(const FetchLhs& fetch, std::uint64_t all) {
    return all >> fetch.narrow;
  }
  static std::uint64_t words(const FetchLhs& fetch) { return fetch.words; }
  static StoredFormat format(const Result& store) {
    return {store.width == 0 ? 32 : 16 >> store.width, static_cast<int>(store.shift),
            store.is_signed != 0};
  }
};

/// BISMO at the level of instructions.
class BismoInterpreter : public StreamInterpreter<BismoNames> {
 public:
  BismoInterpreter(const MatrixConfig& config, StageOrder order, int queue_depth,
                   std::uint64_t seed = 1)
      : StreamInterpreter(shape_of(config), order, queue_depth, seed), config_(config) {}

 private:
  static InterpreterShape shape_of(const MatrixConfig& config) {
    InterpreterShape shape;
    shape.lanes = config.lanes;
    shape.split_fetch = config.split_fetch;
    shape.write_ports = config.write_ports;
    shape.beat_bytes = config.port_bytes();
    shape.lhs_banks = config.lhs.rows;
    shape.rhs_banks = config.rhs.rows;
    shape.lhs_depth = config.lhs.depth;
    shape.rhs_depth = config.rhs.depth;
    return shape;
  }

  static bismo_isa::Exec exec_of(const Word& word) {
    require((word[0] & 15) == bismo_isa::Exec::kOpcode, "unknown opcode");
    return bismo_isa::Exec::decode(word);
  }

  std::uint64_t tiles_of(const Word& word) const override {
    const bismo_isa::Exec op = exec_of(word);
    return op.emit ? (op.lhs_tiles + 1) * (op.rhs_tiles + 1) : 0;
  }
  std::array<bool, 4> tokens_of(const Word& word) const override {
    const bismo_isa::Exec op = exec_of(word);
    return {op.wait_lhs != 0, op.wait_rhs != 0, op.free_lhs != 0, op.free_rhs != 0};
  }

  void compute(const Word& word) override {
    const bismo_isa::Exec op = exec_of(word);
    const std::uint64_t lhs_tiles = op.lhs_tiles + 1;
    const std::uint64_t rhs_tiles = op.rhs_tiles + 1;
    require(op.k_words >= 1, "no words");
    require(!op.accumulate || (lhs_tiles * rhs_tiles == 1 && open_), "nothing to accumulate to");
    require(op.lhs_base + op.lhs_tiles * op.lhs_stride + (op.lhs_bits + 1) * op.k_words <=
                static_cast<std::uint64_t>(config_.lhs.depth),
            "exec beyond the LHS buffer");
    require(op.rhs_base + op.rhs_tiles * op.rhs_stride + (op.rhs_bits + 1) * op.k_words <=
                static_cast<std::uint64_t>(config_.rhs.depth),
            "exec beyond the RHS buffer");
    for (std::uint64_t i = 0; i < lhs_tiles; ++i) {
      for (std::uint64_t j = 0; j < rhs_tiles; ++j) {
        tile(op, op.lhs_base + i * op.lhs_stride, op.rhs_base + j * op.rhs_stride);
        open_ = !op.emit;
        if (op.emit) hand_over(slot_);
      }
    }
  }

  void tile(const bismo_isa::Exec& op, std::uint64_t lhs_stripe, std::uint64_t rhs_stripe) {
    const int bl = static_cast<int>(op.lhs_bits) + 1;
    const int br = static_cast<int>(op.rhs_bits) + 1;
    if (!op.accumulate)
      slot_.assign(static_cast<std::size_t>(config_.lhs.rows) * config_.rhs.rows, 0);
    for (int m = 0; m < config_.lhs.rows; ++m) {
      for (int n = 0; n < config_.rhs.rows; ++n) {
        std::uint32_t sum = 0;
        for (int slice = 0; slice <= bl + br - 2; ++slice) {
          sum <<= 1;
          for (int l = 0; l < bl; ++l) {
            const int r = bl + br - 2 - slice - l;
            if (r < 0 || r >= br) continue;
            std::uint32_t count = 0;
            for (std::uint64_t k = 0; k < op.k_words; ++k) {
              count += common_ones(m, lhs_stripe + l * op.k_words + k, n,
                                   rhs_stripe + r * op.k_words + k);
            }
            const bool negate = (op.lhs_signed && l == bl - 1) != (op.rhs_signed && r == br - 1);
            sum += negate ? 0 - count : count;
          }
        }
        slot_[static_cast<std::size_t>(m) * config_.rhs.rows + n] += sum;
      }
    }
  }

  std::uint32_t common_ones(int m, std::uint64_t lhs_at, int n, std::uint64_t rhs_at) const {
    std::uint32_t count = 0;
    for (int lane = 0; lane < config_.lanes; ++lane) {
      const std::uint8_t* a = lhs_beat(lane, m, lhs_at);
      const std::uint8_t* b = rhs_beat(lane, n, rhs_at);
      for (int w = 0; w < config_.port_words(); ++w) {
        std::uint64_t x = 0;
        std::uint64_t y = 0;
        std::memcpy(&x, a + 8 * w, 8);
        std::memcpy(&y, b + 8 * w, 8);
        count += __builtin_popcountll(x & y);
      }
    }
    return count;
  }

  MatrixConfig config_;
  std::vector<std::uint32_t> slot_;
  bool open_ = false;
};

}  // namespace bittern
