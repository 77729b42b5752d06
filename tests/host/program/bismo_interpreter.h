#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "host/base/random.h"
#include "host/program/bismo_config.h"
#include "host/program/bismo_isa.h"
#include "host/program/core.h"

namespace bittern {

/// How the interpreter picks the next stage among those that could go on.
enum class StageOrder {
  kProgram,     ///< one instruction after another, RESULT as its tiles come
  kFetchFirst,  ///< fetch as far ahead as tokens and queues allow: shows missing free tokens
  kExecFirst,   ///< execute as soon as tokens allow: shows missing filled tokens
  kRandom,
};

/// BISMO at the level of instructions, as docs/rtl.md describes it, independent of the lowering: a
/// memory, two buffers, tokens, stage queues. No cycles. Throws std::runtime_error where the
/// hardware would raise an error, wait forever, or lose a token.
class BismoInterpreter {
 public:
  BismoInterpreter(const BismoConfig& config, StageOrder order, int queue_depth,
                   std::uint64_t seed = 1)
      : config_(config), order_(order), queue_depth_(queue_depth), rng_(seed) {
    lhs_.resize(static_cast<std::size_t>(config.dm) * config.lhs_depth * words(), kGarbage);
    rhs_.resize(static_cast<std::size_t>(config.dn) * config.rhs_depth * words(), kGarbage);
  }

  /// Runs a program on a memory of its own, filled with garbage where no segment lies; returns the
  /// result bytes.
  std::vector<std::uint8_t> run(const Program& program) {
    memory_.assign(program.memory_end, 0xa5);
    for (const MemorySegment& segment : program.segments) {
      require(segment.address + segment.bytes.size() <= memory_.size(),
              "segment beyond memory_end");
      std::memcpy(memory_.data() + segment.address, segment.bytes.data(), segment.bytes.size());
    }
    fetch_program(program);
    while (step()) {
    }
    require(program_.empty() && exec_queue_.empty() && result_queue_.empty(),
            "program waits forever");
    for (const auto& queue : fetch_queues_) require(queue.empty(), "program waits forever");
    require(tiles_.empty(), "tiles left that no RESULT writes");
    return {memory_.begin() + static_cast<std::ptrdiff_t>(program.result_address),
            memory_.begin() +
                static_cast<std::ptrdiff_t>(program.result_address + program.result_bytes)};
  }

  int executed(std::uint64_t opcode) const { return executed_[opcode]; }

 private:
  using Word = bismo_isa::Word;
  static constexpr std::uint64_t kGarbage = 0xdeadbeefcafef00dull;
  static constexpr int kTokenDepth = 8;

  static void require(bool condition, const std::string& what) {
    if (!condition) throw std::runtime_error(what);
  }
  int words() const { return config_.dk / 64; }

  void fetch_program(const Program& program) {
    require(program.program_address % 16 == 0, "program not aligned");
    for (std::uint32_t i = 0; i < program.instruction_count; ++i) {
      const std::uint64_t at = program.program_address + 16ull * i;
      require(at + 16 <= memory_.size(), "program beyond memory_end");
      Word word;
      std::memcpy(word.data(), memory_.data() + at, 16);
      if ((word[0] & 15) == bismo_isa::End::kOpcode) {
        require(i + 1 == program.instruction_count, "END before the end");
        return;
      }
      program_.push_back(word);
    }
    require(false, "no END");
  }

  std::deque<Word>& queue_of(const Word& word) {
    switch (word[0] & 15) {
      case bismo_isa::FetchLhs::kOpcode:
        return fetch_queues_[0];
      case bismo_isa::FetchRhs::kOpcode:
        return fetch_queues_[config_.split_fetch ? 1 : 0];
      case bismo_isa::Exec::kOpcode:
        return exec_queue_;
      case bismo_isa::Result::kOpcode:
        return result_queue_;
      default:
        throw std::runtime_error("unknown opcode");
    }
  }

  bool queues_empty() const {
    return fetch_queues_[0].empty() && fetch_queues_[1].empty() && exec_queue_.empty();
  }

  bool dispatch() {
    if (program_.empty()) return false;
    if (order_ == StageOrder::kProgram && !queues_empty()) return false;
    std::deque<Word>& queue = queue_of(program_.front());
    if (static_cast<int>(queue.size()) >= queue_depth_) return false;
    if ((program_.front()[0] & 15) == bismo_isa::Result::kOpcode) {
      covered_ += bismo_isa::Result::decode(program_.front()).tiles;
    }
    queue.push_back(program_.front());
    program_.pop_front();
    return true;
  }

