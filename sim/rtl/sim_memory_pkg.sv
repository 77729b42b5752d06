// DPI calls from the port adapters into the memory of the testbench (sim/port_memory.h, sim/dpi.cpp).
//
// `memory` is the address of the PortMemory, handed in on a pin of sim_top. Flags and status words are bit fields, so that
// a call has few arguments: calls happen in every cycle in which a port is active.
package sim_memory_pkg;
  // Status of a read port: outputs of the next cycle.
  localparam int unsigned ReadArready = 0;
  localparam int unsigned ReadRvalid = 1;
  localparam int unsigned ReadRlast = 2;
  localparam int unsigned ReadRrespLsb = 3;
  localparam int unsigned ReadActive = 5;   // call again in the next cycle
  localparam int unsigned ReadNewBeat = 6;  // data holds a new beat
  // Status of a write port.
  localparam int unsigned WriteAwready = 0;
  localparam int unsigned WriteWready = 1;
  localparam int unsigned WriteBvalid = 2;
  localparam int unsigned WriteBrespLsb = 3;
  localparam int unsigned WriteActive = 5;

  // flags: bit 0 address accepted in this cycle, bit 1 beat accepted.
  import "DPI-C" function int unsigned bittern_sim_read64(
    input longint unsigned memory, input int unsigned port_id, input int unsigned flags, input int unsigned araddr,
    input int unsigned arlen, output longint unsigned rdata);
  import "DPI-C" function int unsigned bittern_sim_read256(
    input longint unsigned memory, input int unsigned port_id, input int unsigned flags, input int unsigned araddr,
    input int unsigned arlen, output bit [255:0] rdata);
  // flags: bit 0 address accepted in this cycle, bit 1 beat accepted, bit 2 response accepted.
  import "DPI-C" function int unsigned bittern_sim_write64(
    input longint unsigned memory, input int unsigned port_id, input int unsigned flags, input int unsigned awaddr,
    input int unsigned awlen, input longint unsigned wdata, input int unsigned wstrb);
  import "DPI-C" function int unsigned bittern_sim_write256(
    input longint unsigned memory, input int unsigned port_id, input int unsigned flags, input int unsigned awaddr,
    input int unsigned awlen, input bit [255:0] wdata, input int unsigned wstrb);
  // An AXI rule was broken; the run ends with an error that carries the text.
  import "DPI-C" function void bittern_sim_violation(
    input longint unsigned memory, input string port_name, input int unsigned port_id, input string rule);
endpackage
