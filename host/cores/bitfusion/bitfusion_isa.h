// Generated from rtl/shell/register_map.json by scripts/gen_registers.py. Do not edit.
// clang-format off
#pragma once

#include <cstdint>

#include "host/cores/stream/instruction_word.h"

namespace bittern::bitfusion_isa {

using Word = InstructionWord;

/// Instruction END.
struct End {
  static constexpr std::uint64_t kOpcode = 0;

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    return word;
  }
  /// Decodes the fields of `word` (its opcode is not checked).
  static End decode([[maybe_unused]] const Word& word) {
    End out;
    return out;
  }
};

/// Instruction FETCH_LHS.
struct FetchLhs {
  static constexpr std::uint64_t kOpcode = 1;
  std::uint64_t wait_free = 0;  ///< Take one free token of its operand before reading. (1 bits)
  std::uint64_t send_filled = 0;  ///< Give one filled token of its operand when the last word is in the buffer. (1 bits)
  std::uint64_t buffer_base = 0;  ///< First word address in every bank. (16 bits)
  std::uint64_t words = 0;  ///< Words of FetchLanes * PortWidth bits to load, over all banks; at least 1. Word i goes to bank i mod banks, address buffer_base + i / banks. (24 bits)
  std::uint64_t dram_base = 0;  ///< Byte address of lane 0, a multiple of 64. (32 bits)
  std::uint64_t lane_stride = 0;  ///< Bytes from one lane's region to the next lane's, a multiple of 64. (32 bits)

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    set_field(word, 4, 1, wait_free, "bitfusion fetch_lhs.wait_free");
    set_field(word, 5, 1, send_filled, "bitfusion fetch_lhs.send_filled");
    set_field(word, 16, 16, buffer_base, "bitfusion fetch_lhs.buffer_base");
    set_field(word, 32, 24, words, "bitfusion fetch_lhs.words");
    set_field(word, 64, 32, dram_base, "bitfusion fetch_lhs.dram_base");
    set_field(word, 96, 32, lane_stride, "bitfusion fetch_lhs.lane_stride");
    return word;
  }
  /// Decodes the fields of `word` (its opcode is not checked).
  static FetchLhs decode([[maybe_unused]] const Word& word) {
    FetchLhs out;
    out.wait_free = get_field(word, 4, 1);
    out.send_filled = get_field(word, 5, 1);
    out.buffer_base = get_field(word, 16, 16);
    out.words = get_field(word, 32, 24);
    out.dram_base = get_field(word, 64, 32);
    out.lane_stride = get_field(word, 96, 32);
    return out;
  }
};

/// Instruction FETCH_RHS.
struct FetchRhs {
  static constexpr std::uint64_t kOpcode = 2;
  std::uint64_t wait_free = 0;  ///< Take one free token of its operand before reading. (1 bits)
  std::uint64_t send_filled = 0;  ///< Give one filled token of its operand when the last word is in the buffer. (1 bits)
  std::uint64_t buffer_base = 0;  ///< First word address in every bank. (16 bits)
  std::uint64_t words = 0;  ///< Words of FetchLanes * PortWidth bits to load, over all banks; at least 1. Word i goes to bank i mod banks, address buffer_base + i / banks. (24 bits)
  std::uint64_t dram_base = 0;  ///< Byte address of lane 0, a multiple of 64. (32 bits)
  std::uint64_t lane_stride = 0;  ///< Bytes from one lane's region to the next lane's, a multiple of 64. (32 bits)

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    set_field(word, 4, 1, wait_free, "bitfusion fetch_rhs.wait_free");
    set_field(word, 5, 1, send_filled, "bitfusion fetch_rhs.send_filled");
    set_field(word, 16, 16, buffer_base, "bitfusion fetch_rhs.buffer_base");
    set_field(word, 32, 24, words, "bitfusion fetch_rhs.words");
    set_field(word, 64, 32, dram_base, "bitfusion fetch_rhs.dram_base");
    set_field(word, 96, 32, lane_stride, "bitfusion fetch_rhs.lane_stride");
    return word;
  }
  /// Decodes the fields of `word` (its opcode is not checked).
  static FetchRhs decode([[maybe_unused]] const Word& word) {
    FetchRhs out;
    out.wait_free = get_field(word, 4, 1);
    out.send_filled = get_field(word, 5, 1);
    out.buffer_base = get_field(word, 16, 16);
    out.words = get_field(word, 32, 24);
    out.dram_base = get_field(word, 64, 32);
    out.lane_stride = get_field(word, 96, 32);
    return out;
  }
};

