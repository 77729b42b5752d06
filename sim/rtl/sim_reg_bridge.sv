// Simulation only: register accesses from two 64-bit pins of the testbench to the AXI4-Lite slave of the shell.
//
// command_i: bit 0..31 write data, 32..43 address, 44..47 strobes, 48 write, 49 request (toggles for every access),
// 50 hold back the write address for 3 cycles, 51 the write data (for tests: they may arrive in either order).
// response_o: bit 0..31 read data, 32 error response, 33 toggle of the access that was answered last, 34 irq.
// Latency: a read is answered 6 cycles after its request, a write 5.
module sim_reg_bridge (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic [63:0] command_i,
  output logic [63:0] response_o,
  input  logic        irq_i,

  output logic [11:0] axil_awaddr_o,
  output logic        axil_awvalid_o,
  input  logic        axil_awready_i,
  output logic [31:0] axil_wdata_o,
  output logic [3:0]  axil_wstrb_o,
  output logic        axil_wvalid_o,
  input  logic        axil_wready_i,
  input  logic [1:0]  axil_bresp_i,
  input  logic        axil_bvalid_i,
  output logic        axil_bready_o,
  output logic [11:0] axil_araddr_o,
  output logic        axil_arvalid_o,
  input  logic        axil_arready_i,
  input  logic [31:0] axil_rdata_i,
  input  logic [1:0]  axil_rresp_i,
  input  logic        axil_rvalid_i,
  output logic        axil_rready_o
);
  logic        awvalid_q, wvalid_q, arvalid_q, taken_q, answered_q, error_q;
  logic [1:0]  wait_q;
  logic [31:0] rdata_q;
  logic        request, is_write;

  assign is_write = command_i[48];
  assign request  = command_i[49] != taken_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      // The testbench holds its toggle at 0 during reset, so an access that was under way is forgotten.
      awvalid_q  <= 1'b0;
      wvalid_q   <= 1'b0;
      arvalid_q  <= 1'b0;
      wait_q     <= 2'd0;
      taken_q    <= 1'b0;
      answered_q <= 1'b0;
      error_q    <= 1'b0;
      rdata_q    <= 32'd0;
    end else begin
      if (request) begin
        taken_q   <= command_i[49];
        awvalid_q <= is_write;
        wvalid_q  <= is_write;
        arvalid_q <= !is_write;
        wait_q    <= 2'd3;
      end else begin
        if (wait_q != 2'd0) wait_q <= wait_q - 2'd1;
        if (axil_awvalid_o && axil_awready_i) awvalid_q <= 1'b0;
        if (axil_wvalid_o && axil_wready_i) wvalid_q <= 1'b0;
        if (axil_arready_i) arvalid_q <= 1'b0;
      end
      if (axil_bvalid_i) begin
        answered_q <= taken_q;
        error_q    <= axil_bresp_i[1];
      end
      if (axil_rvalid_i) begin
        answered_q <= taken_q;
        error_q    <= axil_rresp_i[1];
        rdata_q    <= axil_rdata_i;
      end
    end
  end

  assign axil_awaddr_o  = command_i[43:32];
  assign axil_awvalid_o = awvalid_q && !(command_i[50] && wait_q != 2'd0);
  assign axil_wdata_o   = command_i[31:0];
  assign axil_wstrb_o   = command_i[47:44];
  assign axil_wvalid_o  = wvalid_q && !(command_i[51] && wait_q != 2'd0);
  assign axil_bready_o  = 1'b1;
  assign axil_araddr_o  = command_i[43:32];
  assign axil_arvalid_o = arvalid_q;
  assign axil_rready_o  = 1'b1;
  assign response_o     = {29'd0, irq_i, answered_q, error_q, rdata_q};

  logic unused;
  assign unused = ^{command_i[63:52], axil_bresp_i[0], axil_rresp_i[0]};
endmodule
