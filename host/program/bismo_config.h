#pragma once

#include <cstdint>

#include "host/device/variant.h"
#include "host/model/bismo_model.h"

namespace bittern {

/// Parameters of a BISMO variant as lowering needs them, checked.
struct BismoConfig {
  int dm = 0;         ///< rows of the array: LHS rows (output pixels) of a stripe
  int dk = 0;         ///< bits of one buffer word, along K
  int dn = 0;         ///< columns of the array: RHS rows (output channels) of a stripe
  int lhs_depth = 0;  ///< words of dk bits in each LHS bank
  int rhs_depth = 0;
  int lanes = 0;  ///< read ports of a fetch group: dk / port_width
  bool split_fetch = false;
  int write_ports = 0;
  int port_width = 0;  ///< bits
  int max_burst_beats = 0;
  MemoryConfig memory;
  int depthwise_pack = 1;  ///< channels of a depthwise layer that share one GEMM
  bool by_image = false;   ///< the images of a batch are worked on one after the other

  // What the instruction fields can hold. Set lower in tests, to see instructions being cut.
  std::uint64_t max_fetch_words = (1u << 24) - 1;
  std::uint64_t max_exec_tiles = 1u << 14;  ///< of one side
  std::uint64_t max_result_tiles = (1u << 24) - 1;

  /// 64-bit words of a port beat.
  int port_words() const { return port_width / 64; }
  /// Bytes of a port beat.
  int port_bytes() const { return port_width / 8; }
  /// Bytes that one result tile takes in each write port's region.
  std::int64_t tile_bytes_per_port() const {
    return static_cast<std::int64_t>(dm) * dn * 4 / write_ports;
  }
  /// The same parameters for the closed-form model.
  BismoMachine machine() const;

  /// From a variant with core "bismo"; throws Error naming variant, parameter and what is allowed.
  static BismoConfig from(const Variant& variant);
};

}  // namespace bittern