  bool step() {
    // RESULT always runs as soon as it can: its tiles are handed over in order anyway.
    if (result()) return true;
    switch (order_) {
      case StageOrder::kExecFirst:
        return execute() || dispatch() || fetch(0) || fetch(1);
      case StageOrder::kRandom: {
        const int first = static_cast<int>(rng_.integer(0, 3));
        for (int i = 0; i < 4; ++i) {
          const int stage = (first + i) % 4;
          if (stage < 2 ? fetch(stage) : stage == 2 ? execute() : dispatch()) return true;
        }
        return false;
      }
      default:
        return dispatch() || fetch(0) || fetch(1) || execute();
    }
  }

  bool fetch(int group) {
    std::deque<Word>& queue = fetch_queues_[group];
    if (queue.empty()) return false;
    const bool is_rhs = (queue.front()[0] & 15) == bismo_isa::FetchRhs::kOpcode;
    const bismo_isa::FetchLhs op = bismo_isa::FetchLhs::decode(queue.front());
    int& free = is_rhs ? free_rhs_ : free_lhs_;
    int& filled = is_rhs ? filled_rhs_ : filled_lhs_;
    if (op.wait_free && free == 0) return false;
    if (op.wait_free) --free;
    const auto banks = static_cast<std::uint64_t>(is_rhs ? config_.dn : config_.dm);
    const std::uint64_t rows = banks >> op.narrow;
    require(rows >= 1, "fetch into no bank");
    const std::uint64_t depth = is_rhs ? config_.rhs_depth : config_.lhs_depth;
    std::vector<std::uint64_t>& buffer = is_rhs ? rhs_ : lhs_;
    require(op.words >= 1 && op.dram_base % 64 == 0 && op.lane_stride % 64 == 0, "illegal fetch");
    require(op.buffer_base + (op.words + rows - 1) / rows <= depth, "fetch beyond the buffer");
    const std::uint64_t bytes = config_.port_bytes();
    for (int lane = 0; lane < config_.lanes; ++lane) {
      const std::uint64_t base = op.dram_base + lane * op.lane_stride;
      require(base + op.words * bytes <= memory_.size(), "fetch beyond memory_end");
      for (std::uint64_t i = 0; i < op.words; ++i) {
        const std::uint64_t at = (i % rows) * depth + op.buffer_base + i / rows;
        std::memcpy(&buffer[at * words() + lane * config_.port_words()],
                    memory_.data() + base + i * bytes, bytes);
      }
    }
    if (op.send_filled) require(++filled <= kTokenDepth, "too many filled tokens");
    ++executed_[is_rhs ? 2 : 1];
    queue.pop_front();
    return true;
  }

  bool execute() {
    if (exec_queue_.empty()) return false;
    const bismo_isa::Exec op = bismo_isa::Exec::decode(exec_queue_.front());
    if ((op.wait_lhs && filled_lhs_ == 0) || (op.wait_rhs && filled_rhs_ == 0)) return false;
    const std::uint64_t lhs_tiles = op.lhs_tiles + 1;
    const std::uint64_t rhs_tiles = op.rhs_tiles + 1;
    // A tile without a RESULT that takes it would block execute; RESULTs may be in the queue still.
    if (op.emit && emitted_ + lhs_tiles * rhs_tiles > covered_) return false;
    filled_lhs_ -= static_cast<int>(op.wait_lhs);
    filled_rhs_ -= static_cast<int>(op.wait_rhs);
    require(op.k_words >= 1, "no words");
    require(!op.accumulate || (lhs_tiles * rhs_tiles == 1 && open_), "nothing to accumulate to");
    require(op.lhs_base + op.lhs_tiles * op.lhs_stride + (op.lhs_bits + 1) * op.k_words <=
                static_cast<std::uint64_t>(config_.lhs_depth),
            "exec beyond the LHS buffer");
    require(op.rhs_base + op.rhs_tiles * op.rhs_stride + (op.rhs_bits + 1) * op.k_words <=
                static_cast<std::uint64_t>(config_.rhs_depth),
            "exec beyond the RHS buffer");
    for (std::uint64_t i = 0; i < lhs_tiles; ++i) {
      for (std::uint64_t j = 0; j < rhs_tiles; ++j) {
        tile(op, op.lhs_base + i * op.lhs_stride, op.rhs_base + j * op.rhs_stride);
        open_ = !op.emit;
        if (op.emit) {
          tiles_.push_back(slot_);
          ++emitted_;
        }
      }
    }
    if (op.free_lhs) require(++free_lhs_ <= kTokenDepth, "too many free LHS tokens");
    if (op.free_rhs) require(++free_rhs_ <= kTokenDepth, "too many free RHS tokens");
    ++executed_[3];
    exec_queue_.pop_front();
    return true;
  }

