// Generated from rtl/shell/register_map.json by scripts/gen_registers.py. Do not edit.
// clang-format off
#pragma once

#include <cstdint>

#include "host/cores/stream/instruction_word.h"

namespace bittern::bismo_isa {

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
  std::uint64_t narrow = 0;  ///< How often the number of banks is halved: the first Dm >> narrow banks are filled (Dn for RHS), the others keep what they hold. For stripes with few rows. (3 bits)
  std::uint64_t buffer_base = 0;  ///< First word address in every bank. (16 bits)
  std::uint64_t words = 0;  ///< Words of Dk bits to load, over all banks filled; at least 1. Word i goes to bank i mod (Dm >> narrow), address buffer_base + i / (Dm >> narrow). (24 bits)
  std::uint64_t dram_base = 0;  ///< Byte address of lane 0, a multiple of 64. (32 bits)
  std::uint64_t lane_stride = 0;  ///< Bytes from one lane's region to the next lane's, a multiple of 64. (32 bits)

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    set_field(word, 4, 1, wait_free, "bismo fetch_lhs.wait_free");
    set_field(word, 5, 1, send_filled, "bismo fetch_lhs.send_filled");
    set_field(word, 8, 3, narrow, "bismo fetch_lhs.narrow");
    set_field(word, 16, 16, buffer_base, "bismo fetch_lhs.buffer_base");
    set_field(word, 32, 24, words, "bismo fetch_lhs.words");
    set_field(word, 64, 32, dram_base, "bismo fetch_lhs.dram_base");
    set_field(word, 96, 32, lane_stride, "bismo fetch_lhs.lane_stride");
    return word;
  }
  /// Decodes the fields of `word` (its opcode is not checked).
  static FetchLhs decode([[maybe_unused]] const Word& word) {
    FetchLhs out;
    out.wait_free = get_field(word, 4, 1);
    out.send_filled = get_field(word, 5, 1);
    out.narrow = get_field(word, 8, 3);
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
  std::uint64_t narrow = 0;  ///< How often the number of banks is halved: the first Dm >> narrow banks are filled (Dn for RHS), the others keep what they hold. For stripes with few rows. (3 bits)
  std::uint64_t buffer_base = 0;  ///< First word address in every bank. (16 bits)
  std::uint64_t words = 0;  ///< Words of Dk bits to load, over all banks filled; at least 1. Word i goes to bank i mod (Dm >> narrow), address buffer_base + i / (Dm >> narrow). (24 bits)
  std::uint64_t dram_base = 0;  ///< Byte address of lane 0, a multiple of 64. (32 bits)
  std::uint64_t lane_stride = 0;  ///< Bytes from one lane's region to the next lane's, a multiple of 64. (32 bits)

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    set_field(word, 4, 1, wait_free, "bismo fetch_rhs.wait_free");
    set_field(word, 5, 1, send_filled, "bismo fetch_rhs.send_filled");
    set_field(word, 8, 3, narrow, "bismo fetch_rhs.narrow");
    set_field(word, 16, 16, buffer_base, "bismo fetch_rhs.buffer_base");
    set_field(word, 32, 24, words, "bismo fetch_rhs.words");
    set_field(word, 64, 32, dram_base, "bismo fetch_rhs.dram_base");
    set_field(word, 96, 32, lane_stride, "bismo fetch_rhs.lane_stride");
    return word;
  }
  /// Decodes the fields of `word` (its opcode is not checked).
  static FetchRhs decode([[maybe_unused]] const Word& word) {
    FetchRhs out;
    out.wait_free = get_field(word, 4, 1);
    out.send_filled = get_field(word, 5, 1);
    out.narrow = get_field(word, 8, 3);
    out.buffer_base = get_field(word, 16, 16);
    out.words = get_field(word, 32, 24);
    out.dram_base = get_field(word, 64, 32);
    out.lane_stride = get_field(word, 96, 32);
    return out;
  }
};

