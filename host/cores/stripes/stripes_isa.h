// Generated from rtl/shell/register_map.json by scripts/gen_registers.py. Do not edit.
// clang-format off
#pragma once

#include <cstdint>

#include "host/cores/stream/instruction_word.h"

namespace bittern::stripes_isa {

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
  std::uint64_t banks = 0;  ///< Banks filled at each address, minus 1: words of a bit plane, times the bits of the operand when it is the parallel one. (8 bits)
  std::uint64_t buffer_base = 0;  ///< First address in every bank. (17 bits)
  std::uint64_t rows = 0;  ///< Addresses to fill; at least 1. Word i goes to bank i mod banks, address buffer_base + i / banks. (18 bits)
  std::uint64_t bits = 0;  ///< Bits of an element, minus 1, of the serial operand; 0 for the other. Memory has bricks of whole elements: the words of a brick (those of a bit plane, times bits) are bits beats for each word of a plane, and each lane's share of them port_width elements of so many bits, packed. They reach the buffer as bit planes, the most significant at the lowest address. All FETCHes of an operand in a program have the same. (4 bits)
  std::uint64_t dram_base = 0;  ///< Byte address of lane 0, a multiple of 64. (32 bits)
  std::uint64_t lane_stride = 0;  ///< Bytes from one lane's region to the next lane's, a multiple of 64. (32 bits)

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    set_field(word, 4, 1, wait_free, "stripes fetch_lhs.wait_free");
    set_field(word, 5, 1, send_filled, "stripes fetch_lhs.send_filled");
    set_field(word, 6, 8, banks, "stripes fetch_lhs.banks");
    set_field(word, 15, 17, buffer_base, "stripes fetch_lhs.buffer_base");
    set_field(word, 32, 18, rows, "stripes fetch_lhs.rows");
    set_field(word, 50, 4, bits, "stripes fetch_lhs.bits");
    set_field(word, 64, 32, dram_base, "stripes fetch_lhs.dram_base");
    set_field(word, 96, 32, lane_stride, "stripes fetch_lhs.lane_stride");
    return word;
  }
  /// Decodes the fields of `word` (its opcode is not checked).
  static FetchLhs decode([[maybe_unused]] const Word& word) {
    FetchLhs out;
    out.wait_free = get_field(word, 4, 1);
    out.send_filled = get_field(word, 5, 1);
    out.banks = get_field(word, 6, 8);
    out.buffer_base = get_field(word, 15, 17);
    out.rows = get_field(word, 32, 18);
    out.bits = get_field(word, 50, 4);
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
  std::uint64_t banks = 0;  ///< Banks filled at each address, minus 1: words of a bit plane, times the bits of the operand when it is the parallel one. (8 bits)
  std::uint64_t buffer_base = 0;  ///< First address in every bank. (17 bits)
  std::uint64_t rows = 0;  ///< Addresses to fill; at least 1. Word i goes to bank i mod banks, address buffer_base + i / banks. (18 bits)
  std::uint64_t bits = 0;  ///< Bits of an element, minus 1, of the serial operand; 0 for the other. Memory has bricks of whole elements: the words of a brick (those of a bit plane, times bits) are bits beats for each word of a plane, and each lane's share of them port_width elements of so many bits, packed. They reach the buffer as bit planes, the most significant at the lowest address. All FETCHes of an operand in a program have the same. (4 bits)
  std::uint64_t dram_base = 0;  ///< Byte address of lane 0, a multiple of 64. (32 bits)
  std::uint64_t lane_stride = 0;  ///< Bytes from one lane's region to the next lane's, a multiple of 64. (32 bits)

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    set_field(word, 4, 1, wait_free, "stripes fetch_rhs.wait_free");
    set_field(word, 5, 1, send_filled, "stripes fetch_rhs.send_filled");
    set_field(word, 6, 8, banks, "stripes fetch_rhs.banks");
    set_field(word, 15, 17, buffer_base, "stripes fetch_rhs.buffer_base");
    set_field(word, 32, 18, rows, "stripes fetch_rhs.rows");
    set_field(word, 50, 4, bits, "stripes fetch_rhs.bits");
    set_field(word, 64, 32, dram_base, "stripes fetch_rhs.dram_base");
    set_field(word, 96, 32, lane_stride, "stripes fetch_rhs.lane_stride");
    return word;
  }
  /// Decodes the fields of `word` (its opcode is not checked).
  static FetchRhs decode([[maybe_unused]] const Word& word) {
    FetchRhs out;
    out.wait_free = get_field(word, 4, 1);
    out.send_filled = get_field(word, 5, 1);
    out.banks = get_field(word, 6, 8);
    out.buffer_base = get_field(word, 15, 17);
    out.rows = get_field(word, 32, 18);
    out.bits = get_field(word, 50, 4);
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
  std::uint64_t lhs_signed = 0;  ///< Activations are two's complement. (1 bits)
  std::uint64_t rhs_signed = 0;  ///< Weights are two's complement. (1 bits)
  std::uint64_t accumulate = 0;  ///< Add to the open result slot instead of starting a new one (the reduction is split over several EXEC). (1 bits)
  std::uint64_t emit = 0;  ///< Hand the slot to the result stage after each tile. (1 bits)
  std::uint64_t lhs_bits = 0;  ///< Bits of activations, minus 1; less than max_bits. (4 bits)
  std::uint64_t rhs_bits = 0;  ///< Bits of weights, minus 1; less than max_bits. (4 bits)
  std::uint64_t bricks = 0;  ///< Bricks along the reduction, minus 1. (11 bits)
  std::uint64_t cascade = 0;  ///< Staggered columns share the filters: column c has window c of the stripe, which holds a part of the reduction, and weights of that part; it adds what the column before it has. The last of them has the sum. (1 bits)
  std::uint64_t rhs_base = 0;  ///< Address of the first RHS stripe, likewise. (16 bits)
  std::uint64_t rhs_stride = 0;  ///< Addresses from one RHS stripe to the next. (16 bits)
  std::uint64_t lhs_base = 0;  ///< Address of the first LHS stripe: bricks one behind the other, most significant plane first. (17 bits)
  std::uint64_t lhs_stride = 0;  ///< Addresses from one LHS stripe to the next. (17 bits)
  std::uint64_t lhs_tiles = 0;  ///< LHS stripes (groups of windows, outer tile loop), minus 1. (13 bits)
  std::uint64_t rhs_tiles = 0;  ///< RHS stripes (groups of filters, inner tile loop), minus 1. (13 bits)
  std::uint64_t columns = 0;  ///< Staggered columns, minus 1. 0: the columns have windows of their own and share the weights. Otherwise (Serial = 0 only) that many columns work on the first window of the stripe, each with filters of its own, one cycle after the other: a brick of an RHS stripe is one weight word for each of them. Less than Columns, at most lhs_bits. (4 bits)

  /// Encodes the instruction; throws std::out_of_range on a value too large for its field.
  Word encode() const {
    Word word{kOpcode, 0};
    set_field(word, 4, 1, wait_lhs, "stripes exec.wait_lhs");
    set_field(word, 5, 1, wait_rhs, "stripes exec.wait_rhs");
    set_field(word, 6, 1, free_lhs, "stripes exec.free_lhs");
    set_field(word, 7, 1, free_rhs, "stripes exec.free_rhs");
    set_field(word, 8, 1, lhs_signed, "stripes exec.lhs_signed");
    set_field(word, 9, 1, rhs_signed, "stripes exec.rhs_signed");
    set_field(word, 10, 1, accumulate, "stripes exec.accumulate");
    set_field(word, 11, 1, emit, "stripes exec.emit");
    set_field(word, 12, 4, lhs_bits, "stripes exec.lhs_bits");
    set_field(word, 16, 4, rhs_bits, "stripes exec.rhs_bits");
    set_field(word, 20, 11, bricks, "stripes exec.bricks");
    set_field(word, 31, 1, cascade, "stripes exec.cascade");
    set_field(word, 32, 16, rhs_base, "stripes exec.rhs_base");
    set_field(word, 48, 16, rhs_stride, "stripes exec.rhs_stride");
    set_field(word, 64, 17, lhs_base, "stripes exec.lhs_base");
    set_field(word, 81, 17, lhs_stride, "stripes exec.lhs_stride");
    set_field(word, 98, 13, lhs_tiles, "stripes exec.lhs_tiles");
    set_field(word, 111, 13, rhs_tiles, "stripes exec.rhs_tiles");
    set_field(word, 124, 4, columns, "stripes exec.columns");
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
    out.lhs_bits = get_field(word, 12, 4);
    out.rhs_bits = get_field(word, 16, 4);
    out.bricks = get_field(word, 20, 11);
    out.cascade = get_field(word, 31, 1);
    out.rhs_base = get_field(word, 32, 16);
    out.rhs_stride = get_field(word, 48, 16);
    out.lhs_base = get_field(word, 64, 17);
    out.lhs_stride = get_field(word, 81, 17);
    out.lhs_tiles = get_field(word, 98, 13);
    out.rhs_tiles = get_field(word, 111, 13);
    out.columns = get_field(word, 124, 4);
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
    set_field(word, 8, 2, width, "stripes result.width");
    set_field(word, 10, 1, is_signed, "stripes result.is_signed");
    set_field(word, 11, 5, shift, "stripes result.shift");
    set_field(word, 32, 24, tiles, "stripes result.tiles");
    set_field(word, 64, 32, dram_base, "stripes result.dram_base");
    set_field(word, 96, 32, lane_stride, "stripes result.lane_stride");
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

}  // namespace bittern::stripes_isa