  void tile(const bismo_isa::Exec& op, std::uint64_t lhs_stripe, std::uint64_t rhs_stripe) {
    const int bl = static_cast<int>(op.lhs_bits) + 1;
    const int br = static_cast<int>(op.rhs_bits) + 1;
    if (!op.accumulate) slot_.assign(static_cast<std::size_t>(config_.dm) * config_.dn, 0);
    for (int m = 0; m < config_.dm; ++m) {
      for (int n = 0; n < config_.dn; ++n) {
        std::uint32_t sum = 0;
        for (int slice = 0; slice <= bl + br - 2; ++slice) {
          sum <<= 1;
          for (int l = 0; l < bl; ++l) {
            const int r = bl + br - 2 - slice - l;
            if (r < 0 || r >= br) continue;
            std::uint32_t count = 0;
            for (std::uint64_t k = 0; k < op.k_words; ++k) {
              const std::uint64_t* a = &lhs_[(static_cast<std::uint64_t>(m) * config_.lhs_depth +
                                              lhs_stripe + l * op.k_words + k) *
                                             words()];
              const std::uint64_t* b = &rhs_[(static_cast<std::uint64_t>(n) * config_.rhs_depth +
                                              rhs_stripe + r * op.k_words + k) *
                                             words()];
              for (int w = 0; w < words(); ++w) count += __builtin_popcountll(a[w] & b[w]);
            }
            const bool negate = (op.lhs_signed && l == bl - 1) != (op.rhs_signed && r == br - 1);
            sum += negate ? 0 - count : count;
          }
        }
        slot_[static_cast<std::size_t>(m) * config_.dn + n] += sum;
      }
    }
  }

  bool result() {
    if (result_queue_.empty() || tiles_.empty()) return false;
    const bismo_isa::Result op = bismo_isa::Result::decode(result_queue_.front());
    require(op.tiles >= 1 && op.dram_base % 64 == 0 && op.lane_stride % 64 == 0, "illegal result");
    const std::vector<std::uint32_t>& tile = tiles_.front();
    const std::size_t per_beat = config_.port_width / 32;
    for (std::size_t i = 0; i < tile.size(); ++i) {
      const std::size_t port = i / per_beat % config_.write_ports;
      const std::size_t beat = i / per_beat / config_.write_ports;
      const std::uint64_t at = op.dram_base + port * op.lane_stride +
                               result_done_ * config_.tile_bytes_per_port() +
                               beat * config_.port_bytes() + i % per_beat * 4;
      require(at + 4 <= memory_.size(), "result beyond memory_end");
      std::memcpy(memory_.data() + at, &tile[i], 4);
    }
    tiles_.pop_front();
    if (++result_done_ == op.tiles) {
      result_done_ = 0;
      result_queue_.pop_front();
      ++executed_[4];
    }
    return true;
  }

  BismoConfig config_;
  StageOrder order_;
  int queue_depth_;
  Rng rng_;
  std::vector<std::uint8_t> memory_;
  std::vector<std::uint64_t> lhs_;  // [row][address][word]
  std::vector<std::uint64_t> rhs_;
  std::deque<Word> program_;
  std::array<std::deque<Word>, 2> fetch_queues_;
  std::deque<Word> exec_queue_;
  std::deque<Word> result_queue_;
  std::deque<std::vector<std::uint32_t>> tiles_;
  std::vector<std::uint32_t> slot_;
  bool open_ = false;
  std::uint64_t emitted_ = 0;
  std::uint64_t covered_ = 0;
  std::uint64_t result_done_ = 0;
  int filled_lhs_ = 0;
  int filled_rhs_ = 0;
  int free_lhs_ = 0;
  int free_rhs_ = 0;
  std::array<int, 5> executed_{};
};

}  // namespace bittern
