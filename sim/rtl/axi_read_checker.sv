// Simulation only: rules of an AXI4 read port (IHI 0022, A3: handshake, transaction structure), and the house rules of
// docs/rtl.md on top: full-width INCR bursts, addresses aligned to the beat, in order. Both sides are checked. A broken
// rule is reported to the testbench, which ends the run with an error.
module axi_read_checker #(
  parameter string       PortName      = "read",
  parameter int unsigned PortId        = 0,
  parameter int unsigned PortWidth     = 64,
  parameter int unsigned BoundaryBytes = 4096
) (
  input logic                 clk_i,
  input logic                 rst_ni,
  input logic [63:0]          memory_i,
  input logic [31:0]          araddr_i,
  input logic [7:0]           arlen_i,
  input logic                 arvalid_i,
  input logic                 arready_i,
  input logic [PortWidth-1:0] rdata_i,
  input logic [1:0]           rresp_i,
  input logic                 rlast_i,
  input logic                 rvalid_i,
  input logic                 rready_i
);
  localparam int unsigned BeatBytes = PortWidth / 8;

  // Lengths of the bursts under way, oldest first.
  logic [7:0] length_q[256];
  logic [7:0] head_q, tail_q, beat_q;
  logic       ar_wait_q, r_wait_q;
  logic [31:0] araddr_q;
  logic [7:0]  arlen_q;
  logic [PortWidth-1:0] rdata_q;
  logic [1:0]  rresp_q;
  logic        rlast_q;
  logic [31:0] burst_bytes, offset;

  assign burst_bytes = ({24'd0, arlen_i} + 32'd1) * BeatBytes;
  assign offset      = araddr_i & (BoundaryBytes - 32'd1);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_q    <= 8'd0;
      tail_q    <= 8'd0;
      beat_q    <= 8'd0;
      ar_wait_q <= 1'b0;
      r_wait_q  <= 1'b0;
    end else begin
      ar_wait_q <= arvalid_i && !arready_i;
      araddr_q  <= araddr_i;
      arlen_q   <= arlen_i;
      r_wait_q  <= rvalid_i && !rready_i;
      rdata_q   <= rdata_i;
      rresp_q   <= rresp_i;
      rlast_q   <= rlast_i;
      if (arvalid_i && arready_i) begin
        length_q[tail_q] <= arlen_i;
        tail_q           <= tail_q + 8'd1;
      end
      if (rvalid_i && rready_i) begin
        beat_q <= rlast_i ? 8'd0 : beat_q + 8'd1;
        if (rlast_i) head_q <= head_q + 8'd1;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      // Nothing to check.
    end else begin
      assert (!ar_wait_q || arvalid_i)
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "arvalid dropped before arready");
      assert (!ar_wait_q || !arvalid_i || (araddr_i == araddr_q && arlen_i == arlen_q))
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "address changed while waiting for arready");
      assert (!arvalid_i || offset + burst_bytes <= BoundaryBytes)
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "read burst crosses its address boundary");
      assert (!arvalid_i || (araddr_i & (BeatBytes - 32'd1)) == 32'd0)
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "read address is not aligned to the beat");
      assert (!rvalid_i || head_q != tail_q)
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "read beat without a request");
      assert (!rvalid_i || head_q == tail_q || rlast_i == (beat_q == length_q[head_q]))
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "rlast on the wrong beat");
      assert (!r_wait_q || rvalid_i)
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "rvalid dropped before rready");
      assert (!r_wait_q || !rvalid_i || (rdata_i == rdata_q && rresp_i == rresp_q && rlast_i == rlast_q))
      else sim_memory_pkg::bittern_sim_violation(memory_i, PortName, PortId, "read beat changed while waiting for rready");
    end
  end
endmodule
