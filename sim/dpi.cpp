// The C functions that sim_memory_pkg.sv imports. They hold no state: the object to act on comes as
// an argument.
#include <cstdint>
#include <string>

#include "sim/port_memory.h"

namespace {

bittern::sim::PortMemory& memory_at(unsigned long long handle) {
  // The address that SimulatedDevice gave the model; RTL carries it as a number.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return *reinterpret_cast<bittern::sim::PortMemory*>(static_cast<std::uintptr_t>(handle));
}

}  // namespace

// Prototypes as Verilator generates them (svdpi.h: bit vectors are arrays of 32-bit words).
extern "C" {

unsigned int bittern_sim_read64(unsigned long long memory, unsigned int port_id, unsigned int flags,
                                unsigned int araddr, unsigned int arlen,
                                unsigned long long* rdata) {
  return memory_at(memory).read_port(port_id).tick(flags, araddr, arlen, rdata);
}

unsigned int bittern_sim_read256(unsigned long long memory, unsigned int port_id,
                                 unsigned int flags, unsigned int araddr, unsigned int arlen,
                                 std::uint32_t* rdata) {
  return memory_at(memory).read_port(port_id).tick(flags, araddr, arlen, rdata);
}

unsigned int bittern_sim_write64(unsigned long long memory, unsigned int port_id,
                                 unsigned int flags, unsigned int awaddr, unsigned int awlen,
                                 unsigned long long wdata, unsigned int wstrb) {
  return memory_at(memory).write_port(port_id).tick(flags, awaddr, awlen, &wdata, wstrb);
}

unsigned int bittern_sim_write256(unsigned long long memory, unsigned int port_id,
                                  unsigned int flags, unsigned int awaddr, unsigned int awlen,
                                  const std::uint32_t* wdata, unsigned int wstrb) {
  return memory_at(memory).write_port(port_id).tick(flags, awaddr, awlen, wdata, wstrb);
}

void bittern_sim_violation(unsigned long long memory, const char* port_name, unsigned int port_id,
                           const char* rule) {
  memory_at(memory).report_violation(std::string("AXI ") + port_name + " port " +
                                     std::to_string(port_id) + ": " + rule);
}

}  // extern "C"
