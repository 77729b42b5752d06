#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "host/cores/matrix/matrix_config.h"
#include "host/cores/stripes/stripes_isa.h"
#include "tests/host/cores/stream/stream_interpreter.h"

namespace bittern {

struct StripesNames {
  using Word = stripes_isa::Word;
  using End = stripes_isa::End;
  using FetchLhs = stripes_isa::FetchLhs;
  using FetchRhs = stripes_isa::FetchRhs;
  using Result = stripes_isa::Result;
  static std::uint64_t banks(const FetchLhs& fetch, std::uint64_t /*all*/) {
    return fetch.banks + 1;
  }
  static std::uint64_t words(const FetchLhs& fetch) { return fetch.rows * (fetch.banks + 1); }
  static StoredFormat format(const Result& store) {
    return {store.width == 0 ? 32 : 16 >> store.width, static_cast<int>(store.shift),
            store.is_signed != 0};
  }
};

/// Stripes at the level of instructions, as docs/stripes.md describes it.
class StripesInterpreter : public StreamInterpreter<StripesNames> {
 public:
  StripesInterpreter(const MatrixConfig& config, StageOrder order, int queue_depth,
                     std::uint64_t seed = 1)
      : StreamInterpreter(shape_of(config), order, queue_depth, seed), config_(config) {}

 private:
  static InterpreterShape shape_of(const MatrixConfig& config) {
    InterpreterShape shape;
    shape.lanes = config.lanes;
    shape.split_fetch = config.split_fetch;
    shape.write_ports = config.write_ports;
    shape.beat_bytes = config.port_bytes();
    shape.lhs_banks = config.lhs.banks(config.max_bits);
    shape.rhs_banks = config.rhs.banks(config.max_bits);
    shape.lhs_depth = config.lhs.depth;
    shape.rhs_depth = config.rhs.depth;
    return shape;
  }

  static stripes_isa::Exec exec_of(const Word& word) {
    require((word[0] & 15) == stripes_isa::Exec::kOpcode, "unknown opcode");
    return stripes_isa::Exec::decode(word);
  }

  std::uint64_t tiles_of(const Word& word) const override {
    const stripes_isa::Exec op = exec_of(word);
    return op.emit ? (op.lhs_tiles + 1) * (op.rhs_tiles + 1) : 0;
  }
  std::array<bool, 4> tokens_of(const Word& word) const override {
    const stripes_isa::Exec op = exec_of(word);
    return {op.wait_lhs != 0, op.wait_rhs != 0, op.free_lhs != 0, op.free_rhs != 0};
  }

  void compute(const Word& word) override {
    const stripes_isa::Exec op = exec_of(word);
    const std::uint64_t lhs_tiles = op.lhs_tiles + 1;
    const std::uint64_t rhs_tiles = op.rhs_tiles + 1;
    const std::uint64_t columns = op.columns + 1;
    const std::uint64_t bricks = op.bricks + 1;
    require(op.lhs_bits < static_cast<std::uint64_t>(config_.max_bits) &&
                op.rhs_bits < static_cast<std::uint64_t>(config_.max_bits),
            "bits that the core does not have");
    require(!op.accumulate || (lhs_tiles * rhs_tiles == 1 && open_), "nothing to accumulate to");
    require(columns == 1 || (columns <= static_cast<std::uint64_t>(config_.max_columns) &&
                             columns <= op.lhs_bits + 1),
            "columns that do not exist, or wait for their weights");
    require(!op.cascade || columns > 1, "a cascade of one column");
    // Addresses of a brick.
    const std::uint64_t lhs_brick = config_.lhs.parallel ? 1 : op.lhs_bits + 1;
    const std::uint64_t rhs_brick = config_.rhs.parallel ? columns : op.rhs_bits + 1;
    require(op.lhs_base + op.lhs_tiles * op.lhs_stride + lhs_brick * bricks <=
                static_cast<std::uint64_t>(config_.lhs.depth),
            "exec beyond the LHS buffer");
    require(op.rhs_base + op.rhs_tiles * op.rhs_stride + rhs_brick * bricks <=
                static_cast<std::uint64_t>(config_.rhs.depth),
            "exec beyond the RHS buffer");
    for (std::uint64_t i = 0; i < lhs_tiles; ++i) {
      for (std::uint64_t j = 0; j < rhs_tiles; ++j) {
        if (!op.accumulate) slot_.assign(config_.tile_units, 0);
        for (std::uint64_t k = 0; k < bricks; ++k) {
          brick(op, op.lhs_base + i * op.lhs_stride + k * lhs_brick,
                op.rhs_base + j * op.rhs_stride + k * rhs_brick);
        }
        open_ = !op.emit;
        if (op.emit) hand_over(slot_);
      }
    }
  }

