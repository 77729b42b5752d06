// Faster $countones for Verilated models: the population count instruction instead of
// Verilator 5.006's shifts and masks. Bit-serial arrays do little else, so this doubles their speed
// (bismo_edge 0.69 -> 1.6 MHz, bismo_cloud 0.43 -> 0.9 MHz, bare --cc loop, g++ -O3
// -march=x86-64-v2). Semantics are those of verilated_funcs.h: unused upper bits are zero already.
//
// Give it to the compiler of the generated files:  -include rtl/common/verilator_countones.h
#pragma once

#include <verilated.h>

namespace bittern_verilator {

// Inlined and unrolled at -O2 too: the number of words is a constant everywhere. `value` is
// whatever this Verilator gives for a wide operand: a pointer to its words, or an object with an
// index. The compiler reads each pair of words at once.
template <typename Wide>
__attribute__((always_inline)) static inline IData countones_wide(int words, const Wide& value) {
  IData ones = 0;
  int i = 0;
#pragma GCC unroll 16
  for (; i + 1 < words; i += 2) {
    const QData pair = static_cast<QData>(value[i]) | static_cast<QData>(value[i + 1]) << 32;
    ones += static_cast<IData>(__builtin_popcountll(pair));
  }
  if (i < words) ones += static_cast<IData>(__builtin_popcount(value[i]));
  return ones;
}

}  // namespace bittern_verilator

#define VL_COUNTONES_I(value) static_cast<IData>(__builtin_popcount(value))
#define VL_COUNTONES_Q(value) static_cast<IData>(__builtin_popcountll(value))
#define VL_COUNTONES_W(words, value) bittern_verilator::countones_wide(words, value)
