#include "host/cores/stream/stream_model.h"

#include <algorithm>

#include "host/base/ceil_div.h"
#include "host/base/error.h"

namespace bittern {
namespace {

// rtl/shell/bittern_instr_fetch.sv
constexpr int kFirstRequest = 2;  // clear -> the first request is decided
constexpr int kPrefetch = 32;     // instructions requested and not yet taken
constexpr int kInstructionsPerBurst = 8;
constexpr int kInstructionBeats = 2;

}  // namespace

void StreamModel::Busy::add(Cycle from, Cycle to) {
  from = std::max(from, end + 1);
  if (to < from) return;
  cycles += to - from + 1;
  end = to;
}

StreamModel::StreamModel(const char* core, const StreamMachine& machine, std::uint64_t instructions)
    : core_(core), machine_(machine), instructions_(instructions) {
  beat_bytes_ = machine.port_width / 8;
  rate_ = std::min<Cycle>(beat_bytes_, machine.memory_bytes_per_cycle);
  burst_bytes_ = static_cast<std::uint64_t>(machine.max_burst_beats) * beat_bytes_;
  const auto within = [](int value, int high) { return value >= 1 && value <= high; };
  if (!within(machine.memory_outstanding, 64) || !within(machine.max_outstanding, 64) ||
      !within(machine.queue_depth, 64) || !within(machine.in_flight, 64) ||
      !within(machine.result_slots, 4) || machine.memory_latency < 1 ||
      machine.memory_bytes_per_cycle < 1) {
    fail(
        "{} model: memory of latency {}, {} bytes a cycle and {} outstanding bursts, expected "
        "positive numbers and at most 64 bursts; correct the variant",
        core_, machine.memory_latency, machine.memory_bytes_per_cycle, machine.memory_outstanding);
  }
}

void StreamModel::stuck(const char* what) const {
  fail("{} model: instruction {} waits forever for {}; the schedule is wrong", core_, handed_,
       what);
}

/// Cycle in which the next instruction is at the head of the shell's queue at the earliest.
StreamModel::Cycle StreamModel::available() {
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
StreamModel::Cycle StreamModel::dispatch(Cycle queue_space) {
  const Cycle taken = std::max(available(), leave_first_stage_);
  taken_.push(taken);
  leave_first_stage_ = std::max(taken + 1, pushed_);
  pushed_ = std::max(leave_first_stage_ + 1, queue_space);
  ++handed_;
  return pushed_;
}

/// Loads a burst into the address register of a port at `earliest` or later; `accepted` becomes the
/// cycle in which memory takes it.
StreamModel::Cycle StreamModel::load_burst(Port& port, Cycle earliest, Cycle& accepted) const {
  const Cycle load =
      std::max({earliest, port.accepted, port.done.before(machine_.max_outstanding) + 1});
  accepted = std::max(load + 1, port.done.before(machine_.memory_outstanding) + 1);
  port.accepted = accepted;
  return load;
}

/// First cycle from `earliest` on in which memory is ready for a beat of the port.
StreamModel::Cycle StreamModel::earliest_beat(const Port& port, Cycle earliest) const {
  return std::max(earliest, ceil_div(port.due, rate_));
}

/// Moves `beats` beats of which the first goes in `first`; memory is ready for each one
/// beat / rate cycles (not rounded) after it was ready for the one before, or counted
/// from the beat itself when that came later. Returns the cycle of the last beat.
StreamModel::Cycle StreamModel::pace(Port& port, Cycle first, Cycle beats,
                                     Cycle* last_but_one) const {
  const Cycle ready = first == ceil_div(port.due, rate_) ? port.due : first * rate_;
  const auto beat = [&](Cycle index) {
    return index == 0 ? first : ceil_div(ready + index * beat_bytes_, rate_);
  };
  if (last_but_one != nullptr && beats > 1) *last_but_one = beat(beats - 2);
  port.due = ready + beats * beat_bytes_;
  port.beat = beat(beats - 1);
  return port.beat;
}

void StreamModel::fetch(const StreamStep& step) {
  const bool is_rhs = step.kind == StreamStep::Kind::kFetchRhs;
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
  while (left > 0) {
    const std::uint64_t room = (burst_bytes_ - address % burst_bytes_) / beat_bytes_;
    const std::uint64_t beats = std::min(room, left);
    Cycle accepted = 0;
    group.last_load = load_burst(group.port, earliest, accepted);
    pace(group.port, earliest_beat(group.port, accepted + machine_.memory_latency),
         static_cast<Cycle>(beats));
    group.port.done.push(group.port.beat);
    earliest = group.last_load + 1;
    address += beats * beat_bytes_;
    left -= beats;
  }

  const Cycle fired = std::max(group.port.beat, group.fired.before(1)) + 1;
  group.fired.push(fired);
  side.last_fired = fired;
  side.last_filled = fired + (is_rhs ? machine_.rhs_fill_delay : machine_.lhs_fill_delay);
  if (step.send_filled) side.filled.push_back(side.last_filled);
  side.busy.add(start + 1, fired);
  side.beats += step.words;
  ++side.instructions;
}

void StreamModel::configure() {
  const Cycle pushed = dispatch(exec_popped_.before(machine_.queue_depth) + 1);
  exec_popped_.push(std::max(pushed, exec_popped_.before(1)) + 1);
}

StreamModel::Cycle StreamModel::begin_exec(const StreamStep& step, Cycle slot) {
  const Cycle pushed = dispatch(exec_popped_.before(machine_.queue_depth) + 1);
  const Cycle head = std::max(pushed, exec_popped_.before(1)) + 1;
  Cycle load = std::max(head, exec_end_);
  Cycle waits_from = std::max(head, exec_end_ + 1);  // at the head of an idle stage
  const auto wait = [&](Cycle there, std::uint64_t& counter) {
    load = std::max(load, there);
    counter += std::max<Cycle>(0, there - waits_from);
    waits_from = std::max(waits_from, there);
  };
  const auto token = [&](FetchSide& side, const char* what, std::uint64_t& counter) {
    if (side.filled.empty()) stuck(what);
    wait(side.filled.front() + 1, counter);
    side.filled.pop_front();
  };
  if (step.wait_lhs) token(lhs_, "a filled LHS token", exec_wait_lhs_);
  if (step.wait_rhs) token(rhs_, "a filled RHS token", exec_wait_rhs_);
  wait(slot, exec_wait_result_);
  exec_popped_.push(load);
  return load;
}

void StreamModel::end_exec(const StreamStep& step, Cycle end) {
  exec_end_ = end;
  if (step.free_lhs) lhs_.free.push_back(end);
  if (step.free_rhs) rhs_.free.push_back(end);
}

StreamModel::Cycle StreamModel::wait_for_slot(Cycle earliest) {
  const Cycle slot = free_slot();
  if (slot <= earliest) return earliest;
  exec_wait_result_ += slot - earliest;
  return slot;
}

void StreamModel::result(const StreamStep& step, std::uint64_t tile_beats) {
  // The queue has room when the instruction `queue_depth` places before is taken. That hangs on
  // tiles of later instructions when so many wait already.
  const int waiting = static_cast<int>(results_.size());
  if (waiting >= machine_.queue_depth) stuck("room in the result queue");
  const Cycle pushed = dispatch(result_popped_.before(machine_.queue_depth - waiting) + 1);
  results_.push_back({pushed, step.tiles, tile_beats, step.dram_base});
  ++result_instructions_;
}

/// One tile through the result stage; it is counted there from cycle `visible` on.
StreamModel::TileEnd StreamModel::write_tile(Cycle visible) {
  if (result_left_ == 0) {
    if (results_.empty()) stuck("a RESULT that writes its tile");
    const Cycle load = std::max(results_.front().pushed + 1, tile_taken_);
    result_left_ = results_.front().tiles;
    result_address_ = results_.front().address;
    result_tile_beats_ = results_.front().tile_beats;
    result_active_from_ = load + 1;
    results_.pop_front();
    result_popped_.push(load);
  }
  // Taken by all ports together, when they have loaded the last burst of the tile before.
  const Cycle taken = std::max({visible, result_active_from_, write_load_, tile_taken_ + 1});
  result_wait_token_ +=
      std::max<Cycle>(0, visible - std::max(result_active_from_, writing_.end + 1));

  std::uint64_t left = result_tile_beats_;
  Cycle earliest = taken + 1;
  while (left > 0) {
    const std::uint64_t room = (burst_bytes_ - result_address_ % burst_bytes_) / beat_bytes_;
    const std::uint64_t beats = std::min(room, left);
    Cycle accepted = 0;
    write_load_ = load_burst(write_port_, earliest, accepted);
    // A beat is loaded into the output register while the one before it is transferred, and
    // transferred in the next cycle when memory is ready.
    const Cycle first_load = std::max({write_load_ + 1, beat_load_ + 1, write_port_.beat});
    const Cycle first = earliest_beat(write_port_, std::max(first_load + 1, accepted + 1));
    beat_load_ = first_load;
    pace(write_port_, first, static_cast<Cycle>(beats), &beat_load_);
    write_port_.response =
        std::max(write_port_.beat + machine_.memory_latency, write_port_.response + 1);
    write_port_.done.push(write_port_.response);
    earliest = write_load_ + 1;
    result_address_ += beats * beat_bytes_;
    left -= beats;
  }
  writing_.add(taken + 1, write_port_.beat);
  tile_taken_ = taken;
  --result_left_;
  result_beats_ += result_tile_beats_;
  ++tiles_;
  return {beat_load_, write_port_.beat};
}

ModelResult StreamModel::drain(Cycle array_idle) {
  if (handed_ + 1 != instructions_) {
    fail("{} model: {} instructions and END seen, {} announced", core_, handed_, instructions_);
  }
  if (result_left_ != 0 || !results_.empty()) stuck("tiles that RESULT writes");
  const Cycle end_taken = available();
  Cycle idle = std::max(
      {end_taken + 1, array_idle, write_port_.response + 1, leave_first_stage_, pushed_ + 1});
  idle = std::max({idle, lhs_.last_filled + 1, rhs_.last_filled + 1});

  ModelResult out;
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
