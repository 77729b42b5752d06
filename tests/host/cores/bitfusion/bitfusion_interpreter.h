#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "host/cores/bitfusion/bitfusion_config.h"
#include "host/cores/bitfusion/bitfusion_isa.h"
#include "tests/host/cores/stream/stream_interpreter.h"

namespace bittern {

struct BitFusionNames {
  using Word = bitfusion_isa::Word;
  using End = bitfusion_isa::End;
  using FetchLhs = bitfusion_isa::FetchLhs;
  using FetchRhs = bitfusion_isa::FetchRhs;
  using Result = bitfusion_isa::Store;
  static std::uint64_t banks(const FetchLhs&, std::uint64_t all) { return all; }
  static std::uint64_t words(const FetchLhs& fetch) { return fetch.words; }
  static StoredFormat format(const Result& store) {
    return {store.width == 0 ? 32 : 16 >> store.width, static_cast<int>(store.shift),
            store.is_signed != 0};
  }
};

/// BitFusion at the level of instructions, as docs/bitfusion.md describes it: modes, loop nest,
/// quarter words, halves of the output buffer.
class BitFusionInterpreter : public StreamInterpreter<BitFusionNames> {
 public:
  BitFusionInterpreter(const BitFusionConfig& config, StageOrder order, int queue_depth,
                       std::uint64_t seed = 1)
      : StreamInterpreter(shape_of(config), order, queue_depth, seed), config_(config) {
    for (int at = 0; at < config.n * 4; ++at) lhs_offsets_.push_back(offset_of(true, at));
    for (int at = 0; at < config.n * config.m * 4; ++at) {
      rhs_offsets_.push_back(offset_of(false, at));
    }
  }

  /// Steps that all COMPUTEs together took.
  std::uint64_t steps() const { return steps_; }

 private:
  static constexpr int kLevels = 8;

  struct Level {
    std::uint64_t iterations = 1;
    std::int64_t lhs_jump = 0;
    std::int64_t rhs_jump = 0;
  };

  static InterpreterShape shape_of(const BitFusionConfig& config) {
    const std::uint64_t fetch_bytes = std::uint64_t(config.lanes) * config.port_bytes();
    InterpreterShape shape;
    shape.lanes = config.lanes;
    shape.split_fetch = config.split_fetch;
    shape.write_ports = config.write_ports;
    shape.beat_bytes = config.port_bytes();
    shape.lhs_banks = std::uint64_t(config.n) * 4 / fetch_bytes;
    shape.rhs_banks = std::uint64_t(config.n) * config.m * 4 / fetch_bytes;
    shape.lhs_depth = config.ibuf_depth;
    shape.rhs_depth = config.wbuf_depth;
    return shape;
  }

  static bool is_compute(const Word& word) {
    return (word[0] & 15) == bitfusion_isa::Compute::kOpcode;
  }
  std::uint64_t tiles_of(const Word& word) const override {
    return is_compute(word) ? bitfusion_isa::Compute::decode(word).emit : 0;
  }
  std::array<bool, 4> tokens_of(const Word& word) const override {
    if (!is_compute(word)) return {};
    const auto op = bitfusion_isa::Compute::decode(word);
    return {op.wait_lhs != 0, op.wait_rhs != 0, op.free_lhs != 0, op.free_rhs != 0};
  }

  static std::int64_t jump(std::uint64_t field) {
    return field < (1u << 19) ? static_cast<std::int64_t>(field)
                              : static_cast<std::int64_t>(field) - (1 << 20);
  }

  void compute(const Word& word) override {
    switch (word[0] & 15) {
      case bitfusion_isa::Setup::kOpcode:
        setup_ = bitfusion_isa::Setup::decode(word);
        require(setup_.lhs_mode < 3 && setup_.rhs_mode < 3, "mode 3");
        require(!setup_.lhs_wide || setup_.lhs_mode == 2, "wide activations of less than 8 bits");
        require(!setup_.rhs_wide || setup_.rhs_mode == 2, "wide weights of less than 8 bits");
        levels_ = {};
        return;
      case bitfusion_isa::Loop::kOpcode: {
        const auto op = bitfusion_isa::Loop::decode(word);
        levels_[op.level] = {op.iterations + 1, jump(op.lhs_jump), jump(op.rhs_jump)};
        return;
      }
      case bitfusion_isa::Compute::kOpcode:
        return walk(bitfusion_isa::Compute::decode(word));
      default:
        require(false, "unknown opcode");
    }
  }

