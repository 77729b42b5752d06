// AXI4-Lite slave with the register map of register_map.json.
//
// Address and data of a write may arrive in either order. Byte strobes are honoured. One write and one read are handled at a
// time, independently of each other. SLVERR answers: an address without a register (reads give 0), a write to a read-only
// register, a write to the program registers while a run is in progress (it is ignored). `ctrl` reads as 0.
//
// Latency: a read answers 2 cycles after its address, a write 1 cycle after the later of address and data.
module bittern_axil_regs #(
  parameter logic [31:0] CoreId    = 32'd0,
  parameter logic [31:0] NumEvents = 32'd0,
  parameter logic [63:0] RtlHash   = 64'd0
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic [511:0] parameters_i,  // constant: 16 words, first in the low bits

  input  logic [11:0] s_axil_awaddr_i,
  input  logic        s_axil_awvalid_i,
  output logic        s_axil_awready_o,
  input  logic [31:0] s_axil_wdata_i,
  input  logic [3:0]  s_axil_wstrb_i,
  input  logic        s_axil_wvalid_i,
  output logic        s_axil_wready_o,
  output logic [1:0]  s_axil_bresp_o,
  output logic        s_axil_bvalid_o,
  input  logic        s_axil_bready_i,
  input  logic [11:0] s_axil_araddr_i,
  input  logic        s_axil_arvalid_i,
  output logic        s_axil_arready_o,
  output logic [31:0] s_axil_rdata_o,
  output logic [1:0]  s_axil_rresp_o,
  output logic        s_axil_rvalid_o,
  input  logic        s_axil_rready_i,

  output logic        start_o,
  output logic        clear_o,
  output logic [31:0] prog_addr_o,
  output logic [31:0] prog_length_o,
  output logic [31:0] mem_limit_o,
  input  logic        busy_i,
  input  logic        done_i,
  input  logic [3:0]  error_code_i,
  input  logic [31:0] error_info_i,
  output logic [8:0]  counter_index_o,
  input  logic        counter_valid_i,
  input  logic [63:0] counter_data_i
);
  localparam logic [1:0] Okay = 2'b00;
  localparam logic [1:0] SlvErr = 2'b10;

  function automatic logic [31:0] merge(input logic [31:0] old, input logic [31:0] data, input logic [3:0] strb);
    merge = old;
    for (int unsigned i = 0; i < 4; i++) begin
      if (strb[i]) merge[8*i+:8] = data[8*i+:8];
    end
  endfunction

  // Writes.
  logic        aw_held_q, w_held_q, bvalid_q;
  logic [11:0] waddr_q;
  logic [31:0] wdata_q;
  logic [3:0]  wstrb_q;
  logic [1:0]  bresp_q;
  logic        write;
  logic [31:0] prog_addr_q, prog_length_q, mem_limit_q;
  logic        start_q, clear_q;

  assign s_axil_awready_o = !aw_held_q;
  assign s_axil_wready_o  = !w_held_q;
  assign write            = aw_held_q && w_held_q && !bvalid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_held_q     <= 1'b0;
      w_held_q      <= 1'b0;
      waddr_q       <= 12'd0;
      wdata_q       <= 32'd0;
      wstrb_q       <= 4'd0;
      bvalid_q      <= 1'b0;
      bresp_q       <= Okay;
      prog_addr_q   <= 32'd0;
      prog_length_q <= 32'd0;
      mem_limit_q   <= 32'd0;
      start_q       <= 1'b0;
      clear_q       <= 1'b0;
    end else begin
      start_q <= 1'b0;
      clear_q <= 1'b0;
      if (s_axil_awvalid_i && s_axil_awready_o) begin
        aw_held_q <= 1'b1;
        waddr_q   <= s_axil_awaddr_i;
      end
      if (s_axil_wvalid_i && s_axil_wready_o) begin
        w_held_q <= 1'b1;
        wdata_q  <= s_axil_wdata_i;
        wstrb_q  <= s_axil_wstrb_i;
      end
      if (bvalid_q && s_axil_bready_i) bvalid_q <= 1'b0;
      if (write) begin
        aw_held_q <= 1'b0;
        w_held_q  <= 1'b0;
        bvalid_q  <= 1'b1;
        bresp_q   <= Okay;
        case (waddr_q)
          bittern_pkg::RegCtrl: begin
            start_q <= wstrb_q[0] && wdata_q[0];
            clear_q <= wstrb_q[0] && wdata_q[1];
          end
          bittern_pkg::RegProgAddr: begin
            if (busy_i) bresp_q <= SlvErr;
            else prog_addr_q <= merge(prog_addr_q, wdata_q, wstrb_q);
          end
          bittern_pkg::RegProgLength: begin
            if (busy_i) bresp_q <= SlvErr;
            else prog_length_q <= merge(prog_length_q, wdata_q, wstrb_q);
          end
          bittern_pkg::RegMemLimit: begin
            if (busy_i) bresp_q <= SlvErr;
            else mem_limit_q <= merge(mem_limit_q, wdata_q, wstrb_q);
          end
          default: bresp_q <= SlvErr;
        endcase
      end
    end
  end

  assign s_axil_bvalid_o = bvalid_q;
  assign s_axil_bresp_o  = bresp_q;
  assign start_o         = start_q;
  assign clear_o         = clear_q;
  assign prog_addr_o     = prog_addr_q;
  assign prog_length_o   = prog_length_q;
  assign mem_limit_o     = mem_limit_q;

  // Reads.
  logic        pending_q, rvalid_q;
  logic [11:0] raddr_q;
  logic [31:0] rdata_q;
  logic [1:0]  rresp_q;
  logic        in_counters, in_parameters;
  logic [11:0] counter_offset;

  assign s_axil_arready_o = !pending_q && !rvalid_q;
  assign in_parameters    = (raddr_q >= bittern_pkg::RegParameterBase) && (raddr_q[1:0] == 2'b00) &&
                            ({20'd0, raddr_q - bittern_pkg::RegParameterBase} < 32'(4 * bittern_pkg::NumParameters));
  assign in_counters      = (raddr_q >= bittern_pkg::RegCounterBase) && (raddr_q[1:0] == 2'b00);
  assign counter_offset   = raddr_q - bittern_pkg::RegCounterBase;
  assign counter_index_o  = counter_offset[11:3];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      pending_q <= 1'b0;
      raddr_q   <= 12'd0;
      rvalid_q  <= 1'b0;
      rdata_q   <= 32'd0;
      rresp_q   <= Okay;
    end else begin
      if (s_axil_arvalid_i && s_axil_arready_o) begin
        pending_q <= 1'b1;
        raddr_q   <= s_axil_araddr_i;
      end
      if (rvalid_q && s_axil_rready_i) rvalid_q <= 1'b0;
      if (pending_q) begin
        pending_q <= 1'b0;
        rvalid_q  <= 1'b1;
        rresp_q   <= Okay;
        rdata_q   <= 32'd0;
        if (in_counters) begin
          if (!counter_valid_i) rresp_q <= SlvErr;
          else rdata_q <= counter_offset[2] ? counter_data_i[63:32] : counter_data_i[31:0];
        end else if (in_parameters) begin
          rdata_q <= parameters_i[{raddr_q[5:2], 5'd0}+:32];
        end else begin
          case (raddr_q)
            bittern_pkg::RegMagic:      rdata_q <= bittern_pkg::Magic;
            bittern_pkg::RegMapVersion: rdata_q <= bittern_pkg::MapVersion;
            bittern_pkg::RegCoreId:     rdata_q <= CoreId;
            bittern_pkg::RegNumEvents:  rdata_q <= NumEvents;
            bittern_pkg::RegRtlHashLo:  rdata_q <= RtlHash[31:0];
            bittern_pkg::RegRtlHashHi:  rdata_q <= RtlHash[63:32];
            bittern_pkg::RegCtrl:       rdata_q <= 32'd0;
            bittern_pkg::RegStatus:     rdata_q <= {29'd0, error_code_i != bittern_pkg::ErrorNone, done_i, busy_i};
            bittern_pkg::RegErrorCode:  rdata_q <= {28'd0, error_code_i};
            bittern_pkg::RegErrorInfo:  rdata_q <= error_info_i;
            bittern_pkg::RegProgAddr:   rdata_q <= prog_addr_q;
            bittern_pkg::RegProgLength: rdata_q <= prog_length_q;
            bittern_pkg::RegMemLimit:   rdata_q <= mem_limit_q;
            default:                    rresp_q <= SlvErr;
          endcase
        end
      end
    end
  end

  assign s_axil_rvalid_o = rvalid_q;
  assign s_axil_rdata_o  = rdata_q;
  assign s_axil_rresp_o  = rresp_q;

  logic unused;
  assign unused = ^counter_offset[1:0];
endmodule
