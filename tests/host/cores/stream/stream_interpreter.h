#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "host/base/random.h"
#include "host/cores/core.h"
#include "tests/host/cores/requantised.h"

namespace bittern {

/// How the interpreter picks the next stage among those that could go on.
enum class StageOrder {
  kProgram,     ///< one instruction after another, stores as their tiles come
  kFetchFirst,  ///< fetch as far ahead as tokens and queues allow: shows missing free tokens
  kExecFirst,   ///< execute as soon as tokens allow: shows missing filled tokens
  kRandom,
};

/// How a store writes its results.
struct StoredFormat {
  int bits = 32;
  int shift = 0;
  bool is_signed = true;
};

/// What an interpreter has to know of the ports and buffers of a core.
struct InterpreterShape {
  int lanes = 1;
  bool split_fetch = false;
  int write_ports = 1;
  std::uint64_t beat_bytes = 8;
  std::uint64_t lhs_banks = 1;
  std::uint64_t rhs_banks = 1;
  std::uint64_t lhs_depth = 0;
  std::uint64_t rhs_depth = 0;
};

/// A core with two operands at the level of instructions, as docs/rtl.md describes it, independent
/// of the lowering: a memory, two buffers, tokens, stage queues. No cycles. Throws
/// std::runtime_error where the hardware would raise an error, wait forever, or lose a token. `Isa`
/// names the instructions FetchLhs, FetchRhs, Result (stores) and End (everything else goes to the
/// queue of the array), and says how many words a fetch loads into how many banks, and how a store
/// writes.
template <typename Isa>
class StreamInterpreter {
 public:
  StreamInterpreter(const InterpreterShape& shape, StageOrder order, int queue_depth,
                    std::uint64_t seed)
      : shape_(shape), order_(order), queue_depth_(queue_depth), rng_(seed) {
    lhs_.assign(shape.lanes * shape.lhs_banks * shape.lhs_depth * shape.beat_bytes, 0x5e);
    rhs_.assign(shape.lanes * shape.rhs_banks * shape.rhs_depth * shape.beat_bytes, 0x5e);
  }
  virtual ~StreamInterpreter() = default;

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
    require(tiles_.empty(), "tiles left that nothing writes");
    return {memory_.begin() + static_cast<std::ptrdiff_t>(program.result_address),
            memory_.begin() +
                static_cast<std::ptrdiff_t>(program.result_address + program.result_bytes)};
  }

  int executed(std::uint64_t opcode) const { return executed_[opcode]; }

 protected:
  using Word = typename Isa::Word;

  static void require(bool condition, const std::string& what) {
    if (!condition) throw std::runtime_error(what);
  }

  /// Beat of a buffer that lane `lane` of a fetch wrote into bank `bank`.
  const std::uint8_t* lhs_beat(std::uint64_t lane, std::uint64_t bank, std::uint64_t at) const {
    return &lhs_[((lane * shape_.lhs_banks + bank) * shape_.lhs_depth + at) * shape_.beat_bytes];
  }
  const std::uint8_t* rhs_beat(std::uint64_t lane, std::uint64_t bank, std::uint64_t at) const {
    return &rhs_[((lane * shape_.rhs_banks + bank) * shape_.rhs_depth + at) * shape_.beat_bytes];
  }

  /// Tiles that an instruction of the array hands over.
  virtual std::uint64_t tiles_of(const Word& word) const = 0;
  /// Tokens it waits for and gives: wait lhs, wait rhs, free lhs, free rhs.
  virtual std::array<bool, 4> tokens_of(const Word& word) const = 0;
  /// Computes; tiles go to hand_over().
  virtual void compute(const Word& word) = 0;
  void hand_over(std::vector<std::uint32_t> tile) {
    tiles_.push_back(std::move(tile));
    ++emitted_;
  }

 private:
  static constexpr int kTokenDepth = 8;

  static std::uint64_t opcode(const Word& word) { return word[0] & 15; }

  void fetch_program(const Program& program) {
    require(program.program_address % 16 == 0, "program not aligned");
    for (std::uint32_t i = 0; i < program.instruction_count; ++i) {
      const std::uint64_t at = program.program_address + 16ull * i;
      require(at + 16 <= memory_.size(), "program beyond memory_end");
      Word word;
      std::memcpy(word.data(), memory_.data() + at, 16);
      if (opcode(word) == Isa::End::kOpcode) {
        require(i + 1 == program.instruction_count, "END before the end");
        return;
      }
      program_.push_back(word);
    }
    require(false, "no END");
  }

