#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace bittern {

/// One instruction of 128 bits, least significant word first, as it lies in device memory.
using InstructionWord = std::array<std::uint64_t, 2>;

/// Stores `value` into bits [lsb, lsb + width) of `word`, which must not cross a 64-bit boundary.
/// Throws std::out_of_range when it does not fit; `name` (core, instruction and field) says where.
inline void set_field(InstructionWord& word, unsigned lsb, unsigned width, std::uint64_t value,
                      const char* name) {
  if (width < 64 && (value >> width) != 0) {
    throw std::out_of_range(std::string("instruction field ") + name + ": value " +
                            std::to_string(value) + " needs more than " + std::to_string(width) +
                            " bits");
  }
  word[lsb / 64] |= value << (lsb % 64);
}

/// Reads bits [lsb, lsb + width) of `word`, which must not cross a 64-bit boundary.
inline std::uint64_t get_field(const InstructionWord& word, unsigned lsb, unsigned width) {
  return (word[lsb / 64] >> (lsb % 64)) & (width == 64 ? ~0ull : (1ull << width) - 1);
}

}  // namespace bittern
