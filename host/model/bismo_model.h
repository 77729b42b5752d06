#pragma once

#include <array>
#include <cstdint>
#include <deque>
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

  // Constants of rtl/bismo/bismo_core.sv and its parts.
  int max_outstanding = 8;  ///< bursts a port of the core begins before the first has ended
  int queue_depth = 32;     ///< instructions that wait for each stage
  int in_flight = 8;        ///< FETCH instructions of a group under way
  int pop_stages = 2;       ///< registers of the array before its accumulators
  int result_slots = 2;
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

/// Cycles and events that the RTL counts for a program.
struct BismoPrediction {
  std::uint64_t cycles = 0;
  /// All events of the register map by name, those of single ports as "read_port_beats[0]".
  std::vector<std::pair<std::string, std::uint64_t>> events;
};

/// The closed form of rtl/bismo and rtl/shell with the memory of sim/: when every instruction,
/// burst and tile begins and ends is the maximum over what it waits for, plus a constant. One pass
/// over the program; cost is linear in instructions, bursts and tiles, whatever they compute.
///
/// Meant to equal the RTL cycle for cycle. Constants are those that the header comments of the RTL
/// give; docs/model.md derives them. Assumes what lowering promises: lanes whose regions start at
/// the same place within a burst, so that all ports of a group behave alike.
class BismoModel {
 public:
  /// `instructions` is the length of the program, END included; it starts on 128 bytes.
  BismoModel(const BismoMachine& machine, std::uint64_t instructions);

  /// The next instruction of the program. Throws Error when it would wait forever.
  void step(const BismoStep& step);

  /// After the last instruction (END is not a step): everything is drained.
  BismoPrediction finish();

 private:
  using Cycle = std::int64_t;

  /// The last `kSize` times of a sequence; those before its beginning are in the distant past.
  template <int kSize>
  class History {
   public:
    History() { times_.fill(kNever); }
    void push(Cycle time) { times_[count_++ % kSize] = time; }
    /// Time of the element `back` places before the next one: 1 is the last. back <= kSize.
    Cycle before(int back) const {
      return count_ < static_cast<std::uint64_t>(back) ? kNever : times_[(count_ - back) % kSize];
    }
    std::uint64_t count() const { return count_; }

   private:
    std::array<Cycle, kSize> times_;
    std::uint64_t count_ = 0;
  };

  /// Address channel and data of a read or write port: what bittern_burst and sim/port_memory do.
  struct Port {
    Cycle accepted = kNever;  ///< address of the last burst
    Cycle beat = kNever;      ///< last beat (valid; for writes, transferred)
    Cycle response = kNever;  ///< last write response
    History<64> done;         ///< last read beats or write responses of bursts
  };

  /// Length of the union of intervals that come with rising starts.
  struct Busy {
    Cycle end = kNever;
    std::uint64_t cycles = 0;
    void add(Cycle from, Cycle to);
  };

  /// A fetch group.
  struct FetchGroup {
    Port port;
    History<64> popped;        ///< instructions taken from the queue
    History<64> fired;         ///< instructions complete
    Cycle last_load = kNever;  ///< of the last burst of the last instruction
  };

  /// Counts of one operand.
  struct FetchSide {
    std::deque<Cycle> filled;  ///< tokens given and not taken
    std::deque<Cycle> free;
    Cycle last_fired = kNever;
    Busy busy;
    std::uint64_t beats = 0;  ///< of one port
    std::uint64_t wait_token = 0;
    std::uint64_t instructions = 0;
  };

  struct PendingResult {
    Cycle pushed;
    std::uint64_t tiles;
    std::uint64_t address;
  };

  static constexpr Cycle kNever = -(Cycle{1} << 60);

  Cycle available();
  Cycle load_burst(Port& port, Cycle earliest, Cycle& accepted) const;
  Cycle dispatch(Cycle queue_space);
  void fetch(const BismoStep& step);
  void exec(const BismoStep& step);
  void result(const BismoStep& step);
  void write_tile(Cycle visible);
  [[noreturn]] void stuck(const char* what) const;

  BismoMachine machine_;
  Cycle read_interval_;
  Cycle write_interval_;
  std::uint64_t burst_bytes_;

  // Shell.
  std::uint64_t instructions_;
  std::uint64_t handed_ = 0;  // instructions handed to the core
  std::uint64_t requested_bursts_ = 0;
  Port instruction_port_;
  Cycle instruction_request_ = 0;
  Cycle burst_first_beat_ = 0;
  History<64> taken_;

  // Dispatch.
  Cycle leave_first_stage_ = kNever;
  Cycle pushed_ = kNever;

  // Stages.
  std::array<FetchGroup, 2> groups_;
  FetchSide lhs_;
  FetchSide rhs_;
  History<64> exec_popped_;
  Cycle exec_end_ = kNever;
  bool open_ = false;
  History<4> released_;  // result slots
  History<64> result_popped_;
  std::deque<PendingResult> results_;
  bool result_active_ = false;
  Cycle result_active_from_ = kNever;
  std::uint64_t result_left_ = 0;
  std::uint64_t result_address_ = 0;
  Cycle tile_taken_ = kNever;
  Cycle write_load_ = kNever;  // last burst of the last tile
  Cycle beat_load_ = kNever;
  Port write_port_;
  Busy writing_;

  // Events.
  std::uint64_t exec_run_ = 0;
  std::uint64_t exec_wait_lhs_ = 0;
  std::uint64_t exec_wait_rhs_ = 0;
  std::uint64_t exec_wait_result_ = 0;
  std::uint64_t exec_instructions_ = 0;
  std::uint64_t result_instructions_ = 0;
  std::uint64_t result_beats_ = 0;
  std::uint64_t result_wait_token_ = 0;
  std::uint64_t tiles_ = 0;
};

}  // namespace bittern
