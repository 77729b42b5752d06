#pragma once

#include <array>
#include <cstdint>

#include "host/cores/stream/stream_model.h"

namespace bittern {

/// What the closed form has to know of a BitFusion device: the array besides ports and memory.
struct BitFusionMachine : StreamMachine {
  int n = 0;             ///< rows of the array (reduction)
  int m = 0;             ///< columns of the array (output channels)
  int result_bits = 32;  ///< as written
};

/// One instruction of a program, decoded. Counts are counts, not "minus 1" as in the encoding.
struct BitFusionStep : StreamStep {
  static constexpr int kLevels = 8;
  static constexpr int kReductionLevels = 4;  ///< the inner ones; the rest are outputs

  /// What an instruction of the array's queue (kExec) is.
  enum class Op { kCompute, kSetup, kLoop };
  Op op = Op::kCompute;

  // COMPUTE: quarter words.
  std::uint32_t lhs_base = 0;
  std::uint32_t rhs_base = 0;

  // SETUP: bits of an operand in a step (2, 4 or 8).
  int lhs_bits = 2;
  int rhs_bits = 2;
  bool lhs_wide = false;  ///< 16 bits: level 2 walks the two bytes
  bool rhs_wide = false;  ///< 16 bits: level 3 does

  // LOOP
  int level = 0;
  std::uint32_t iterations = 1;
  std::int32_t lhs_jump = 0;  ///< quarter words
  std::int32_t rhs_jump = 0;

  // STORE
  std::uint32_t store_words = 0;  ///< of M * 32 bits, a tile
};

/// The closed form of rtl/bitfusion: steps of the walker, array, halves of the output buffer.
/// docs/bitfusion.md has its table.
class BitFusionModel : private StreamModel {
 public:
  /// `instructions` is the length of the program, END included; it starts on 128 bytes.
  BitFusionModel(const BitFusionMachine& machine, std::uint64_t instructions);

  /// The next instruction of the program. Throws Error when it would wait forever.
  void step(const BitFusionStep& step);

  /// After the last instruction (END is not a step): everything is drained. All events of the
  /// register map.
  ModelResult finish();

 private:
  void compute(const BitFusionStep& step);

  int step_to_word_;  // step -> output word written, and tile seen by the store stage
  std::uint64_t word_bits_;
  std::uint64_t beat_bits_;  // of all write ports

  std::array<std::uint64_t, BitFusionStep::kLevels> iterations_;
  std::uint64_t lhs_quarters_ = 4;  // read by a step
  std::uint64_t rhs_quarters_ = 4;
  bool open_ = false;  // the last COMPUTE did not emit

  std::uint64_t steps_ = 0;
  std::uint64_t drain_ = 0;
  std::uint64_t lhs_reads_ = 0;
  std::uint64_t rhs_reads_ = 0;
  std::uint64_t words_written_ = 0;
  std::uint64_t words_read_ = 0;
  std::uint64_t computes_ = 0;
  std::uint64_t setups_ = 0;
  std::uint64_t loops_ = 0;
};

}  // namespace bittern
