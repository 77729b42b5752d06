#pragma once

#include <cstdint>
#include <string>

#include "host/cores/matrix/matrix_model.h"
#include "host/cores/stream/result_options.h"
#include "host/integer/result_format.h"
#include "host/network/layer.h"
#include "host/variant/variant.h"

namespace bittern {

/// One operand of a core that multiplies matrices: how a stripe of it lies in its buffer.
struct MatrixOperand {
  int rows = 0;           ///< of a stripe: rows of the matrix that the array takes at once
  int words = 1;          ///< fetch words (lanes * port_width bits) that hold a word of K and one
                          ///< bit plane for all rows that share an address; of a parallel operand
  int word_planes = 1;    ///< also planes that share a fetch word
  int depth = 0;          ///< addresses of the buffer
  bool parallel = false;  ///< all bit planes lie side by side at one address
  int copies = 1;         ///< addresses of a word of K when parallel: staggered columns
  int parts = 1;          ///< of the reduction, side by side: rows of a serial operand, copies of a
                          ///< parallel one

  /// Addresses that a word of K takes.
  int addresses(int bits) const { return parallel ? copies : bits; }
  /// Fetch words at each address, one bank each.
  int banks(int bits) const {
    return parallel ? words * ((bits + word_planes - 1) / word_planes) : words;
  }
};

/// A core that multiplies matrices of bit planes, as lowering sees it: BISMO and Stripes, which
/// have fetch, tokens, tiles and results in common. Checked when it is made.
struct MatrixConfig {
  const char* core = "";  ///< name for error messages; a literal
  MatrixOperand lhs;      ///< activations: rows are output pixels of the whole batch
  MatrixOperand rhs;      ///< weights: rows are output channels
  int k_elements = 0;  ///< elements along K of a word: bits of a dot product, channels of a brick
  /// A word of K is a brick: channels of one kernel position, padded with zeros. In memory a brick
  /// of a serial operand is whole integers, packed, which the core cuts into planes, most
  /// significant first; one of a parallel operand is planes side by side, lowest first. Otherwise
  /// words run over kernel positions, and a stripe has one plane behind the other, lowest first.
  bool bricks = false;
  int lanes = 0;             ///< read ports of a fetch group
  bool split_fetch = false;  ///< LHS and RHS have a fetch group each
  int write_ports = 0;
  int port_width = 0;  ///< bits
  int max_burst_beats = 0;
  MemoryConfig memory;
  int depthwise_pack = 1;  ///< channels of a depthwise layer that share one product
  bool by_image = false;   ///< the images of a batch are worked on one after the other

  int tile_units = 0;  ///< results of a tile as written
  ResultOptions results;
  int result_bits = 32;  ///< of the plan at hand, see for_results()
  int max_bits = 8;      ///< of an operand
  /// Staggered columns, 1: none. Each has filters of its own and works on the same window, or, in
  /// cascade, the same filters and a part of the reduction of its own.
  int columns = 1;
  bool cascade = false;
  int max_columns = 1;  ///< that the array can stagger

  // The array, for the closed form; see MatrixMachine.
  int step_to_tile = 0;
  bool slot_before_brick = false;
  bool counts_reads = false;

  // What the instruction fields can hold. Set lower in tests, to see instructions being cut.
  std::uint64_t max_fetch_words = (1u << 24) - 1;
  std::uint64_t max_exec_tiles = 1u << 14;      ///< of one side
  std::int64_t max_exec_words = (1 << 16) - 1;  ///< words of K
  std::uint64_t max_result_tiles = (1u << 24) - 1;

  /// 64-bit words of a port beat.
  int port_words() const { return port_width / 64; }
  /// Bytes of a port beat.
  int port_bytes() const { return port_width / 8; }
  /// Bytes that one result tile takes in each write port's region.
  std::int64_t tile_bytes_per_port() const {
    return static_cast<std::int64_t>(tile_units) * result_bits / 8 / write_ports;
  }
  /// Steps of the array for a word of K: a serial operand takes one for each of its bits.
  int steps(const BitPair& bits) const {
    return (lhs.parallel ? 1 : bits.activation) * (rhs.parallel ? 1 : bits.weight);
  }
  /// The same machine with `count` staggered columns: one window a stripe of LHS, and the filters
  /// of that many columns a stripe of RHS; or, in cascade, those of one.
  MatrixConfig staggered(int count, bool in_cascade) const;
  /// The same machine with results of so many bits: 32, 8, 4 or 2.
  MatrixConfig for_results(int bits) const;
  /// Whether the core serialises this operand (lhs or rhs).
  bool serialises(const MatrixOperand& operand) const { return bricks && !operand.parallel; }
  /// The same parameters for the closed-form model, for operands of these bits.
  MatrixMachine machine(const BitPair& bits) const;
};

/// Fills in ports, memory and lowering choices; `fetch_lanes` are the read ports of a group.
void read_ports(const Variant& variant, int fetch_lanes, MatrixConfig& config);

}  // namespace bittern