/// Instruction COMPUTE.
struct Compute {
  static constexpr std::uint64_t kOpcode = 3;
  std::uint64_t wait_lhs = 0;  ///< Take one filled activation token before the first step. (1 bits)
  std::uint64_t wait_rhs = 0;  ///< Take one filled weight token before the first step. (1 bits)
  std::uint64_t free_lhs = 0;  ///< Give one free activation token with the last step. (1 bits)
  std::uint64_t free_rhs = 0;  ///< Give one free weight token likewise. (1 bits)
  std::uint64_t accumulate = 0;  ///< Add to the words of the open output tile instead of starting a new one (the reduction is split over several COMPUTE). (1 bits)
  std::uint64_t emit = 0;  ///< Hand the output tile to the store stage. (1 bits)
  std::uint64_t lhs_base = 0;  ///< First quarter-word address in the input buffer. (20 bits)
  std::uint64_t rhs_base = 0;  ///< First quarter-word address in the weight buffer. (20 bits)

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    set_field(word, 4, 1, wait_lhs, "bitfusion compute.wait_lhs");
    set_field(word, 5, 1, wait_rhs, "bitfusion compute.wait_rhs");
    set_field(word, 6, 1, free_lhs, "bitfusion compute.free_lhs");
    set_field(word, 7, 1, free_rhs, "bitfusion compute.free_rhs");
    set_field(word, 10, 1, accumulate, "bitfusion compute.accumulate");
    set_field(word, 11, 1, emit, "bitfusion compute.emit");
    set_field(word, 32, 20, lhs_base, "bitfusion compute.lhs_base");
    set_field(word, 64, 20, rhs_base, "bitfusion compute.rhs_base");
    return word;
  }
  /// Decodes the fields of `word` (its opcode is not checked).
  static Compute decode([[maybe_unused]] const Word& word) {
    Compute out;
    out.wait_lhs = get_field(word, 4, 1);
    out.wait_rhs = get_field(word, 5, 1);
    out.free_lhs = get_field(word, 6, 1);
    out.free_rhs = get_field(word, 7, 1);
    out.accumulate = get_field(word, 10, 1);
    out.emit = get_field(word, 11, 1);
    out.lhs_base = get_field(word, 32, 20);
    out.rhs_base = get_field(word, 64, 20);
    return out;
  }
};

/// Instruction STORE.
struct Store {
  static constexpr std::uint64_t kOpcode = 4;
  std::uint64_t tiles = 0;  ///< Tiles to write, one behind the other, in the order in which they are emitted; at least 1. (24 bits)
  std::uint64_t words = 0;  ///< Words of M results of one tile; at least 1, at most ObufDepth / 2. (16 bits)
  std::uint64_t width = 0;  ///< Bits of a result: 0: 32, the sums as they are; 1: 8, 2: 4, 3: 2, requantised to clamp(floor(sum / 2^shift + 1/2)). Not narrower than MinResultBits. (2 bits)
  std::uint64_t is_signed = 0;  ///< Requantised results are two's complement; otherwise negative ones become 0. (1 bits)
  std::uint64_t shift = 0;  ///< Of the requantisation, without meaning for sums. (5 bits)
  std::uint64_t dram_base = 0;  ///< Byte address of write port 0 of the first tile, a multiple of 64. (32 bits)
  std::uint64_t lane_stride = 0;  ///< Bytes from one write port's region to the next, a multiple of 64. (32 bits)

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    set_field(word, 8, 24, tiles, "bitfusion store.tiles");
    set_field(word, 32, 16, words, "bitfusion store.words");
    set_field(word, 48, 2, width, "bitfusion store.width");
    set_field(word, 50, 1, is_signed, "bitfusion store.is_signed");
    set_field(word, 51, 5, shift, "bitfusion store.shift");
    set_field(word, 64, 32, dram_base, "bitfusion store.dram_base");
    set_field(word, 96, 32, lane_stride, "bitfusion store.lane_stride");
    return word;
  }
  /// Decodes the fields of `word` (its opcode is not checked).
  static Store decode([[maybe_unused]] const Word& word) {
    Store out;
    out.tiles = get_field(word, 8, 24);
    out.words = get_field(word, 32, 16);
    out.width = get_field(word, 48, 2);
    out.is_signed = get_field(word, 50, 1);
    out.shift = get_field(word, 51, 5);
    out.dram_base = get_field(word, 64, 32);
    out.lane_stride = get_field(word, 96, 32);
    return out;
  }
};

