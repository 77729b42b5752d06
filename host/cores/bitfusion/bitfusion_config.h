#pragma once

#include <cstdint>

#include "host/cores/bitfusion/bitfusion_model.h"
#include "host/cores/stream/result_options.h"
#include "host/integer/result_format.h"
#include "host/variant/variant.h"

namespace bittern {

/// What a variant with core "bitfusion" has to fit.
VariantRules bitfusion_rules();

/// Parameters of a BitFusion variant as lowering needs them.
struct BitFusionConfig {
  int n = 0;           ///< rows of the array: input channels
  int m = 0;           ///< columns of the array: output channels
  int ibuf_depth = 0;  ///< words of n * 32 bits in the input buffer
  int wbuf_depth = 0;  ///< words of n * m * 32 bits in the weight buffer
  int obuf_depth = 0;  ///< words of m * 32 bits in the output buffer, both halves together
  int lanes = 0;       ///< read ports of a fetch group
  bool split_fetch = false;
  int write_ports = 0;
  int port_width = 0;  ///< bits
  int max_burst_beats = 0;
  MemoryConfig memory;
  ResultOptions results;
  int result_bits = 32;    ///< of the plan at hand, see for_results()
  int depthwise_pack = 1;  ///< groups of a depthwise layer that share a block of channels

  // What the instruction fields can hold. Set lower in tests, to see instructions being cut.
  std::uint64_t max_fetch_words = (1u << 24) - 1;
  std::uint64_t max_store_tiles = (1u << 24) - 1;

  /// Bytes of a port beat.
  int port_bytes() const { return port_width / 8; }
  /// Bytes of a quarter word of the input and the weight buffer.
  std::int64_t lhs_quarter_bytes() const { return n; }
  std::int64_t rhs_quarter_bytes() const { return static_cast<std::int64_t>(n) * m; }
  /// Output words of a tile at most.
  std::int64_t tile_words() const { return obuf_depth / 2; }
  /// Bytes of an output word in the region of one write port.
  std::int64_t word_bytes_per_port() const {
    return static_cast<std::int64_t>(m) * result_bits / 8 / write_ports;
  }
  /// The same machine with results of so many bits: 32, 8, 4 or 2.
  BitFusionConfig for_results(int bits) const;
  /// The same parameters for the closed-form model.
  BitFusionMachine machine() const;

  /// From a variant that fits bitfusion_rules().
  static BitFusionConfig from(const Variant& variant);
};

}  // namespace bittern
