#include "host/model/bismo_model.h"

#include <algorithm>

#include "host/base/error.h"

// Time is the number of the cycle since the one in which the shell clears the core, which is the
// first that the cycle counter counts. "Given in c" and the like mean the cycle in which a signal
// is high; registers show it from c + 1 on.

namespace bittern {
namespace {

// rtl/shell/bittern_instr_fetch.sv
constexpr int kFirstRequest = 2;  // clear -> the first request is decided
constexpr int kPrefetch = 32;     // instructions requested and not yet taken
constexpr int kInstructionsPerBurst = 8;
constexpr int kInstructionBeats = 2;

// rtl/bismo: constants that are the same everywhere
constexpr int kAddressToStore = 3;  // last address of a tile -> store, without the array's stages

}  // namespace

void BismoModel::Busy::add(Cycle from, Cycle to) {
  from = std::max(from, end + 1);
  if (to < from) return;
  cycles += to - from + 1;
  end = to;
}

BismoModel::BismoModel(const BismoMachine& machine, std::uint64_t instructions)
    : machine_(machine), instructions_(instructions) {
  const int port_bytes = machine.port_width / 8;
  read_interval_ = std::max(1, (port_bytes + machine.memory_bytes_per_cycle - 1) /
                                   std::max(1, machine.memory_bytes_per_cycle));
  write_interval_ = read_interval_;
  burst_bytes_ = static_cast<std::uint64_t>(machine.max_burst_beats) * port_bytes;
  const auto within = [](int value, int high) { return value >= 1 && value <= high; };
  if (!within(machine.memory_outstanding, 64) || !within(machine.max_outstanding, 64) ||
      !within(machine.queue_depth, 64) || !within(machine.in_flight, 64) ||
      !within(machine.result_slots, 4) || machine.memory_latency < 1 ||
      machine.memory_bytes_per_cycle < 1) {
    fail(
        "BISMO model: memory of latency {}, {} bytes a cycle and {} outstanding bursts, expected "
        "positive numbers and at most 64 bursts; correct the variant",
        machine.memory_latency, machine.memory_bytes_per_cycle, machine.memory_outstanding);
  }
}

void BismoModel::stuck(const char* what) const {
  fail("BISMO model: instruction {} waits forever for {}; the schedule is wrong", handed_, what);
}

/// Cycle in which the next instruction is at the head of the shell's queue at the earliest.
BismoModel::Cycle BismoModel::available() {
  const std::uint64_t index = handed_;
  if (index % kInstructionsPerBurst == 0) {
    const auto size =
        static_cast<int>(std::min<std::uint64_t>(kInstructionsPerBurst, instructions_ - index));
    // The queue must have room for the burst; taking an instruction shows a cycle later.
    const int back = kPrefetch + 1 - size;
    Cycle request = std::max<Cycle>(kFirstRequest, instruction_port_.accepted);
    if (index >= static_cast<std::uint64_t>(back)) {
      request = std::max(request, taken_.before(back) + 1);
    }
    const Cycle accepted =
        std::max(request + 1, instruction_port_.done.before(machine_.memory_outstanding) + 1);
    burst_first_beat_ = std::max(accepted + machine_.memory_latency, instruction_port_.beat + 1);
    instruction_port_.accepted = accepted;
    instruction_port_.beat = burst_first_beat_ + kInstructionBeats * size - 1;
    instruction_port_.done.push(instruction_port_.beat);
  }
  const auto place = static_cast<Cycle>(index % kInstructionsPerBurst);
  return std::max(burst_first_beat_ + kInstructionBeats * (place + 1), taken_.before(1) + 1);
}

/// Moves the next instruction through dispatch; `queue_space` is the earliest cycle in which its
/// queue has room. Returns the cycle in which it is pushed.
BismoModel::Cycle BismoModel::dispatch(Cycle queue_space) {
  const Cycle taken = std::max(available(), leave_first_stage_);
  taken_.push(taken);
  leave_first_stage_ = std::max(taken + 1, pushed_);
  pushed_ = std::max(leave_first_stage_ + 1, queue_space);
  ++handed_;
  return pushed_;
}

/// Loads a burst into the address register of a port at `earliest` or later; `accepted` becomes the
/// cycle in which memory takes it.
BismoModel::Cycle BismoModel::load_burst(Port& port, Cycle earliest, Cycle& accepted) const {
  const Cycle load =
      std::max({earliest, port.accepted, port.done.before(machine_.max_outstanding) + 1});
  accepted = std::max(load + 1, port.done.before(machine_.memory_outstanding) + 1);
  port.accepted = accepted;
  return load;
}

void BismoModel::step(const BismoStep& step) {
  switch (step.kind) {
    case BismoStep::Kind::kFetchLhs:
    case BismoStep::Kind::kFetchRhs:
      return fetch(step);
    case BismoStep::Kind::kExec:
      return exec(step);
    case BismoStep::Kind::kResult:
      return result(step);
  }
}

void BismoModel::fetch(const BismoStep& step) {
  const bool is_rhs = step.kind == BismoStep::Kind::kFetchRhs;
  FetchGroup& group = groups_[is_rhs && machine_.split_fetch ? 1 : 0];
  FetchSide& side = is_rhs ? rhs_ : lhs_;
  const Cycle pushed = dispatch(group.popped.before(machine_.queue_depth) + 1);

  // Taken when it is at the head, a token is there, and the ports have loaded their last bursts.
  const Cycle head = std::max(pushed, group.popped.before(1)) + 1;
  Cycle start = std::max({head, group.last_load, group.fired.before(machine_.in_flight) + 1});
  if (step.wait_free) {
    if (side.free.empty()) stuck("a free token");
    const Cycle token = side.free.front() + 1;
    side.free.pop_front();
    side.wait_token += std::max<Cycle>(0, token - std::max(head, side.last_fired + 1));
    start = std::max(start, token);
  }
  group.popped.push(start);

  std::uint64_t address = step.dram_base;
  std::uint64_t left = step.words;
  Cycle earliest = start + 1;
  const std::uint64_t beat_bytes = machine_.port_width / 8;
  while (left > 0) {
    const std::uint64_t room = (burst_bytes_ - address % burst_bytes_) / beat_bytes;
    const std::uint64_t beats = std::min(room, left);
    Cycle accepted = 0;
    group.last_load = load_burst(group.port, earliest, accepted);
    const Cycle first =
        std::max(accepted + machine_.memory_latency, group.port.beat + read_interval_);
    group.port.beat = first + static_cast<Cycle>(beats - 1) * read_interval_;
    group.port.done.push(group.port.beat);
    earliest = group.last_load + 1;
    address += beats * beat_bytes;
    left -= beats;
  }

  const Cycle fired = std::max(group.port.beat, group.fired.before(1)) + 1;
  group.fired.push(fired);
  side.last_fired = fired;
  if (step.send_filled) side.filled.push_back(fired);
  side.busy.add(start + 1, fired);
  side.beats += step.words;
  ++side.instructions;
}

void BismoModel::exec(const BismoStep& step) {
  const Cycle pushed = dispatch(exec_popped_.before(machine_.queue_depth) + 1);
  Cycle idle = std::max(pushed + 1, exec_end_ + 1);  // first cycle at the head of an idle stage
  Cycle load = std::max({pushed + 1, exec_popped_.before(1) + 1, exec_end_});
  Cycle lhs_there = kNever;
  if (step.wait_lhs) {
    if (lhs_.filled.empty()) stuck("a filled LHS token");
    lhs_there = lhs_.filled.front() + 1;
    lhs_.filled.pop_front();
    load = std::max(load, lhs_there);
    exec_wait_lhs_ += std::max<Cycle>(0, lhs_there - idle);
  }
  if (step.wait_rhs) {
    if (rhs_.filled.empty()) stuck("a filled RHS token");
    const Cycle rhs_there = rhs_.filled.front() + 1;
    rhs_.filled.pop_front();
    load = std::max(load, rhs_there);
    exec_wait_rhs_ += std::max<Cycle>(0, rhs_there - std::max(idle, lhs_there));
  }
  exec_popped_.push(load);

  const Cycle tile_cycles =
      static_cast<Cycle>(step.lhs_bits) * step.rhs_bits * static_cast<Cycle>(step.k_words);
  const std::uint64_t tiles = static_cast<std::uint64_t>(step.lhs_tiles) * step.rhs_tiles;
  Cycle end = load;
  for (std::uint64_t tile = 0; tile < tiles; ++tile) {
    end += tile_cycles;
    if (!open_) {
      const Cycle slot = released_.before(machine_.result_slots) + 1;
      if (slot > end) {
        exec_wait_result_ += slot - end;
        end = slot;
      }
    }
    open_ = !step.emit;
    if (step.emit) write_tile(end + kAddressToStore + machine_.pop_stages + 1);
  }
  exec_run_ += tiles * tile_cycles;
  exec_end_ = end;
  if (step.free_lhs) lhs_.free.push_back(end);
  if (step.free_rhs) rhs_.free.push_back(end);
  ++exec_instructions_;
}

void BismoModel::result(const BismoStep& step) {
  // The queue has room when the instruction `queue_depth` places before is taken. That hangs on
  // tiles of later EXECs when so many wait already.
  const int waiting = static_cast<int>(results_.size());
  if (waiting >= machine_.queue_depth) stuck("room in the result queue");
  const Cycle pushed = dispatch(result_popped_.before(machine_.queue_depth - waiting) + 1);
  results_.push_back({pushed, step.tiles, step.dram_base});
  ++result_instructions_;
}

/// One tile through the result stage; it is counted there from cycle `visible` on.
void BismoModel::write_tile(Cycle visible) {
  if (result_left_ == 0) {
    if (results_.empty()) stuck("a RESULT that writes its tile");
    const Cycle load = std::max(results_.front().pushed + 1, tile_taken_);
    result_left_ = results_.front().tiles;
    result_address_ = results_.front().address;
    result_active_from_ = load + 1;
    results_.pop_front();
    result_popped_.push(load);
  }
  // Taken by all ports together, when they have loaded the last burst of the tile before.
  const Cycle taken = std::max({visible, result_active_from_, write_load_, tile_taken_ + 1});
  result_wait_token_ +=
      std::max<Cycle>(0, visible - std::max(result_active_from_, writing_.end + 1));

  const std::uint64_t beat_bytes = machine_.port_width / 8;
  const std::uint64_t tile_beats = static_cast<std::uint64_t>(machine_.dm) * machine_.dn * 4 /
                                   (beat_bytes * machine_.write_ports);
  std::uint64_t left = tile_beats;
  Cycle earliest = taken + 1;
  while (left > 0) {
    const std::uint64_t room = (burst_bytes_ - result_address_ % burst_bytes_) / beat_bytes;
    const auto beats = static_cast<Cycle>(std::min(room, left));
    Cycle accepted = 0;
    write_load_ = load_burst(write_port_, earliest, accepted);
    // A beat is loaded into the output register while the one before it is transferred, and
    // transferred in the next cycle when memory is ready.
    const Cycle first_load = std::max({write_load_ + 1, beat_load_ + 1, write_port_.beat});
    const Cycle first =
        std::max({first_load + 1, accepted + 1, write_port_.beat + write_interval_});
    write_port_.beat = first + (beats - 1) * write_interval_;
    beat_load_ = beats > 1 ? first + (beats - 2) * write_interval_ : first_load;
    write_port_.response =
        std::max(write_port_.beat + machine_.memory_latency, write_port_.response + 1);
    write_port_.done.push(write_port_.response);
    earliest = write_load_ + 1;
    result_address_ += beats * beat_bytes;
    left -= beats;
  }
  released_.push(beat_load_);
  writing_.add(taken + 1, write_port_.beat);
  tile_taken_ = taken;
  --result_left_;
  result_beats_ += tile_beats;
  ++tiles_;
}

BismoPrediction BismoModel::finish() {
  if (handed_ + 1 != instructions_) {
    fail("BISMO model: {} instructions and END seen, {} announced", handed_, instructions_);
  }
  if (result_left_ != 0 || !results_.empty()) stuck("tiles that RESULT writes");
  const Cycle end_taken = available();
  Cycle idle = std::max({end_taken + 1, exec_end_ + kAddressToStore + machine_.pop_stages + 1,
                         write_port_.response + 1, leave_first_stage_, pushed_ + 1});
  for (const FetchGroup& group : groups_) idle = std::max(idle, group.fired.before(1) + 1);

  BismoPrediction out;
  // The cycle in which everything is seen to be idle is counted too, and so is cycle 0.
  out.cycles = static_cast<std::uint64_t>(idle) + 1;
  const int lanes = machine_.lanes;
  out.events = {
      {"fetch_lhs_run", lhs_.beats},
      {"fetch_lhs_wait_memory", lhs_.busy.cycles - lhs_.beats},
      {"fetch_lhs_wait_token", lhs_.wait_token},
      {"fetch_rhs_run", rhs_.beats},
      {"fetch_rhs_wait_memory", rhs_.busy.cycles - rhs_.beats},
      {"fetch_rhs_wait_token", rhs_.wait_token},
      {"exec_run", exec_run_},
      {"exec_wait_lhs", exec_wait_lhs_},
      {"exec_wait_rhs", exec_wait_rhs_},
      {"exec_wait_result", exec_wait_result_},
      {"result_run", result_beats_},
      {"result_wait_memory", writing_.cycles - result_beats_},
      {"result_wait_token", result_wait_token_},
      {"lhs_buffer_writes", lhs_.beats * lanes},
      {"rhs_buffer_writes", rhs_.beats * lanes},
      {"tiles_emitted", tiles_},
      {"read_beats", (lhs_.beats + rhs_.beats) * lanes},
      {"write_beats", result_beats_ * machine_.write_ports},
      {"instr_fetch_lhs", lhs_.instructions},
      {"instr_fetch_rhs", rhs_.instructions},
      {"instr_exec", exec_instructions_},
      {"instr_result", result_instructions_},
  };
  for (int port = 0; port < lanes; ++port) {
    out.events.emplace_back(fmt::format("read_port_beats[{}]", port),
                            machine_.split_fetch ? lhs_.beats : lhs_.beats + rhs_.beats);
  }
  if (machine_.split_fetch) {
    for (int port = 0; port < lanes; ++port) {
      out.events.emplace_back(fmt::format("read_port_beats[{}]", lanes + port), rhs_.beats);
    }
  }
  for (int port = 0; port < machine_.write_ports; ++port) {
    out.events.emplace_back(fmt::format("write_port_beats[{}]", port), result_beats_);
  }
  return out;
}

}  // namespace bittern