/// Instruction EXEC.
struct Exec {
  static constexpr std::uint64_t kOpcode = 3;
  std::uint64_t wait_lhs = 0;  ///< Take one filled LHS token before the first tile. (1 bits)
  std::uint64_t wait_rhs = 0;  ///< Take one filled RHS token before the first tile. (1 bits)
  std::uint64_t free_lhs = 0;  ///< Give one free LHS token when the last word of the last tile is read. (1 bits)
  std::uint64_t free_rhs = 0;  ///< Give one free RHS token likewise. (1 bits)
  std::uint64_t lhs_signed = 0;  ///< LHS is two's complement. (1 bits)
  std::uint64_t rhs_signed = 0;  ///< RHS is two's complement. (1 bits)
  std::uint64_t accumulate = 0;  ///< Add to the open result slot instead of starting a new one (K is split over several EXEC). (1 bits)
  std::uint64_t emit = 0;  ///< Hand the slot to the result stage after each tile. (1 bits)
  std::uint64_t lhs_bits = 0;  ///< Bits of LHS, minus 1. (3 bits)
  std::uint64_t rhs_bits = 0;  ///< Bits of RHS, minus 1. (3 bits)
  std::uint64_t lhs_tiles = 0;  ///< LHS stripes (outer tile loop), minus 1. (14 bits)
  std::uint64_t lhs_base = 0;  ///< Word address of the first LHS stripe. Plane b of a stripe starts at stripe + b * k_words. (16 bits)
  std::uint64_t rhs_base = 0;  ///< Word address of the first RHS stripe. (16 bits)
  std::uint64_t k_words = 0;  ///< Words of Dk bits along K; at least 1. (16 bits)
  std::uint64_t lhs_stride = 0;  ///< Words from one LHS stripe to the next. (16 bits)
  std::uint64_t rhs_stride = 0;  ///< Words from one RHS stripe to the next. (16 bits)
  std::uint64_t rhs_tiles = 0;  ///< RHS stripes (inner tile loop), minus 1. (14 bits)

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    set_field(word, 4, 1, wait_lhs, "bismo exec.wait_lhs");
    set_field(word, 5, 1, wait_rhs, "bismo exec.wait_rhs");
    set_field(word, 6, 1, free_lhs, "bismo exec.free_lhs");
    set_field(word, 7, 1, free_rhs, "bismo exec.free_rhs");
    set_field(word, 8, 1, lhs_signed, "bismo exec.lhs_signed");
    set_field(word, 9, 1, rhs_signed, "bismo exec.rhs_signed");
    set_field(word, 10, 1, accumulate, "bismo exec.accumulate");
    set_field(word, 11, 1, emit, "bismo exec.emit");
    set_field(word, 12, 3, lhs_bits, "bismo exec.lhs_bits");
    set_field(word, 15, 3, rhs_bits, "bismo exec.rhs_bits");
    set_field(word, 18, 14, lhs_tiles, "bismo exec.lhs_tiles");
    set_field(word, 32, 16, lhs_base, "bismo exec.lhs_base");
    set_field(word, 48, 16, rhs_base, "bismo exec.rhs_base");
    set_field(word, 64, 16, k_words, "bismo exec.k_words");
    set_field(word, 80, 16, lhs_stride, "bismo exec.lhs_stride");
    set_field(word, 96, 16, rhs_stride, "bismo exec.rhs_stride");
    set_field(word, 112, 14, rhs_tiles, "bismo exec.rhs_tiles");
    return word;
  }
  /// Decodes the fields of `word` (its opcode is not checked).
  static Exec decode([[maybe_unused]] const Word& word) {
    Exec out;
    out.wait_lhs = get_field(word, 4, 1);
    out.wait_rhs = get_field(word, 5, 1);
    out.free_lhs = get_field(word, 6, 1);
    out.free_rhs = get_field(word, 7, 1);
    out.lhs_signed = get_field(word, 8, 1);
    out.rhs_signed = get_field(word, 9, 1);
    out.accumulate = get_field(word, 10, 1);
    out.emit = get_field(word, 11, 1);
    out.lhs_bits = get_field(word, 12, 3);
    out.rhs_bits = get_field(word, 15, 3);
    out.lhs_tiles = get_field(word, 18, 14);
    out.lhs_base = get_field(word, 32, 16);
    out.rhs_base = get_field(word, 48, 16);
    out.k_words = get_field(word, 64, 16);
    out.lhs_stride = get_field(word, 80, 16);
    out.rhs_stride = get_field(word, 96, 16);
    out.rhs_tiles = get_field(word, 112, 14);
    return out;
  }
};

/// Instruction RESULT.
struct Result {
  static constexpr std::uint64_t kOpcode = 4;
  std::uint64_t width = 0;  ///< Bits of a result: 0: 32, the sums as they are; 1: 8, 2: 4, 3: 2, requantised to clamp(floor(sum / 2^shift + 1/2)). Not narrower than MinResultBits. (2 bits)
  std::uint64_t is_signed = 0;  ///< Requantised results are two's complement; otherwise negative ones become 0. (1 bits)
  std::uint64_t shift = 0;  ///< Of the requantisation, without meaning for sums. (5 bits)
  std::uint64_t tiles = 0;  ///< Tiles to write, in the order in which they are emitted; at least 1. (24 bits)
  std::uint64_t dram_base = 0;  ///< Byte address of lane 0 of the first tile, a multiple of 64. (32 bits)
  std::uint64_t lane_stride = 0;  ///< Bytes from one write port's region to the next, a multiple of 64. (32 bits)

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    set_field(word, 8, 2, width, "bismo result.width");
    set_field(word, 10, 1, is_signed, "bismo result.is_signed");
    set_field(word, 11, 5, shift, "bismo result.shift");
    set_field(word, 32, 24, tiles, "bismo result.tiles");
    set_field(word, 64, 32, dram_base, "bismo result.dram_base");
    set_field(word, 96, 32, lane_stride, "bismo result.lane_stride");
    return word;
  }
  /// Decodes the fields of `word` (its opcode is not checked).
  static Result decode([[maybe_unused]] const Word& word) {
    Result out;
    out.width = get_field(word, 8, 2);
    out.is_signed = get_field(word, 10, 1);
    out.shift = get_field(word, 11, 5);
    out.tiles = get_field(word, 32, 24);
    out.dram_base = get_field(word, 64, 32);
    out.lane_stride = get_field(word, 96, 32);
    return out;
  }
};

}  // namespace bittern::bismo_isa
