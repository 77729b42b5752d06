#pragma once

#include <verilated_fst_c.h>

#include <exception>
#include <memory>
#include <string>
#include <systemc>
#include <utility>

#include "host/base/error.h"
#include "sim/direct_signal.h"
#include "sim/sim_top.h"

namespace bittern::sim {

/// The device memory as a SystemC module. The port adapters in sim_top reach it through DPI.
class MemoryModule : public sc_core::sc_module, public PortMemory {
 public:
  MemoryModule(sc_core::sc_module_name name, const MemoryTiming& timing, std::uint32_t read_ports,
               std::uint32_t write_ports, std::uint32_t port_bytes)
      : sc_core::sc_module(name), PortMemory(timing, read_ports, write_ports, port_bytes) {}
};

/// Verilator declares eval_step() of a SystemC model private, because usually the kernel calls it
/// on every change of a pin. The clock process below calls it itself, see SystemcTop. An explicit
/// instantiation may name private members ([temp.spec]/6), which is how it gets there:
///
///     struct Eval {
///       using Type = void (Vmodel::*)();
///       friend Type eval_of(Eval);
///     };
///     template struct GrantEval<Eval, &Vmodel::eval_step>;
template <typename Tag, typename Tag::Type member>
struct GrantEval {
  friend typename Tag::Type eval_of(Tag) { return member; }
};

/// SystemC testbench of one Verilated sim_top: the model, its clock, its memory.
///
/// The clock is temporally decoupled: one activation of the clock process runs all cycles that were
/// asked for, and SystemC time is moved on by them afterwards. The model and its memory are the
/// only ones that see the clock, so nothing can notice, and a cycle costs two evaluations of the
/// model and no work of the kernel. SystemC allows one elaboration in a process, so one object.
template <typename Model, typename Eval>
class SystemcTop : public sc_core::sc_module, public SimTop {
 public:
  SC_HAS_PROCESS(SystemcTop);

  SystemcTop(sc_core::sc_module_name name, const MemoryTiming& timing, std::uint32_t read_ports,
             std::uint32_t write_ports, std::uint32_t port_bytes, double clock_mhz)
      : sc_core::sc_module(name),
        memory_("memory", timing, read_ports, write_ports, port_bytes),
        memory_pin_(memory_.handle()),
        period_ps_(static_cast<std::uint64_t>(1e6 / clock_mhz + 0.5)) {
    Verilated::traceEverOn(true);
    model_ = std::make_unique<Model>("top");
    model_->clk_i(clock_);
    model_->rst_ni(reset_n_);
    model_->memory_i(memory_pin_);
    model_->command_i(command_);
    model_->response_o(response_);
    SC_METHOD(advance);
    sensitive << go_;
    dont_initialize();
  }
  ~SystemcTop() override { stop_trace(); }

  /// Ends SystemC's elaboration; the model settles with its reset active. Before anything else.
  void elaborate() { sc_core::sc_start(sc_core::SC_ZERO_TIME); }

  std::uint64_t clock(std::uint64_t cycles, std::uint64_t mask, std::uint64_t value) override {
    wanted_ = cycles;
    mask_ = mask;
    value_ = value;
    done_ = 0;
    go_.notify(sc_core::SC_ZERO_TIME);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    if (failure_) {
      std::rethrow_exception(std::exchange(failure_, nullptr));
    }
    cycle_ += done_;
    sc_core::sc_start(sc_core::sc_time::from_value(done_ * period_ps_));
    return done_;
  }

  void set_command(std::uint64_t command) override { command_.write(command); }
  void set_reset(bool active) override { reset_n_.write(!active); }
  std::uint64_t response() const override { return response_.read(); }

  void start_trace(const std::string& path) override {
    stop_trace();
    trace_ = std::make_unique<VerilatedFstC>();
    trace_->set_time_unit("1ps");
    trace_->set_time_resolution("1ps");
    model_->trace(trace_.get(), 99);
    trace_->open(path.c_str());
    if (!trace_->isOpen()) {
      trace_.reset();
      fail("cannot write the trace {}: check the folder and its permissions", path);
    }
    trace_->dump(cycle_ * period_ps_);
  }

  void stop_trace() override {
    if (trace_) {
      trace_->close();
      trace_.reset();
    }
  }

  PortMemory& memory() override { return memory_; }

 private:
  void eval() { ((*model_).*eval_of(Eval{}))(); }

  void advance() {
    try {
      if (trace_) {
        advance_traced();
      } else {
        advance_fast();
      }
    } catch (...) {
      failure_ = std::current_exception();  // must not pass through the kernel
    }
  }

  bool stops() const { return (response_.read() & mask_) == value_ || memory_.violated(); }

  void advance_fast() {
    std::uint64_t done = 0;
    while (done < wanted_) {
      clock_.write(true);
      eval();
      clock_.write(false);
      eval();
      ++done;
      if (stops()) {
        break;
      }
    }
    done_ = done;
  }

  void advance_traced() {
    while (done_ < wanted_) {
      const std::uint64_t time = (cycle_ + done_ + 1) * period_ps_;
      clock_.write(true);
      eval();
      trace_->dump(time);
      clock_.write(false);
      eval();
      trace_->dump(time + period_ps_ / 2);
      ++done_;
      if (stops()) {
        break;
      }
    }
  }

  MemoryModule memory_;
  DirectSignal<bool> clock_{false};
  DirectSignal<bool> reset_n_{false};
  DirectSignal<std::uint64_t> memory_pin_;
  DirectSignal<std::uint64_t> command_{0};
  DirectSignal<std::uint64_t> response_{0};
  std::unique_ptr<Model> model_;
  sc_core::sc_event go_;
  std::uint64_t period_ps_;
  std::uint64_t cycle_ = 0;  // since the start of the process
  std::uint64_t wanted_ = 0;
  std::uint64_t mask_ = 0;
  std::uint64_t value_ = 0;
  std::uint64_t done_ = 0;
  std::exception_ptr failure_;
  std::unique_ptr<VerilatedFstC> trace_;
};

}  // namespace bittern::sim
