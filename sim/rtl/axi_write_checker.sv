// Simulation only: rules of an AXI4 write port (IHI 0022, A3), and the house rules of docs/rtl.md on top: full-width INCR
// bursts, addresses aligned to the beat, in order, data after its address. Both sides are checked. A broken rule is reported
// to the testbench, which ends the run with an error.
module axi_write_checker #(
  parameter string       PortName      = "write",
  parameter int unsigned PortId        = 0,
  parameter int unsigned PortWidth     = 64,
  parameter int unsigned BoundaryBytes = 4096
) (
  input logic                   clk_i,
  input logic                   rst_ni,
  input logic [63:0]            memory_i,
  input logic [31:0]            awaddr_i,
  input logic [7:0]             awlen_i,
  input logic                   awvalid_i,
  input logic                   awready_i,
  input logic [PortWidth-1:0]   wdata_i,
  input logic [PortWidth/8-1:0] wstrb_i,
  input logic                   wlast_i,
  input logic                   wvalid_i,
  input logic                   wready_i,
  input logic [1:0]             bresp_i,
  input logic                   bvalid_i,
  input logic                   bready_i
);
  localparam int unsigned BeatBytes = PortWidth / 8;

  // Lengths of the bursts whose data is not complete, oldest first.
  logic [7:0]  length_q[256];
  logic [7:0]  head_q, tail_q, beat_q, answers_q;
  logic        aw_wait_q, w_wait_q, b_wait_q;
  logic [31:0] awaddr_q;
  logic [7:0]  awlen_q;
  logic [PortWidth-1:0]   wdata_q;
  logic [PortWidth/8-1:0] wstrb_q;
  logic        wlast_q;
  logic [1:0]  bresp_q;
  logic [31:0] burst_bytes, offset;
  logic        w_done, b_done;

  assign burst_bytes = ({24'd0, awlen_i} + 32'd1) * BeatBytes;
  assign offset      = awaddr_i & (BoundaryBytes - 32'd1);
  assign w_done      = wvalid_i && wready_i && wlast_i;
  assign b_done      = bvalid_i && bready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_q    <= 8'd0;
      tail_q    <= 8'd0;
      beat_q    <= 8'd0;
      answers_q <= 8'd0;
      aw_wait_q <= 1'b0;
      w_wait_q  <= 1'b0;
      b_wait_q  <= 1'b0;
    end else begin
      aw_wait_q <= awvalid_i && !awready_i;
      awaddr_q  <= awaddr_i;
      awlen_q   <= awlen_i;
      w_wait_q  <= wvalid_i && !wready_i;
      wdata_q   <= wdata_i;
      wstrb_q   <= wstrb_i;
      wlast_q   <= wlast_i;
      b_wait_q  <= bvalid_i && !bready_i;
      bresp_q   <= bresp_i;
      if (awvalid_i && awready_i) begin
        length_q[tail_q] <= awlen_i;
        tail_q           <= tail_q + 8'd1;
      end
      if (wvalid_i && wready_i) begin
        beat_q <= wlast_i ? 8'd0 : beat_q + 8'd1;
        if (wlast_i) head_q <= head_q + 8'd1;
      end
      answers_q <= answers_q + {7'd0, w_done} - {7'd0, b_done};
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      // Nothing to check.
    end else begin
      assert (!aw_wait_q || awvalid_i)
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "awvalid dropped before awready");
      assert (!aw_wait_q || !awvalid_i || (awaddr_i == awaddr_q && awlen_i == awlen_q))
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "address changed while waiting for awready");
      assert (!awvalid_i || offset + burst_bytes <= BoundaryBytes)
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "write burst crosses its address boundary");
      assert (!awvalid_i || (awaddr_i & (BeatBytes - 32'd1)) == 32'd0)
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "write address is not aligned to the beat");
      assert (!(wvalid_i && wready_i) || head_q != tail_q)
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "write beat without a request");
      assert (!(wvalid_i && wready_i) || head_q == tail_q || wlast_i == (beat_q == length_q[head_q]))
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "wlast on the wrong beat");
      assert (!w_wait_q || wvalid_i)
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "wvalid dropped before wready");
      assert (!w_wait_q || !wvalid_i || (wdata_i == wdata_q && wstrb_i == wstrb_q && wlast_i == wlast_q))
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "write beat changed while waiting for wready");
      assert (!bvalid_i || answers_q != 8'd0)
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "write response without a finished burst");
      assert (!b_wait_q || (bvalid_i && bresp_i == bresp_q))
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "write response changed while waiting for bready");
    end
  end
endmodule
