// Results as the result stages of BISMO and Stripes write them (docs/rtl.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/host/cores/requantised.h"

namespace bittern::rtl_test {

/// Fields of a RESULT.
struct ResultFields {
  int bits = 32;
  int shift = 0;
  bool is_signed = false;

  /// As field `width` has it.
  unsigned width() const { return bits == 32 ? 0 : bits == 8 ? 1 : bits == 4 ? 2 : 3; }
  std::int32_t of(std::int32_t sum) const { return requantised(sum, bits, shift, is_signed); }
  /// Any that a build with results of at least `min_bits` has.
  static ResultFields draw(std::mt19937& rng, int min_bits) {
    std::vector<int> widths = {32};
    for (const int bits : {8, 4, 2}) {
      if (bits >= min_bits) widths.push_back(bits);
    }
    ResultFields fields;
    fields.bits = widths[rng() % widths.size()];
    fields.shift = static_cast<int>(rng() % 32);
    fields.is_signed = rng() % 2;
    return fields;
  }
};

/// Where a program wrote its tiles.
struct ResultRegion {
  unsigned units = 0;  ///< results of a tile
  unsigned write_ports = 1;
  unsigned port_bytes = 8;
  std::size_t base = 0;    ///< of port 0
  std::size_t stride = 0;  ///< bytes to the next port
  ResultFields fields;

  /// Bytes of a tile in a port's region.
  unsigned tile_bytes() const { return units * fields.bits / 8 / write_ports; }
  /// Result `k` of tile `tile`: a port has the same results in the same order at all widths.
  std::int32_t read(const std::vector<std::uint8_t>& memory, std::size_t tile, unsigned k) const {
    const unsigned per_beat = port_bytes / 4;
    const unsigned port = k / per_beat % write_ports;
    const unsigned place = k / per_beat / write_ports * per_beat + k % per_beat;
    const std::size_t bit =
        8 * (base + port * stride + tile * tile_bytes()) + std::size_t{place} * fields.bits;
    std::uint32_t word = 0;
    for (int b = 0; b < fields.bits; ++b) {
      word |= (memory.at((bit + b) / 8) >> ((bit + b) % 8) & 1u) << b;
    }
    const bool negative = fields.is_signed && (word >> (fields.bits - 1) & 1) != 0;
    if (fields.bits < 32 && negative) word |= ~0u << fields.bits;
    return static_cast<std::int32_t>(word);
  }
};

}  // namespace bittern::rtl_test
