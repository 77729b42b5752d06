#pragma once

#include <cstdint>

#include "host/model/stream_model.h"

namespace bittern {

/// What the closed form has to know of a BISMO device: the array besides ports and memory.
struct BismoMachine : StreamMachine {
  int dm = 0;          ///< rows of the array (LHS)
  int dk = 0;          ///< bits of a dot-product unit
  int dn = 0;          ///< columns of the array (RHS)
  int pop_stages = 2;  ///< registers of the array before its accumulators (bismo_core.sv)
};

/// One instruction of a program, decoded. Counts are counts, not "minus 1" as in the encoding.
struct BismoStep : StreamStep {
  // Execute
  int lhs_bits = 1;
  int rhs_bits = 1;
  std::uint32_t lhs_base = 0;
  std::uint32_t rhs_base = 0;
  std::uint32_t k_words = 0;
  std::uint32_t lhs_stride = 0;
  std::uint32_t rhs_stride = 0;
  std::uint32_t lhs_tiles = 0;
  std::uint32_t rhs_tiles = 0;
};

/// The closed form of rtl/bismo.
class BismoModel : private StreamModel {
 public:
  /// `instructions` is the length of the program, END included; it starts on 128 bytes.
  BismoModel(const BismoMachine& machine, std::uint64_t instructions);

  /// The next instruction of the program. Throws Error when it would wait forever.
  void step(const BismoStep& step);

  /// After the last instruction (END is not a step): everything is drained. All events of the
  /// register map.
  ModelResult finish();

 private:
  void exec(const BismoStep& step);

  int address_to_tile_;  // last address of a tile -> seen by the result stage
  std::uint64_t tile_beats_;
  bool open_ = false;
  std::uint64_t exec_run_ = 0;
  std::uint64_t instructions_ = 0;
};

}  // namespace bittern
