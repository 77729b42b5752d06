#pragma once

#include <verilated.h>

#include <cstdint>
#include <memory>
#include <string>

#include "host/base/error.h"
#include "sim/sim_top.h"

namespace bittern::sim {

/// The same sim_top without SystemC: a bare loop around a Verilator --cc model. The yardstick for
/// the SystemC device.
template <typename Model>
class BareTop : public SimTop {
 public:
  BareTop(const MemoryTiming& timing, std::uint32_t read_ports, std::uint32_t write_ports,
          std::uint32_t port_bytes)
      : memory_(timing, read_ports, write_ports, port_bytes),
        context_(std::make_unique<VerilatedContext>()),
        model_(std::make_unique<Model>(context_.get(), "bare")) {
    model_->memory_i = memory_.handle();
    model_->command_i = 0;
    model_->rst_ni = 0;
    model_->clk_i = 0;
    model_->eval();
  }
  ~BareTop() override { model_->final(); }

  std::uint64_t clock(std::uint64_t cycles, std::uint64_t mask, std::uint64_t value) override {
    std::uint64_t done = 0;
    while (done < cycles) {
      model_->clk_i = 1;
      model_->eval();
      model_->clk_i = 0;
      model_->eval();
      ++done;
      if ((model_->response_o & mask) == value || memory_.violated()) {
        break;
      }
    }
    return done;
  }

  void set_command(std::uint64_t command) override { model_->command_i = command; }
  void set_reset(bool active) override { model_->rst_ni = active ? 0 : 1; }
  std::uint64_t response() const override { return model_->response_o; }
  void start_trace(const std::string& path) override {
    fail("cannot write {}: the bare model is built without tracing", path);
  }
  void stop_trace() override {}
  PortMemory& memory() override { return memory_; }

 private:
  PortMemory memory_;
  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Model> model_;
};

}  // namespace bittern::sim
