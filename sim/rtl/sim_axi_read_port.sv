// Simulation only: one AXI4 read port of the memory. Timing is that of ReadPort in sim/port_memory.h; this module only
// registers what the memory answers. Idle cycles make no call.
module sim_axi_read_port #(
  parameter int unsigned PortWidth = 64,  // 64 or 256
  parameter int unsigned PortId    = 0
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic [63:0]          memory_i,
  input  logic [31:0]          araddr_i,
  input  logic [7:0]           arlen_i,
  input  logic                 arvalid_i,
  output logic                 arready_o,
  output logic [PortWidth-1:0] rdata_o,
  output logic [1:0]           rresp_o,
  output logic                 rlast_o,
  output logic                 rvalid_o,
  input  logic                 rready_i
);
  logic                 arready_q, rvalid_q, rlast_q, active_q;
  logic [1:0]           rresp_q;
  logic [PortWidth-1:0] rdata_q;
  logic [31:0]          flags;

  assign flags = {30'd0, rvalid_q && rready_i, arvalid_i && arready_q};

  if (PortWidth == 64) begin : gen_64
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        arready_q <= 1'b1;
        rvalid_q  <= 1'b0;
        rlast_q   <= 1'b0;
        rresp_q   <= 2'b00;
        active_q  <= 1'b0;
      end else if (active_q || arvalid_i) begin
        automatic int unsigned status;
        automatic longint unsigned data;
        status = sim_memory_pkg::bittern_sim_read64(memory_i, PortId, flags, araddr_i, {24'd0, arlen_i}, data);
        arready_q <= status[sim_memory_pkg::ReadArready];
        rvalid_q  <= status[sim_memory_pkg::ReadRvalid];
        rlast_q   <= status[sim_memory_pkg::ReadRlast];
        rresp_q   <= status[sim_memory_pkg::ReadRrespLsb+:2];
        active_q  <= status[sim_memory_pkg::ReadActive];
        if (status[sim_memory_pkg::ReadNewBeat]) rdata_q <= data;
      end
    end
  end else begin : gen_256
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        arready_q <= 1'b1;
        rvalid_q  <= 1'b0;
        rlast_q   <= 1'b0;
        rresp_q   <= 2'b00;
        active_q  <= 1'b0;
      end else if (active_q || arvalid_i) begin
        automatic int unsigned status;
        automatic bit [255:0] data;
        status = sim_memory_pkg::bittern_sim_read256(memory_i, PortId, flags, araddr_i, {24'd0, arlen_i}, data);
        arready_q <= status[sim_memory_pkg::ReadArready];
        rvalid_q  <= status[sim_memory_pkg::ReadRvalid];
        rlast_q   <= status[sim_memory_pkg::ReadRlast];
        rresp_q   <= status[sim_memory_pkg::ReadRrespLsb+:2];
        active_q  <= status[sim_memory_pkg::ReadActive];
        if (status[sim_memory_pkg::ReadNewBeat]) rdata_q <= data;
      end
    end
  end

  assign arready_o = arready_q;
  assign rdata_o   = rdata_q;
  assign rresp_o   = rresp_q;
  assign rlast_o   = rlast_q;
  assign rvalid_o  = rvalid_q;
endmodule
