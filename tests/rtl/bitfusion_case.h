// Random programs for bitfusion_core, with their memory image and the memory that they must leave
// behind.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "tests/rtl/bitfusion_model.h"

namespace bittern::rtl_test {

/// A program ready to run: put `image` into memory, run `program`, compare with `expected`.
struct BitfusionCase {
  std::vector<InstructionWord> program;
  std::vector<std::uint8_t> image;     ///< From address 0, as large as the memory.
  std::vector<std::uint8_t> expected;  ///< All of memory afterwards.
  // Counts that the events must show.
  std::uint64_t steps = 0;
  std::uint64_t outputs = 0;
  std::uint64_t lhs_reads = 0;
  std::uint64_t rhs_reads = 0;
  std::uint64_t tiles = 0;
  std::uint64_t stored_words = 0;
  std::uint64_t accumulated = 0;  ///< Outputs that were added to the tile.
};

/// Modes of a COMPUTE, or random ones.
struct BitfusionModes {
  bool random = true;
  bitfusion_isa::Setup setup;
};

/// Draws `rounds` rounds of fetches into one half of the buffers and COMPUTEs on them, double
/// buffered by tokens, with random nests of loops, tiles of several COMPUTEs, and STOREs of several
/// tiles.
BitfusionCase make_bitfusion(const BitfusionShape& shape, unsigned rounds, std::mt19937& rng,
                             const BitfusionModes& modes = {});

}  // namespace bittern::rtl_test
