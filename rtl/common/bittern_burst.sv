// Cuts a run of beats into AXI4 INCR bursts and drives the address channel (AR or AW) of one port.
//
// A job is `job_beats_i` beats from byte address `job_addr_i` (aligned to a beat). A burst never crosses a boundary of
// MaxBurstBeats * PortWidth / 8 bytes, and at most MaxOutstanding bursts are between their load into the address register
// and `done_i`.
//
// Latency: job accepted in cycle c -> first burst loaded (`burst_o`) in c+1 -> `valid_o` in c+2. One burst a cycle while
// the channel is ready; the next job is accepted in the cycle in which the last burst of the former is loaded, so there is
// no gap between jobs. A slot given back by `done_i` in cycle c can be used by a load in c+1.
// `stop_i` drops the job; a burst that is already valid stays valid until it is accepted.
module bittern_burst #(
    parameter int unsigned PortWidth      = 64,
    parameter int unsigned MaxBurstBeats  = 256,
    parameter int unsigned BeatsWidth     = 24,
    parameter int unsigned MaxOutstanding = 8
) (
    input  logic                  clk_i,
    input  logic                  rst_ni,
    input  logic                  clear_i,
    input  logic                  stop_i,
    input  logic                  job_valid_i,
    output logic                  job_ready_o,
    input  logic [          31:0] job_addr_i,
    input  logic [BeatsWidth-1:0] job_beats_i,  // at least 1
    output logic [          31:0] addr_o,
    output logic [           7:0] len_o,        // beats - 1
    output logic                  valid_o,
    input  logic                  ready_i,
    output logic                  burst_o,      // a burst is loaded in this cycle ...
    output logic [           7:0] burst_len_o,  // ... of this many beats, minus 1
    input  logic                  done_i,       // a burst has ended (last read beat, or write response)
    output logic                  active_o,     // a job is being cut
    output logic                  outstanding_o // at least one burst is loaded and not done
);
  localparam int unsigned BeatShift = $clog2(PortWidth / 8);
  localparam int unsigned BurstShift = $clog2(MaxBurstBeats);
  localparam int unsigned CountWidth = $clog2(MaxOutstanding + 1);

  logic [          31:0] addr_q;
  logic [BeatsWidth-1:0] left_q;
  logic                  active_q;
  logic [          31:0] a_addr_q;
  logic [           7:0] a_len_q;
  logic                  a_valid_q;
  logic [CountWidth-1:0] count_q;

  logic [  BurstShift:0] room;   // beats up to the next boundary, 1 .. MaxBurstBeats
  logic [  BurstShift:0] beats;  // of the next burst
  logic                  last;
  logic                  load;
  logic                  accept;

  assign room  = (BurstShift + 1)'(MaxBurstBeats) - {1'b0, addr_q[BeatShift+:BurstShift]};
  assign last  = left_q <= BeatsWidth'(room);
  assign beats = last ? left_q[BurstShift:0] : room;
  assign load  = active_q & ~stop_i & (~a_valid_q | ready_i) & (count_q != CountWidth'(MaxOutstanding));

  assign job_ready_o   = ~active_q | (load & last);
  assign accept        = job_valid_i & job_ready_o & ~stop_i;
  assign addr_o        = a_addr_q;
  assign len_o         = a_len_q;
  assign valid_o       = a_valid_q;
  assign burst_o       = load;
  assign burst_len_o   = 8'(beats) - 8'd1;
  assign active_o      = active_q;
  assign outstanding_o = count_q != '0;

  always_ff @(posedge clk_i) begin
    if (accept) begin
      addr_q <= job_addr_i;
      left_q <= job_beats_i;
    end else if (load) begin
      addr_q <= addr_q + {{(31 - BurstShift - BeatShift) {1'b0}}, beats, {BeatShift{1'b0}}};
      left_q <= left_q - BeatsWidth'(beats);
    end
    if (load) begin
      a_addr_q <= addr_q;
      a_len_q  <= burst_len_o;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q  <= 1'b0;
      a_valid_q <= 1'b0;
      count_q   <= '0;
    end else if (clear_i) begin
      active_q  <= 1'b0;
      a_valid_q <= 1'b0;
      count_q   <= '0;
    end else begin
      active_q  <= ~stop_i & (accept | (active_q & ~(load & last)));
      a_valid_q <= load | (a_valid_q & ~ready_i);
      if (load != done_i) count_q <= load ? count_q + CountWidth'(1) : count_q - CountWidth'(1);
    end
  end
endmodule