/// Instruction SETUP.
struct Setup {
  static constexpr std::uint64_t kOpcode = 5;
  std::uint64_t lhs_mode = 0;  ///< Bits of an activation in a step: 0: 2, 1: 4, 2: 8. (2 bits)
  std::uint64_t rhs_mode = 0;  ///< Bits of a weight in a step, likewise. (2 bits)
  std::uint64_t lhs_signed = 0;  ///< Activations are two's complement. (1 bits)
  std::uint64_t rhs_signed = 0;  ///< Weights are two's complement. (1 bits)
  std::uint64_t lhs_wide = 0;  ///< Activations have 16 bits, in a low and a high byte (lhs_mode is 2): loop level 2 walks them, low byte first. (1 bits)
  std::uint64_t rhs_wide = 0;  ///< Weights likewise, with loop level 3. (1 bits)

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    set_field(word, 8, 2, lhs_mode, "bitfusion setup.lhs_mode");
    set_field(word, 10, 2, rhs_mode, "bitfusion setup.rhs_mode");
    set_field(word, 12, 1, lhs_signed, "bitfusion setup.lhs_signed");
    set_field(word, 13, 1, rhs_signed, "bitfusion setup.rhs_signed");
    set_field(word, 14, 1, lhs_wide, "bitfusion setup.lhs_wide");
    set_field(word, 15, 1, rhs_wide, "bitfusion setup.rhs_wide");
    return word;
  }
  /// Decodes the fields of `word` (its opcode is not checked).
  static Setup decode([[maybe_unused]] const Word& word) {
    Setup out;
    out.lhs_mode = get_field(word, 8, 2);
    out.rhs_mode = get_field(word, 10, 2);
    out.lhs_signed = get_field(word, 12, 1);
    out.rhs_signed = get_field(word, 13, 1);
    out.lhs_wide = get_field(word, 14, 1);
    out.rhs_wide = get_field(word, 15, 1);
    return out;
  }
};

/// Instruction LOOP.
struct Loop {
  static constexpr std::uint64_t kOpcode = 6;
  std::uint64_t level = 0;  ///< Level of the nest, 0 innermost. Levels 0 to 3 are the reduction, 4 to 7 the outputs. (3 bits)
  std::uint64_t iterations = 0;  ///< Iterations, minus 1. (16 bits)
  std::uint64_t lhs_jump = 0;  ///< Added to the activation address when this level advances and all inner ones start again (two's complement, quarter words). (20 bits)
  std::uint64_t rhs_jump = 0;  ///< Likewise for the weight address. (20 bits)

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    set_field(word, 8, 3, level, "bitfusion loop.level");
    set_field(word, 16, 16, iterations, "bitfusion loop.iterations");
    set_field(word, 32, 20, lhs_jump, "bitfusion loop.lhs_jump");
    set_field(word, 64, 20, rhs_jump, "bitfusion loop.rhs_jump");
    return word;
  }
  /// Decodes the fields of `word` (its opcode is not checked).
  static Loop decode([[maybe_unused]] const Word& word) {
    Loop out;
    out.level = get_field(word, 8, 3);
    out.iterations = get_field(word, 16, 16);
    out.lhs_jump = get_field(word, 32, 20);
    out.rhs_jump = get_field(word, 64, 20);
    return out;
  }
};

}  // namespace bittern::bitfusion_isa