  /// One brick of a tile: windows x filters, or with staggered columns the first window and the
  /// filters of one column behind those of the other. In cascade each column has a window, and
  /// adds to what the columns before it have.
  void brick(const stripes_isa::Exec& op, std::uint64_t lhs_at, std::uint64_t rhs_at) {
    const bool staggered = op.columns > 0;
    const int rows = staggered ? static_cast<int>(op.columns) + 1 : config_.lhs.rows;
    const int filters = config_.rhs.rows;
    std::vector<int> windows(static_cast<std::size_t>(rows) * config_.k_elements);
    for (int m = 0; m < rows; ++m) {
      for (int l = 0; l < config_.k_elements; ++l) {
        windows[m * config_.k_elements + l] =
            value(true, lhs_at, staggered && !op.cascade ? 0 : m, l,
                  static_cast<int>(op.lhs_bits) + 1, op.lhs_signed != 0);
      }
    }
    for (int m = 0; m < rows; ++m) {
      for (int n = 0; n < filters; ++n) {
        std::uint32_t sum = 0;
        for (int l = 0; l < config_.k_elements; ++l) {
          const int weight = value(false, rhs_at + (staggered ? m : 0), n, l,
                                   static_cast<int>(op.rhs_bits) + 1, op.rhs_signed != 0);
          sum += static_cast<std::uint32_t>(windows[m * config_.k_elements + l]) *
                 static_cast<std::uint32_t>(weight);
        }
        for (int to = m; to < (op.cascade ? rows : m + 1); ++to) {
          slot_[static_cast<std::size_t>(to) * filters + n] += sum;
        }
      }
    }
  }

  /// The value of one channel of a row (window or filter) from its bits; `at` is the address of
  /// the brick, in a parallel operand that of its column.
  int value(bool lhs, std::uint64_t at, int row, int lane, int bits, bool is_signed) const {
    const MatrixOperand& side = lhs ? config_.lhs : config_.rhs;
    const int rows = lhs ? config_.lhs.rows : config_.rhs.rows;
    const int port_bits = config_.port_width;
    int out = 0;
    for (int plane = 0; plane < bits; ++plane) {
      // The beat of the address, or of the brick where the core serialises them; fetched in this
      // order, it lies where a core without a serialiser would have put it.
      const int element = row * config_.k_elements + lane;
      int word = 0;
      int port = 0;
      int bit = 0;
      if (side.parallel) {
        const int at_bit = plane * rows * config_.k_elements + element;
        word = at_bit / (config_.lanes * port_bits);
        port = at_bit / port_bits % config_.lanes;
        bit = at_bit % port_bits;
      } else {
        const int packed = element % port_bits * bits + plane;
        word = element / (config_.lanes * port_bits) * bits + packed / port_bits;
        port = element / port_bits % config_.lanes;
        bit = packed % port_bits;
      }
      const int bank = side.parallel ? word : word % side.words;
      const std::uint64_t address = side.parallel ? at : at + word / side.words;
      const std::uint8_t* beat =
          lhs ? lhs_beat(port, bank, address) : rhs_beat(port, bank, address);
      if ((beat[bit / 8] >> (bit % 8) & 1) == 0) continue;
      out += is_signed && plane == bits - 1 ? -(1 << plane) : 1 << plane;
    }
    return out;
  }

  MatrixConfig config_;
  std::vector<std::uint32_t> slot_;
  bool open_ = false;
};

}  // namespace bittern
