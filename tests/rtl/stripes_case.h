// Random products with their memory image, program and expected tiles, for stripes_core.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "host/cores/stripes/stripes_isa.h"
#include "tests/rtl/core_harness.h"
#include "tests/rtl/result_region.h"

namespace bittern::rtl_test {

/// Parameters of the core under test, as in docs/stripes.md.
struct StripesShape {
  unsigned columns = 4;
  unsigned filters = 8;  ///< Rows * Tiles
  unsigned lanes = 16;
  unsigned serial = 0;
  unsigned lhs_depth = 128;
  unsigned rhs_depth = 64;
  unsigned fetch_lanes = 1;
  unsigned read_ports = 1;
  unsigned write_ports = 1;
  unsigned port_bytes = 8;
  unsigned max_burst_beats = 64;
  unsigned max_bits = 8;
  int min_result_bits = 32;
  /// Bytes of a fetch word.
  unsigned word_bytes() const { return fetch_lanes * port_bytes; }
  /// For the harness.
  operator CorePorts() const { return {read_ports, write_ports, port_bytes, max_burst_beats, 28}; }
};

/// A product in tiles and bricks.
struct StripesProduct {
  unsigned lhs_tiles = 1;
  unsigned rhs_tiles = 1;
  unsigned bricks = 1;  ///< of a chunk
  unsigned chunks = 1;  ///< of the reduction, each an EXEC of its own; 1 tile then
  unsigned lhs_bits = 1;
  unsigned rhs_bits = 1;
  bool lhs_signed = false;
  bool rhs_signed = false;
  unsigned columns = 1;  ///< staggered
  bool cascade = false;  ///< these share filters: window c has a part of the reduction
  ResultFields result;
  bool double_buffer = false;  ///< LHS stripes, or chunks of both sides, take turns through tokens
};

/// A product ready to run: put `image` into memory, run `program`, compare with `expected`.
struct StripesCase {
  std::vector<stripes_isa::Word> program;
  std::vector<std::uint8_t> image;  ///< from address 0
  std::vector<std::int32_t>
      expected;               ///< tiles in the order in which they are written, requantised
  std::vector<bool> defined;  ///< of them: not left over by columns that rest
  std::uint32_t result_base = 0;
  std::uint32_t result_stride = 0;
  ResultFields result;
  std::uint64_t steps = 0;
  std::uint64_t lhs_reads = 0;  ///< planes read: event lhs_buffer_reads with its upper part
  std::uint64_t rhs_reads = 0;
};

/// Draws operands and builds the case; buffers must be large enough (throws std::logic_error).
StripesCase make_stripes(const StripesShape& core, const StripesProduct& product,
                         std::mt19937& rng);

/// A product of any kind that the core can run.
StripesProduct random_product(const StripesShape& core, std::mt19937& rng);

/// Tiles that the program wrote, in the layout of `expected`; where nothing is defined, `expected`
/// itself.
std::vector<std::int32_t> read_tiles(const StripesShape& core, const StripesCase& product,
                                     const std::vector<std::uint8_t>& memory);

}  // namespace bittern::rtl_test