  std::deque<Word>& queue_of(const Word& word) {
    switch (opcode(word)) {
      case Isa::FetchLhs::kOpcode:
        return fetch_queues_[0];
      case Isa::FetchRhs::kOpcode:
        return fetch_queues_[shape_.split_fetch ? 1 : 0];
      case Isa::Result::kOpcode:
        return result_queue_;
      default:
        return exec_queue_;
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
    if (opcode(program_.front()) == Isa::Result::kOpcode) {
      covered_ += Isa::Result::decode(program_.front()).tiles;
    }
    queue.push_back(program_.front());
    program_.pop_front();
    return true;
  }

  bool step() {
    // Stores always run as soon as they can: their tiles are handed over in order anyway.
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
    const bool is_rhs = opcode(queue.front()) == Isa::FetchRhs::kOpcode;
    const auto op = Isa::FetchLhs::decode(queue.front());
    int& free = is_rhs ? free_rhs_ : free_lhs_;
    int& filled = is_rhs ? filled_rhs_ : filled_lhs_;
    if (op.wait_free && free == 0) return false;
    if (op.wait_free) --free;
    const std::uint64_t all_banks = is_rhs ? shape_.rhs_banks : shape_.lhs_banks;
    const std::uint64_t banks = Isa::banks(op, all_banks);
    const std::uint64_t words = Isa::words(op);
    require(banks >= 1 && banks <= all_banks, "fetch into banks that do not exist");
    const std::uint64_t depth = is_rhs ? shape_.rhs_depth : shape_.lhs_depth;
    std::vector<std::uint8_t>& buffer = is_rhs ? rhs_ : lhs_;
    require(words >= 1 && op.dram_base % 64 == 0 && op.lane_stride % 64 == 0, "illegal fetch");
    require(op.buffer_base + (words + banks - 1) / banks <= depth, "fetch beyond the buffer");
    const std::uint64_t bytes = shape_.beat_bytes;
    for (int lane = 0; lane < shape_.lanes; ++lane) {
      const std::uint64_t base = op.dram_base + lane * op.lane_stride;
      require(base + words * bytes <= memory_.size(), "fetch beyond memory_end");
      for (std::uint64_t i = 0; i < words; ++i) {
        const std::uint64_t at =
            (lane * all_banks + i % banks) * depth + op.buffer_base + i / banks;
        std::memcpy(&buffer[at * bytes], memory_.data() + base + i * bytes, bytes);
      }
    }
    if (op.send_filled) require(++filled <= kTokenDepth, "too many filled tokens");
    ++executed_[is_rhs ? Isa::FetchRhs::kOpcode : Isa::FetchLhs::kOpcode];
    queue.pop_front();
    return true;
  }

  bool execute() {
    if (exec_queue_.empty()) return false;
    const Word word = exec_queue_.front();
    const auto [wait_lhs, wait_rhs, give_lhs, give_rhs] = tokens_of(word);
    if ((wait_lhs && filled_lhs_ == 0) || (wait_rhs && filled_rhs_ == 0)) return false;
    // A tile without a store that takes it would block the array; stores may be in the queue still.
    if (emitted_ + tiles_of(word) > covered_) return false;
    filled_lhs_ -= wait_lhs ? 1 : 0;
    filled_rhs_ -= wait_rhs ? 1 : 0;
    compute(word);
    if (give_lhs) require(++free_lhs_ <= kTokenDepth, "too many free LHS tokens");
    if (give_rhs) require(++free_rhs_ <= kTokenDepth, "too many free RHS tokens");
    ++executed_[opcode(word)];
    exec_queue_.pop_front();
    return true;
  }

  bool result() {
    if (result_queue_.empty() || tiles_.empty()) return false;
    const auto op = Isa::Result::decode(result_queue_.front());
    require(op.tiles >= 1 && op.dram_base % 64 == 0 && op.lane_stride % 64 == 0, "illegal store");
    const std::vector<std::uint32_t>& tile = tiles_.front();
    // A port has the same results in the same order, however wide they are.
    const std::size_t per_beat = shape_.beat_bytes / 4;
    const StoredFormat format = Isa::format(op);
    const auto bits = static_cast<std::size_t>(format.bits);
    const std::uint64_t tile_bytes = tile.size() * bits / 8 / shape_.write_ports;
    for (std::size_t i = 0; i < tile.size(); ++i) {
      const std::size_t port = i / per_beat % shape_.write_ports;
      const std::size_t place = i / per_beat / shape_.write_ports * per_beat + i % per_beat;
      const std::uint64_t at = 8 * (op.dram_base + port * op.lane_stride) +
                               (result_done_ * tile_bytes * 8 + place * bits);
      require((at + bits + 7) / 8 <= memory_.size(), "store beyond memory_end");
      const auto value = static_cast<std::uint32_t>(requantised(
          static_cast<std::int32_t>(tile[i]), format.bits, format.shift, format.is_signed));
      for (std::size_t b = 0; b < bits; ++b) {
        std::uint8_t& byte = memory_[(at + b) / 8];
        const auto mask = static_cast<std::uint8_t>(1u << ((at + b) % 8));
        byte = static_cast<std::uint8_t>((value >> b & 1) != 0 ? byte | mask : byte & ~mask);
      }
    }
    tiles_.pop_front();
    if (++result_done_ == op.tiles) {
      result_done_ = 0;
      result_queue_.pop_front();
      ++executed_[Isa::Result::kOpcode];
    }
    return true;
  }

  InterpreterShape shape_;
  StageOrder order_;
  int queue_depth_;
  Rng rng_;
  std::vector<std::uint8_t> memory_;
  std::vector<std::uint8_t> lhs_;  // [lane][bank][address]
  std::vector<std::uint8_t> rhs_;
  std::deque<Word> program_;
  std::array<std::deque<Word>, 2> fetch_queues_;
  std::deque<Word> exec_queue_;
  std::deque<Word> result_queue_;
  std::deque<std::vector<std::uint32_t>> tiles_;
  std::uint64_t emitted_ = 0;
  std::uint64_t covered_ = 0;
  std::uint64_t result_done_ = 0;
  int filled_lhs_ = 0;
  int filled_rhs_ = 0;
  int free_lhs_ = 0;
  int free_rhs_ = 0;
  std::array<int, 16> executed_{};
};

}  // namespace bittern
