#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace bittern {

/// What the closed form has to know of a BISMO device: array, buffers, ports and memory system.
/// Cycles are those of the core's clock.
struct BismoMachine {
  int dm = 0;                ///< rows of the array (LHS)
  int dk = 0;                ///< bits of a dot-product unit
  int dn = 0;                ///< columns of the array (RHS)
  int lanes = 0;             ///< read ports of one fetch group, dk / port_width
  bool split_fetch = false;  ///< LHS and RHS have a fetch group each
  int write_ports = 0;
  int port_width = 0;  ///< bits of a data port
  int max_burst_beats = 0;
  int memory_latency = 0;  ///< see MemoryConfig
  int memory_bytes_per_cycle = 0;
  int memory_outstanding = 0;
};

/// One instruction of a program, decoded. Counts are counts, not "minus 1" as in the encoding.
struct BismoStep {
  enum class Kind { kFetchLhs, kFetchRhs, kExec, kResult };
  Kind kind = Kind::kExec;

  // Fetch
  bool wait_free = false;
  bool send_filled = false;
  std::uint32_t buffer_base = 0;
  std::uint64_t words = 0;

  // Fetch and result
  std::uint64_t dram_base = 0;
  std::uint64_t lane_stride = 0;

  // Execute
  bool wait_lhs = false;
  bool wait_rhs = false;
  bool free_lhs = false;
  bool free_rhs = false;
  bool accumulate = false;
  bool emit = false;
  int lhs_bits = 1;
  int rhs_bits = 1;
  std::uint32_t lhs_base = 0;
  std::uint32_t rhs_base = 0;
  std::uint32_t k_words = 0;
  std::uint32_t lhs_stride = 0;
  std::uint32_t rhs_stride = 0;
  std::uint32_t lhs_tiles = 0;
  std::uint32_t rhs_tiles = 0;

  // Result
  std::uint64_t tiles = 0;
};

}  // namespace bittern
