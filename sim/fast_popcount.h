// Included before the generated C++ of every model. Verilator 5.006 writes $countones as shifts and additions ("faster than
// __builtin_popcount", which was so without the POPCNT instruction); bit-serial arrays spend most of their time there.
#pragma once

#include "verilated.h"

static inline IData bittern_countones_w(int words, WDataInP const bits) {
  IData sum = 0;
  for (int i = 0; i < words; ++i) {
    sum += static_cast<IData>(__builtin_popcount(bits[i]));
  }
  return sum;
}

#undef VL_COUNTONES_E
#define VL_COUNTONES_E(bits) (static_cast<IData>(__builtin_popcount(bits)))
#define VL_COUNTONES_I(bits) (static_cast<IData>(__builtin_popcount(bits)))
#define VL_COUNTONES_Q(bits) (static_cast<IData>(__builtin_popcountll(bits)))
#define VL_COUNTONES_W(words, bits) bittern_countones_w(words, bits)
