#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "host/cores/stream/model_result.h"

namespace bittern {

/// What the closed form of any core has to know of a device: ports, memory system, and the
/// constants of the shell and of rtl/common. Cycles are those of the core's clock.
struct StreamMachine {
  int lanes = 0;             ///< read ports of one fetch group
  bool split_fetch = false;  ///< LHS and RHS have a fetch group each
  int write_ports = 0;
  int port_width = 0;  ///< bits of a data port
  int max_burst_beats = 0;
  /// Cycles that data of LHS or RHS take longer from their port into the buffer than the one of a
  /// plain write, as they go through a serialiser.
  int lhs_fill_delay = 0;
  int rhs_fill_delay = 0;
  int memory_latency = 0;  ///< see MemoryConfig
  int memory_bytes_per_cycle = 0;
  int memory_outstanding = 0;

  int max_outstanding = 8;  ///< bursts a port of the core begins before the first has ended
  int queue_depth = 32;     ///< instructions that wait for each stage
  int in_flight = 8;        ///< fetch instructions of a group under way
  int result_slots = 2;     ///< tiles that the array can be ahead of the write ports
};

/// What the instructions of all cores have in common, decoded: fetches, stores, and the tokens and
/// tiles of what the array executes.
struct StreamStep {
  enum class Kind {
    kFetchLhs,  ///< activations
    kFetchRhs,  ///< weights
    kExec,      ///< anything for the queue of the array
    kResult,    ///< writes finished tiles
  };
  Kind kind = Kind::kExec;

  // Fetch
  bool wait_free = false;
  bool send_filled = false;
  std::uint32_t buffer_base = 0;
  std::uint64_t words = 0;  ///< beats of every port of the group
  int word_beats = 1;       ///< of them, those that fill one word of the buffer

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

  // Result
  std::uint64_t tiles = 0;
};

/// The closed form of what every core shares (rtl/shell, rtl/common, and the memory of sim/): when
/// every instruction, burst and beat begins and ends is the maximum over what it waits for, plus a
/// constant. One pass over the program; cost is linear in instructions, bursts and tiles, whatever
/// they compute. The model of a core derives from it and adds its array.
///
/// Meant to equal the RTL cycle for cycle. Constants are those that the header comments of the RTL
/// give; docs/model.md derives them. Assumes what lowering promises: lanes whose regions start at
/// the same place within a burst, so that all ports of a group behave alike.
class StreamModel {
 protected:
  /// Cycles since the one in which the shell clears the core, the first that is counted. "Given in
  /// c" and the like mean the cycle in which a signal is high; registers show it from c + 1 on.
  using Cycle = std::int64_t;
  static constexpr Cycle kNever = -(Cycle{1} << 60);

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

  /// Length of the union of intervals that come with rising starts.
  struct Busy {
    Cycle end = kNever;
    std::uint64_t cycles = 0;
    void add(Cycle from, Cycle to);
  };

  /// `instructions` is the length of the program, END included; it starts on 128 bytes. `core` is
  /// for error messages. Throws Error for a machine that makes no sense.
  StreamModel(const char* core, const StreamMachine& machine, std::uint64_t instructions);

  /// A fetch instruction.
  void fetch(const StreamStep& step);

  /// Dispatches an instruction that the array takes from its queue without waiting for anything.
  void configure();
  /// Dispatches an instruction to the queue of the array, which takes it when it is at the head,
  /// its tokens are there, `slot` has come (when it waits for one, see free_slot()), and the one
  /// before has issued its last address. Returns that cycle; the first address can be issued in the
  /// next one. Counts exec_wait_lhs, exec_wait_rhs and exec_wait_result, in this order.
  Cycle begin_exec(const StreamStep& step, Cycle slot = kNever);
  /// The instruction that begin_exec() took issues its last address in `end` and gives its free
  /// tokens with it.
  void end_exec(const StreamStep& step, Cycle end);
  /// Cycle from which on a new tile finds a free slot.
  Cycle free_slot() const { return released_.before(machine_.result_slots) + 1; }
  /// `earliest`, or free_slot() when it is later, with exec_wait_result in between: for arrays that
  /// need the slot at the end of a tile.
  Cycle wait_for_slot(Cycle earliest);

  /// When the last beat of a tile is loaded into the output registers of the write ports, and
  /// transferred.
  struct TileEnd {
    Cycle loaded;
    Cycle transferred;
  };
  /// An instruction that writes step.tiles tiles of `tile_beats` beats of every write port, one
  /// behind the other.
  void result(const StreamStep& step, std::uint64_t tile_beats);
  /// A tile that the write ports can take from cycle `visible` on.
  TileEnd write_tile(Cycle visible);
  /// The slot of the tile written last is free in `cycle`.
  void release_slot(Cycle cycle) { released_.push(cycle); }

  /// After the last instruction (END is not handed over): everything is drained, the array in
  /// `array_idle`. Returns cycles and the events of fetch, tokens, tiles and ports.
  ModelResult drain(Cycle array_idle);

  [[noreturn]] void stuck(const char* what) const;

  std::uint64_t results() const { return result_instructions_; }
  /// Cycle of the last address of the array.
  Cycle exec_end() const { return exec_end_; }

 private:
  /// Address channel and data of a read or write port: what bittern_burst and sim/port_memory do.
  struct Port {
    Cycle accepted = kNever;  ///< address of the last burst
    Cycle beat = kNever;      ///< last beat (valid; for writes, transferred)
    Cycle due = 0;            ///< memory is ready for the next beat; in bytes, see pace()
    Cycle response = kNever;  ///< last write response
    History<64> done;         ///< last read beats or write responses of bursts
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
    Cycle last_filled = kNever;  ///< the last data are in the buffer
    Busy busy;
    std::uint64_t beats = 0;  ///< of one port
    std::uint64_t wait_token = 0;
    std::uint64_t instructions = 0;
  };

  struct PendingResult {
    Cycle pushed;
    std::uint64_t tiles;
    std::uint64_t tile_beats;
    std::uint64_t address;
  };

  Cycle available();
  Cycle dispatch(Cycle queue_space);
  Cycle load_burst(Port& port, Cycle earliest, Cycle& accepted) const;
  Cycle earliest_beat(const Port& port, Cycle earliest) const;
  Cycle pace(Port& port, Cycle first, Cycle beats, Cycle* last_but_one = nullptr) const;

  const char* core_;
  StreamMachine machine_;
  Cycle beat_bytes_;
  Cycle rate_;  // bytes that memory moves a cycle and port, at most a beat
  std::uint64_t burst_bytes_;

  // Shell.
  std::uint64_t instructions_;
  std::uint64_t handed_ = 0;  // instructions handed to the core
  Port instruction_port_;
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
  History<4> released_;  // result slots
  History<64> result_popped_;
  std::deque<PendingResult> results_;
  Cycle result_active_from_ = kNever;
  std::uint64_t result_left_ = 0;
  std::uint64_t result_address_ = 0;
  std::uint64_t result_tile_beats_ = 0;
  Cycle tile_taken_ = kNever;
  Cycle write_load_ = kNever;  // last burst of the last tile
  Cycle beat_load_ = kNever;
  Port write_port_;
  Busy writing_;

  // Events.
  std::uint64_t exec_wait_lhs_ = 0;
  std::uint64_t exec_wait_rhs_ = 0;
  std::uint64_t exec_wait_result_ = 0;
  std::uint64_t result_instructions_ = 0;
  std::uint64_t result_beats_ = 0;
  std::uint64_t result_wait_token_ = 0;
  std::uint64_t tiles_ = 0;
};

}  // namespace bittern
