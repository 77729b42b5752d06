#pragma once

#include <cstdint>

#include "host/cores/stream/stream_model.h"

namespace bittern {

/// What the closed form has to know of a core that multiplies matrices of bit planes (BISMO,
/// Stripes), besides ports and memory: its array.
struct MatrixMachine : StreamMachine {
  const char* core = "";   ///< name for error messages; a literal
  int tile_bits = 0;       ///< of the results of a tile, as written
  bool lhs_serial = true;  ///< the array takes a step for each bit of a serial operand
  bool rhs_serial = true;
  int columns = 1;       ///< staggered: a tile is complete columns - 1 cycles later
  int step_to_tile = 0;  ///< cycles from the last step of a tile until the result stage sees it
  /// Whether the first step of a tile's last word of K waits for a result slot, or the last one.
  bool slot_before_brick = false;
  /// Has the events lhs_buffer_reads, rhs_buffer_reads and array_planes (Stripes), ...
  bool counts_reads = false;
  int planes = 8;  ///< ... and so many bit planes of a parallel operand side by side.
};

/// One instruction of a program, decoded. Counts are counts, not "minus 1" as in the encoding.
struct MatrixStep : StreamStep {
  // Execute
  int lhs_bits = 1;
  int rhs_bits = 1;
  int columns = 1;       ///< staggered
  bool cascade = false;  ///< these share filters
  std::uint32_t lhs_base = 0;
  std::uint32_t rhs_base = 0;
  std::uint32_t k_words = 0;
  std::uint32_t lhs_stride = 0;
  std::uint32_t rhs_stride = 0;
  std::uint32_t lhs_tiles = 0;
  std::uint32_t rhs_tiles = 0;
};

/// The closed form of rtl/bismo and rtl/stripes.
class MatrixModel : private StreamModel {
 public:
  /// `instructions` is the length of the program, END included; it starts on 128 bytes.
  MatrixModel(const MatrixMachine& machine, std::uint64_t instructions);

  /// The next instruction of the program. Throws Error when it would wait forever.
  void step(const MatrixStep& step);

  /// After the last instruction (END is not a step): everything is drained. All events of the
  /// register map.
  ModelResult finish();

 private:
  void exec(const MatrixStep& step);

  MatrixMachine machine_;
  int step_to_tile_;
  std::uint64_t tile_beats_;
  bool open_ = false;
  std::uint64_t exec_run_ = 0;
  std::uint64_t lhs_reads_ = 0;  ///< of the buffer, whatever planes they bring
  std::uint64_t rhs_reads_ = 0;
  std::uint64_t instructions_ = 0;
};

}  // namespace bittern
