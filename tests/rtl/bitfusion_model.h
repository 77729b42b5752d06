// What a program does on a BitFusion core, one instruction after another: docs/bitfusion.md in C++,
// without cycles.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "host/cores/bitfusion/bitfusion_isa.h"
#include "tests/rtl/core_harness.h"

namespace bittern::rtl_test {

/// Parameters of the core under test, as in docs/bitfusion.md.
struct BitfusionShape {
  unsigned n = 4;
  unsigned m = 2;
  unsigned ibuf_depth = 128;
  unsigned wbuf_depth = 128;
  unsigned obuf_depth = 64;
  unsigned lanes = 1;
  unsigned read_ports = 1;
  unsigned write_ports = 1;
  unsigned port_bytes = 8;
  unsigned max_burst_beats = 64;

  unsigned lhs_bytes() const { return 4 * n; }  ///< Of a word of the input buffer.
  unsigned rhs_bytes() const { return 4 * n * m; }
  unsigned lhs_banks() const { return lhs_bytes() / (lanes * port_bytes); }
  unsigned rhs_banks() const { return rhs_bytes() / (lanes * port_bytes); }
  unsigned half() const { return obuf_depth / 2; }
  /// Bytes of an output word on one write port.
  unsigned word_bytes() const { return 4 * m / write_ports; }
  /// For the harness.
  operator CorePorts() const;
};

/// Loops and modes, as SETUP and LOOP leave them.
struct BitfusionNest {
  bitfusion_isa::Setup setup;
  std::array<bitfusion_isa::Loop, 8> loops;  ///< `level` is not used.
};

/// One step of a COMPUTE.
struct BitfusionStep {
  std::uint32_t lhs = 0;  ///< Quarter-word addresses, 20 bits.
  std::uint32_t rhs = 0;
  bool first = false;  ///< Of an output.
  bool last = false;
  bool lhs_high = false;  ///< The high byte of a wide operand.
  bool rhs_high = false;
};

/// Bits of an operand in mode 0, 1, 2.
inline unsigned mode_bits(std::uint64_t mode) { return 2u << mode; }
/// Quarters that an operand takes whose partner has this mode.
inline unsigned mode_quarters(std::uint64_t partner_mode) { return 4u >> partner_mode; }

/// All steps of a COMPUTE from these addresses, in order.
std::vector<BitfusionStep> walk(const BitfusionNest& nest, std::uint32_t lhs_base,
                                std::uint32_t rhs_base);

/// Sum of the products of one unit: `lhs` and `rhs` are its operands as they lie in the bytes of
/// the quarters, low byte first.
std::int32_t fusion_unit(std::uint32_t lhs, std::uint32_t rhs, unsigned lhs_bits, unsigned rhs_bits,
                         bool lhs_signed, bool rhs_signed);

/// Runs programs on `memory`. The program must be correct.
class BitfusionModel {
 public:
  BitfusionModel(const BitfusionShape& shape, std::vector<std::uint8_t>& memory);
  void run(const std::vector<InstructionWord>& program);

  std::uint64_t steps = 0;      ///< All steps of all COMPUTEs.
  std::uint64_t outputs = 0;    ///< Output words finished.
  std::uint64_t lhs_reads = 0;  ///< Quarters.
  std::uint64_t rhs_reads = 0;

 private:
  void fetch(const bitfusion_isa::FetchLhs& fetch, std::vector<std::uint8_t>& buffer,
             unsigned word_bytes, unsigned banks);
  void compute(const bitfusion_isa::Compute& compute);
  void store_tiles();

  BitfusionShape shape_;
  std::vector<std::uint8_t>& memory_;
  std::vector<std::uint8_t> ibuf_;
  std::vector<std::uint8_t> wbuf_;
  std::vector<std::uint32_t> tile_;  // the open one, M values a word
  BitfusionNest nest_;
  std::deque<std::vector<std::uint32_t>> tiles_;  // closed and not stored
  struct Pending {
    bitfusion_isa::Store store;
    std::uint64_t done = 0;
  };
  std::deque<Pending> stores_;
};

}  // namespace bittern::rtl_test
