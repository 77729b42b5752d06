// A Verilated design with a clock and a reset.
#pragma once

#include <verilated.h>

#include <memory>

namespace bittern::rtl_test {

/// Owns a model. Set inputs, call settle() to see combinational outputs, tick() for a rising edge.
template <typename Dut>
class Clocked {
 public:
  Clocked()
      : context_(std::make_unique<VerilatedContext>()),
        dut_(std::make_unique<Dut>(context_.get())) {
    dut_->clk_i = 0;
    dut_->eval();  // the first evaluation only takes the levels: an edge in it would be missed
  }
  ~Clocked() { dut_->final(); }
  Dut* operator->() { return dut_.get(); }
  Dut& operator*() { return *dut_; }

  /// Pulses `rst_ni`, where there is one.
  void reset() {
    dut_->rst_ni = 0;
    settle();
    tick();
    dut_->rst_ni = 1;
    settle();
  }
  void settle() { dut_->eval(); }
  void tick() {
    dut_->clk_i = 1;
    dut_->eval();
    dut_->clk_i = 0;
    dut_->eval();
  }

 private:
  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Dut> dut_;
};

}  // namespace bittern::rtl_test
