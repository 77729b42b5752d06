// Runs programs on a Verilated core the way the shell does: hands over instructions, raises
// halt after the first error, and ends when everything was accepted and the core is idle.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/rtl/axi_memory.h"

namespace bittern::rtl_test {

/// An instruction of any core, as in its `<core>_isa.h`.
using InstructionWord = std::array<std::uint64_t, 2>;

/// What a core under test has on its sides.
struct CorePorts {
  unsigned read_ports = 1;
  unsigned write_ports = 1;
  unsigned port_bytes = 8;
  unsigned max_burst_beats = 64;
  unsigned fixed_events = 0;  ///< Events without those of single ports.
};

/// What a run left behind.
struct RunResult {
  std::uint64_t cycles = 0;  ///< From the first offered instruction until idle.
  unsigned error_code = 0;
  std::vector<std::uint64_t> events;  ///< Sums, in the order of register_map.json.
};

/// Options of a run.
struct RunOptions {
  std::uint64_t max_cycles = 200000;
  unsigned gap_percent = 0;     ///< Chance that no instruction is offered in a cycle.
  std::uint32_t mem_limit = 0;  ///< See register `mem_limit`.
};

/// Owns one core and the memory behind it.
template <typename Dut>
class CoreHarness {
 public:
  CoreHarness(const CorePorts& ports, MemoryConfig memory, std::size_t memory_bytes,
              std::uint32_t seed)
      : ports_(ports),
        context_(std::make_unique<VerilatedContext>()),
        dut_(std::make_unique<Dut>(context_.get())),
        rng_(seed),
        memory_(fill(ports, memory), memory_bytes, seed) {
    dut_->rst_ni = 0;
    dut_->clk_i = 0;
    dut_->eval();
    tick();
    dut_->rst_ni = 1;
  }
  ~CoreHarness() { dut_->final(); }

  AxiMemory& memory() { return memory_; }
  Dut& dut() { return *dut_; }

  /// Runs `program` (no END). Throws std::runtime_error when it does not end.
  RunResult run(const std::vector<InstructionWord>& program, const RunOptions& options = {}) {
    return run(program, options, [](const Dut&, std::uint64_t) {});
  }

  /// The same, and calls `observe(dut, cycle)` in every cycle when all outputs have settled.
  template <typename Observer>
  RunResult run(const std::vector<InstructionWord>& program, const RunOptions& options,
                Observer observe) {
    RunResult result;
    result.events.assign(ports_.fixed_events + ports_.read_ports + ports_.write_ports, 0);
    dut_->mem_limit_i = options.mem_limit;
    dut_->halt_i = 0;
    dut_->clear_i = 1;
    dut_->instr_valid_i = 0;
    memory_.drive(*dut_);
    dut_->eval();
    tick();
    dut_->clear_i = 0;
    std::size_t next = 0;
    bool offered = false;
    bool halt = false;
    for (;;) {
      if (!offered) offered = next < program.size() && rng_() % 100 >= options.gap_percent;
      dut_->instr_valid_i = offered;
      for (unsigned i = 0; i < 4; ++i) {
        dut_->instr_data_i[i] =
            next < program.size()
                ? static_cast<std::uint32_t>(program[next][i / 2] >> (32 * (i % 2)))
                : 0;
      }
      dut_->halt_i = halt;
      memory_.drive(*dut_);
      dut_->eval();
      if (next == program.size() && !dut_->busy_o) break;
      observe(*dut_, result.cycles);
      for (std::size_t e = 0; e < result.events.size(); ++e) {
        result.events[e] += get_bits(dut_->event_o, 4 * e, 4);
      }
      if (dut_->error_valid_o && result.error_code == 0) {
        result.error_code = dut_->error_code_o;
        halt = true;
      }
      if (offered && dut_->instr_ready_o) {
        ++next;
        offered = false;
      }
      for (unsigned b = 0; b < ports_.write_ports * ports_.port_bytes; ++b) {
        if (!get_bits(dut_->m_wr_wstrb_o, b, 1)) throw std::runtime_error("W strobes not all set");
      }
      memory_.sample(*dut_);
      tick();
      if (++result.cycles > options.max_cycles) {
        throw std::runtime_error("program did not end after " + std::to_string(result.cycles) +
                                 " cycles, instruction " + std::to_string(next) + " of " +
                                 std::to_string(program.size()));
      }
    }
    if (!memory_.idle()) throw std::runtime_error("busy_o fell with bursts outstanding");
    if (!memory_.violation().empty()) throw std::runtime_error(memory_.violation());
    return result;
  }

 private:
  static MemoryConfig fill(const CorePorts& ports, MemoryConfig memory) {
    memory.read_ports = ports.read_ports;
    memory.write_ports = ports.write_ports;
    memory.port_bytes = ports.port_bytes;
    memory.max_burst_beats = ports.max_burst_beats;
    return memory;
  }
  void tick() {
    dut_->clk_i = 1;
    dut_->eval();
    dut_->clk_i = 0;
    dut_->eval();
  }

  CorePorts ports_;
  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Dut> dut_;
  std::mt19937 rng_;
  AxiMemory memory_;
};

}  // namespace bittern::rtl_test
