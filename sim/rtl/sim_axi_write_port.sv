// Simulation only: one AXI4 write port of the memory. Timing is that of WritePort in sim/port_memory.h; this module only
// registers what the memory answers. Idle cycles make no call.
module sim_axi_write_port #(
  parameter int unsigned PortWidth = 64,  // 64 or 256
  parameter int unsigned PortId    = 0
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic [63:0]            memory_i,
  input  logic [31:0]            awaddr_i,
  input  logic [7:0]             awlen_i,
  input  logic                   awvalid_i,
  output logic                   awready_o,
  input  logic [PortWidth-1:0]   wdata_i,
  input  logic [PortWidth/8-1:0] wstrb_i,
  input  logic                   wvalid_i,
  output logic                   wready_o,
  output logic [1:0]             bresp_o,
  output logic                   bvalid_o,
  input  logic                   bready_i
);
  logic       awready_q, wready_q, bvalid_q, active_q;
  logic [1:0] bresp_q;
  logic [31:0] flags;

  assign flags = {29'd0, bvalid_q && bready_i, wvalid_i && wready_q, awvalid_i && awready_q};

  if (PortWidth == 64) begin : gen_64
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        awready_q <= 1'b1;
        wready_q  <= 1'b0;
        bvalid_q  <= 1'b0;
        bresp_q   <= 2'b00;
        active_q  <= 1'b0;
      end else if (active_q || awvalid_i) begin
        automatic int unsigned status;
        status = sim_memory_pkg::bittern_sim_write64(memory_i, PortId, flags, awaddr_i, {24'd0, awlen_i}, wdata_i,
            {24'd0, wstrb_i});
        awready_q <= status[sim_memory_pkg::WriteAwready];
        wready_q  <= status[sim_memory_pkg::WriteWready];
        bvalid_q  <= status[sim_memory_pkg::WriteBvalid];
        bresp_q   <= status[sim_memory_pkg::WriteBrespLsb+:2];
        active_q  <= status[sim_memory_pkg::WriteActive];
      end
    end
  end else begin : gen_256
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        awready_q <= 1'b1;
        wready_q  <= 1'b0;
        bvalid_q  <= 1'b0;
        bresp_q   <= 2'b00;
        active_q  <= 1'b0;
      end else if (active_q || awvalid_i) begin
        automatic int unsigned status;
        status = sim_memory_pkg::bittern_sim_write256(memory_i, PortId, flags, awaddr_i, {24'd0, awlen_i}, wdata_i,
            wstrb_i);
        awready_q <= status[sim_memory_pkg::WriteAwready];
        wready_q  <= status[sim_memory_pkg::WriteWready];
        bvalid_q  <= status[sim_memory_pkg::WriteBvalid];
        bresp_q   <= status[sim_memory_pkg::WriteBrespLsb+:2];
        active_q  <= status[sim_memory_pkg::WriteActive];
      end
    end
  end

  assign awready_o = awready_q;
  assign wready_o  = wready_q;
  assign bresp_o   = bresp_q;
  assign bvalid_o  = bvalid_q;
endmodule
