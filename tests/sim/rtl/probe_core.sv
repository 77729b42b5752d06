// Test-only core that drives its AXI pins from a script in the program, right or wrong, one line for [15:8] + 1 cycles:
//   [16] arvalid [17] rready [18] awvalid [19] wvalid [20] wlast [21] bready, [31:24] length, [63:32] address, [127:64] wdata
// Instructions run one after another. Outside a script the core is ready for beats and responses and requests nothing.
module probe_core (
  input  logic                           clk_i,
  input  logic                           rst_ni,
  input  logic                           clear_i,
  input  logic                           instr_valid_i,
  output logic                           instr_ready_o,
  input  logic [127:0]                   instr_data_i,
  input  logic                           halt_i,
  output logic                           busy_o,
  output logic                           error_valid_o,
  output logic [3:0]                     error_code_o,
  output logic [4*probe_pkg::NumEvents-1:0] event_o,
  output logic [31:0]                    m_rd_araddr_o,
  output logic [7:0]                     m_rd_arlen_o,
  output logic                           m_rd_arvalid_o,
  input  logic                           m_rd_arready_i,
  input  logic                           m_rd_rlast_i,
  input  logic                           m_rd_rvalid_i,
  output logic                           m_rd_rready_o,
  output logic [31:0]                    m_wr_awaddr_o,
  output logic [7:0]                     m_wr_awlen_o,
  output logic                           m_wr_awvalid_o,
  input  logic                           m_wr_awready_i,
  output logic [63:0]                    m_wr_wdata_o,
  output logic                           m_wr_wlast_o,
  output logic                           m_wr_wvalid_o,
  input  logic                           m_wr_bvalid_i,
  output logic                           m_wr_bready_o
);
  logic [127:0] script_q[256];
  logic [7:0]   lines_q, line_q, repeat_q;
  logic         playing_q, counting_q, hanging_q;
  logic [31:0]  count_q;
  logic [7:0]   reads_q, writes_q;  // bursts under way
  logic [127:0] line;
  logic         take, last_repeat;

  assign line          = script_q[line_q];
  assign last_repeat   = (repeat_q == line[15:8]);
  assign busy_o        = playing_q || counting_q || hanging_q || (reads_q != 8'd0) || (writes_q != 8'd0);
  assign instr_ready_o = halt_i || !busy_o;
  assign take          = instr_valid_i && instr_ready_o && !halt_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      lines_q    <= 8'd0;
      line_q     <= 8'd0;
      repeat_q   <= 8'd0;
      playing_q  <= 1'b0;
      counting_q <= 1'b0;
      hanging_q  <= 1'b0;
      count_q    <= 32'd0;
      reads_q    <= 8'd0;
      writes_q   <= 8'd0;
    end else if (clear_i) begin
      lines_q    <= 8'd0;
      playing_q  <= 1'b0;
      counting_q <= 1'b0;
      hanging_q  <= 1'b0;
      reads_q    <= 8'd0;
      writes_q   <= 8'd0;
    end else begin
      if (take && instr_data_i[3:0] == probe_pkg::OpLine) lines_q <= lines_q + 8'd1;
      if (take && instr_data_i[3:0] == probe_pkg::OpPlay) begin
        playing_q <= 1'b1;
        line_q    <= 8'd0;
        repeat_q  <= 8'd0;
      end
      if (take && instr_data_i[3:0] == probe_pkg::OpCount) begin
        counting_q <= (instr_data_i[63:32] != 32'd0);
        count_q    <= instr_data_i[63:32];
      end
      if (take && instr_data_i[3:0] == probe_pkg::OpHang) hanging_q <= 1'b1;
      if (playing_q) begin
        repeat_q <= last_repeat ? 8'd0 : repeat_q + 8'd1;
        if (last_repeat) begin
          line_q <= line_q + 8'd1;
          if (line_q + 8'd1 == lines_q) begin
            playing_q <= 1'b0;
            lines_q   <= 8'd0;
          end
        end
      end
      if (counting_q) begin
        count_q    <= count_q - 32'd1;
        counting_q <= (count_q != 32'd1);
      end
      reads_q  <= reads_q + {7'd0, m_rd_arvalid_o && m_rd_arready_i} -
                  {7'd0, m_rd_rvalid_i && m_rd_rready_o && m_rd_rlast_i};
      writes_q <= writes_q + {7'd0, m_wr_awvalid_o && m_wr_awready_i} - {7'd0, m_wr_bvalid_i && m_wr_bready_o};
    end
  end

  always_ff @(posedge clk_i) begin
    if (take && instr_data_i[3:0] == probe_pkg::OpLine) script_q[lines_q] <= instr_data_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      // Nothing to check.
    end else begin
      assert (!take || instr_data_i[3:0] != probe_pkg::OpAssert);
    end
  end

  assign error_valid_o = take && (instr_data_i[3:0] == probe_pkg::OpFault);
  assign error_code_o  = instr_data_i[11:8];

  always_comb begin
    event_o = '0;
    for (int unsigned e = 0; e < probe_pkg::NumEvents; e++) begin
      if (counting_q) event_o[4*e+:4] = e[3:0];
    end
  end

  assign m_rd_arvalid_o = playing_q && line[16];
  assign m_rd_araddr_o  = line[63:32];
  assign m_rd_arlen_o   = line[31:24];
  assign m_rd_rready_o  = !playing_q || line[17];
  assign m_wr_awvalid_o = playing_q && line[18];
  assign m_wr_awaddr_o  = line[63:32];
  assign m_wr_awlen_o   = line[31:24];
  assign m_wr_wvalid_o  = playing_q && line[19];
  assign m_wr_wlast_o   = line[20];
  assign m_wr_wdata_o   = line[127:64];
  assign m_wr_bready_o  = !playing_q || line[21];

  logic unused;
  assign unused = ^{line[23:22], line[7:0]};
endmodule
