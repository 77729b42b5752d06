// Puts the inputs of the model in C++ onto Verilated dot-product units and arrays.
#pragma once

#include <algorithm>
#include <vector>

#include "tests/rtl/dpa_model.h"
#include "tests/rtl/signals.h"

namespace bittern::rtl_test {

// The two shapes that are built, see CMakeLists.txt.
inline constexpr DpaShape kTwoStages{4, 256, 2, 4, 2};
inline constexpr DpaShape kOneStage{2, 64, 4, 1, 1};

/// Sets a port of any width, bit 0 first.
template <typename Port>
void set_vector(Port& port, const std::vector<bool>& bits) {
  for (unsigned lsb = 0; lsb < bits.size(); lsb += 64) {
    std::uint64_t word = 0;
    for (unsigned b = 0; b < 64 && lsb + b < bits.size(); ++b) {
      word |= std::uint64_t{bits[lsb + b]} << b;
    }
    set_bits(port, lsb, static_cast<unsigned>(std::min<std::size_t>(64, bits.size() - lsb)), word);
  }
}

/// Inputs of an array.
template <typename Dut>
void apply(Dut& dut, const DpaInput& in) {
  dut.valid_i = in.valid;
  dut.clear_i = in.clear;
  dut.shift_i = in.shift;
  dut.negate_i = in.negate;
  dut.last_i = in.last;
  dut.tag_i = in.tag;
  set_vector(dut.lhs_i, in.lhs);
  set_vector(dut.rhs_i, in.rhs);
}

/// Accumulators of an array, [m][n].
template <typename Dut>
std::vector<std::uint32_t> accumulators(const Dut& dut, const DpaShape& shape) {
  std::vector<std::uint32_t> out;
  for (unsigned k = 0; k < shape.dm * shape.dn; ++k) {
    out.push_back(static_cast<std::uint32_t>(get_bits(dut.acc_o, 32 * k, 32)));
  }
  return out;
}

/// Inputs of a single unit in cycle `i`, whose stages are enabled and whose accumulator is
/// controlled from outside.
template <typename Dut>
void apply_unit(Dut& dut, const std::vector<DpaInput>& inputs, std::size_t i, unsigned pop_stages) {
  unsigned valid = 0;
  for (unsigned s = 0; s <= pop_stages; ++s) {
    valid |= (i >= s && inputs[i - s].valid ? 1u : 0u) << s;
  }
  dut.valid_i = static_cast<CData>(valid);
  const DpaInput& at_acc = inputs[i >= pop_stages ? i - pop_stages : 0];
  dut.acc_clear_i = at_acc.clear;
  dut.acc_shift_i = at_acc.shift;
  dut.acc_negate_i = at_acc.negate;
  set_vector(dut.lhs_i, inputs[i].lhs);
  set_vector(dut.rhs_i, inputs[i].rhs);
}

}  // namespace bittern::rtl_test