  void walk(const bitfusion_isa::Compute& op) {
    require(!op.accumulate || open_, "nothing to accumulate to");
    if (!op.accumulate) tile_.clear();
    const std::vector<std::uint32_t> before = tile_;
    std::vector<std::uint32_t> outputs;
    std::array<std::uint64_t, kLevels> index{};
    std::int64_t lhs = static_cast<std::int64_t>(op.lhs_base);
    std::int64_t rhs = static_cast<std::int64_t>(op.rhs_base);
    std::vector<std::uint32_t> sums(config_.m, 0);
    while (true) {
      add_products(lhs, rhs, index[2] > 0, index[3] > 0, sums);
      ++steps_;
      int level = 0;
      while (level < kLevels && index[level] + 1 == levels_[level].iterations) {
        index[level++] = 0;
      }
      if (level >= 4) {  // all of the reduction has wrapped: an output is finished
        outputs.insert(outputs.end(), sums.begin(), sums.end());
        sums.assign(config_.m, 0);
      }
      if (level == kLevels) break;
      ++index[level];
      lhs += levels_[level].lhs_jump;
      rhs += levels_[level].rhs_jump;
    }
    require(outputs.size() <= std::size_t(config_.obuf_depth) / 2 * config_.m,
            "tile beyond its half of the output buffer");
    if (op.accumulate) {
      require(outputs.size() == before.size(), "accumulates another number of outputs");
      for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i] += before[i];
    }
    tile_ = outputs;
    open_ = op.emit == 0;
    if (op.emit != 0) hand_over(tile_);
  }

  /// Where in a buffer byte `at` of a word lies, relative to the word.
  std::size_t offset_of(bool is_lhs, std::uint64_t at) const {
    const std::uint64_t word_bytes = std::uint64_t(config_.n) * 4 * (is_lhs ? 1 : config_.m);
    const std::uint64_t beat = config_.port_bytes();
    const std::uint64_t banks = word_bytes / (beat * config_.lanes);
    const std::uint64_t lane = at / (banks * beat);
    const std::uint64_t bank = at / beat % banks;
    const std::uint8_t* bytes = is_lhs ? lhs_beat(lane, bank, 0) : rhs_beat(lane, bank, 0);
    return bytes - (is_lhs ? lhs_beat(0, 0, 0) : rhs_beat(0, 0, 0)) + at % beat;
  }

  /// Byte `r` of quarter `q` of a buffer.
  std::uint32_t buffer_byte(bool is_lhs, std::int64_t quarter, std::uint64_t r) const {
    const std::uint64_t depth = is_lhs ? config_.ibuf_depth : config_.wbuf_depth;
    if (quarter < 0 || static_cast<std::uint64_t>(quarter) >= 4 * depth) {
      throw std::runtime_error("address beyond the buffer");
    }
    const std::uint64_t at = quarter % 4 * config_.n * (is_lhs ? 1 : config_.m) + r;
    return is_lhs ? lhs_beat(0, 0, quarter / 4)[lhs_offsets_[at]]
                  : rhs_beat(0, 0, quarter / 4)[rhs_offsets_[at]];
  }

  /// Bits [j * bits +: bits] of an operand that starts at `quarter`.
  std::int64_t operand(bool is_lhs, std::int64_t quarter, std::uint64_t r, int j, int bits,
                       bool is_signed) const {
    const std::uint32_t byte = buffer_byte(is_lhs, quarter + j * bits / 8, r);
    const std::int64_t value = (byte >> (j * bits % 8)) & ((1u << bits) - 1);
    return is_signed && (value >> (bits - 1)) != 0 ? value - (1 << bits) : value;
  }

  void add_products(std::int64_t lhs, std::int64_t rhs, bool lhs_high, bool rhs_high,
                    std::vector<std::uint32_t>& sums) const {
    const int a = 2 << setup_.lhs_mode;
    const int w = 2 << setup_.rhs_mode;
    require(lhs % (8 / w) == 0 && rhs % (8 / a) == 0, "misaligned address");
    const bool lhs_signed = setup_.lhs_signed != 0 && (setup_.lhs_wide == 0 || lhs_high);
    const bool rhs_signed = setup_.rhs_signed != 0 && (setup_.rhs_wide == 0 || rhs_high);
    const int shift = 8 * ((setup_.lhs_wide != 0 && lhs_high ? 1 : 0) +
                           (setup_.rhs_wide != 0 && rhs_high ? 1 : 0));
    const int perf = (8 / a) * (8 / w);
    for (int n = 0; n < config_.n; ++n) {
      for (int j = 0; j < perf; ++j) {
        const std::int64_t x = operand(true, lhs, n, j, a, lhs_signed);
        for (int m = 0; m < config_.m; ++m) {
          const std::int64_t y =
              operand(false, rhs, std::uint64_t(m) * config_.n + n, j, w, rhs_signed);
          sums[m] += static_cast<std::uint32_t>(x * y) << shift;
        }
      }
    }
  }

  BitFusionConfig config_;
  std::vector<std::size_t> lhs_offsets_;  // of the bytes of a word
  std::vector<std::size_t> rhs_offsets_;
  bitfusion_isa::Setup setup_;
  std::array<Level, kLevels> levels_{};
  std::vector<std::uint32_t> tile_;  // output words of the half in use
  bool open_ = false;
  std::uint64_t steps_ = 0;
};

}  // namespace bittern
