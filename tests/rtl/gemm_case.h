// Random matrix products with their memory image, program and expected tiles, for bismo_core.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "host/cores/bismo/bismo_isa.h"
#include "tests/rtl/core_harness.h"
#include "tests/rtl/result_region.h"

namespace bittern::rtl_test {

/// Parameters of the core under test, as in docs/rtl.md.
struct CoreShape {
  unsigned dm = 2;
  unsigned dk = 64;
  unsigned dn = 2;
  unsigned lhs_depth = 128;
  unsigned rhs_depth = 128;
  unsigned read_ports = 1;
  unsigned write_ports = 1;
  unsigned port_bytes = 8;
  unsigned max_burst_beats = 64;
  int min_result_bits = 32;
  /// Lanes of a word of Dk bits.
  unsigned lanes() const { return dk / 8 / port_bytes; }
  /// Words of 64 bits in a word of Dk bits.
  unsigned words64() const { return dk / 64; }
  /// For the harness.
  operator CorePorts() const { return {read_ports, write_ports, port_bytes, max_burst_beats, 22}; }
};

/// How a product is scheduled.
enum class Schedule {
  kWhole,    ///< Everything fetched, one EXEC over all tiles.
  kStriped,  ///< RHS fetched once; LHS stripes double buffered through tokens.
  kSplitK,   ///< One tile at a time, K in chunks that accumulate, both sides double buffered.
};

/// Shape of a product in tiles and words.
struct GemmShape {
  unsigned lhs_tiles = 1;
  unsigned rhs_tiles = 1;
  unsigned k_words = 1;  ///< Words of Dk bits along K (of a chunk for kSplitK).
  unsigned k_chunks = 1;
  unsigned lhs_bits = 1;
  unsigned rhs_bits = 1;
  bool lhs_signed = false;
  bool rhs_signed = false;
  Schedule schedule = Schedule::kWhole;
  ResultFields result;
};

/// A product ready to run: put `image` into memory, run `program`, compare with `expected` at
/// `result_base`.
struct GemmCase {
  std::vector<bismo_isa::Word> program;
  std::vector<std::uint8_t> image;  ///< From address 0.
  std::vector<std::int32_t>
      expected;  ///< Tiles in the order in which they are written, [m][n] each, requantised.
  std::uint32_t result_base = 0;
  std::uint32_t result_stride = 0;  ///< Bytes between the regions of two write ports.
  ResultFields result;
  std::uint64_t exec_words = 0;  ///< Cycles that the array must be active.
};

/// Draws operands and builds the case. Buffers must be large enough for the schedule (throws
/// std::logic_error).
GemmCase make_gemm(const CoreShape& core, const GemmShape& shape, std::mt19937& rng);

/// Reads the tiles that the program wrote, in the layout of `GemmCase::expected`.
std::vector<std::int32_t> read_tiles(const CoreShape& core, const GemmCase& gemm,
                                     const std::vector<std::uint8_t>& memory);

}  // namespace bittern::rtl_test
