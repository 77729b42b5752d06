// BitFusion behind the Bittern shell: the unit of synthesis and, inside sim_top, of simulation. Ports as in docs/rtl.md.
module bitfusion_top #(
  parameter int unsigned  N             = 4,
  parameter int unsigned  M             = 2,
  parameter int unsigned  IbufDepth     = 128,
  parameter int unsigned  WbufDepth     = 128,
  parameter int unsigned  ObufDepth     = 128,
  parameter int unsigned  FetchLanes    = 1,
  parameter int unsigned  NumReadPorts  = 1,
  parameter int unsigned  NumWritePorts = 1,
  parameter int unsigned  PortWidth     = 64,
  parameter int unsigned  MaxBurstBeats = 64,
  parameter int unsigned  MinResultBits = 32,  // the narrowest results: 32 (sums), 8, 4 or 2
  parameter int unsigned  Structural    = 0,   // 1 for synthesis: the array is bitfusion_systolic
  parameter logic [63:0]  RtlHash       = 64'd0
) (
  input  logic                                 clk_i,
  input  logic                                 rst_ni,
  output logic                                 irq_o,

  input  logic [11:0]                          s_axil_awaddr_i,
  input  logic                                 s_axil_awvalid_i,
  output logic                                 s_axil_awready_o,
  input  logic [31:0]                          s_axil_wdata_i,
  input  logic [3:0]                           s_axil_wstrb_i,
  input  logic                                 s_axil_wvalid_i,
  output logic                                 s_axil_wready_o,
  output logic [1:0]                           s_axil_bresp_o,
  output logic                                 s_axil_bvalid_o,
  input  logic                                 s_axil_bready_i,
  input  logic [11:0]                          s_axil_araddr_i,
  input  logic                                 s_axil_arvalid_i,
  output logic                                 s_axil_arready_o,
  output logic [31:0]                          s_axil_rdata_o,
  output logic [1:0]                           s_axil_rresp_o,
  output logic                                 s_axil_rvalid_o,
  input  logic                                 s_axil_rready_i,

  output logic [31:0]                          m_instr_araddr_o,
  output logic [7:0]                           m_instr_arlen_o,
  output logic [2:0]                           m_instr_arsize_o,
  output logic [1:0]                           m_instr_arburst_o,
  output logic                                 m_instr_arvalid_o,
  input  logic                                 m_instr_arready_i,
  input  logic [63:0]                          m_instr_rdata_i,
  input  logic [1:0]                           m_instr_rresp_i,
  input  logic                                 m_instr_rlast_i,
  input  logic                                 m_instr_rvalid_i,
  output logic                                 m_instr_rready_o,

  output logic [32*NumReadPorts-1:0]           m_rd_araddr_o,
  output logic [8*NumReadPorts-1:0]            m_rd_arlen_o,
  output logic [2:0]                           m_rd_arsize_o,
  output logic [1:0]                           m_rd_arburst_o,
  output logic [NumReadPorts-1:0]              m_rd_arvalid_o,
  input  logic [NumReadPorts-1:0]              m_rd_arready_i,
  input  logic [PortWidth*NumReadPorts-1:0]    m_rd_rdata_i,
  input  logic [2*NumReadPorts-1:0]            m_rd_rresp_i,
  input  logic [NumReadPorts-1:0]              m_rd_rlast_i,
  input  logic [NumReadPorts-1:0]              m_rd_rvalid_i,
  output logic [NumReadPorts-1:0]              m_rd_rready_o,

  output logic [32*NumWritePorts-1:0]          m_wr_awaddr_o,
  output logic [8*NumWritePorts-1:0]           m_wr_awlen_o,
  output logic [2:0]                           m_wr_awsize_o,
  output logic [1:0]                           m_wr_awburst_o,
  output logic [NumWritePorts-1:0]             m_wr_awvalid_o,
  input  logic [NumWritePorts-1:0]             m_wr_awready_i,
  output logic [PortWidth*NumWritePorts-1:0]   m_wr_wdata_o,
  output logic [PortWidth/8*NumWritePorts-1:0] m_wr_wstrb_o,
  output logic [NumWritePorts-1:0]             m_wr_wlast_o,
  output logic [NumWritePorts-1:0]             m_wr_wvalid_o,
  input  logic [NumWritePorts-1:0]             m_wr_wready_i,
  input  logic [2*NumWritePorts-1:0]           m_wr_bresp_i,
  input  logic [NumWritePorts-1:0]             m_wr_bvalid_i,
  output logic [NumWritePorts-1:0]             m_wr_bready_o
);
  localparam int unsigned NumEvents = bitfusion_isa_pkg::NumFixedEvents + NumReadPorts + NumWritePorts;
  // The words that the host reads, in the order of register_map.json.
  logic [511:0] parameter_words;
  assign parameter_words[32*0+:32] = N;
  assign parameter_words[32*1+:32] = M;
  assign parameter_words[32*2+:32] = IbufDepth;
  assign parameter_words[32*3+:32] = WbufDepth;
  assign parameter_words[32*4+:32] = ObufDepth;
  assign parameter_words[32*5+:32] = NumReadPorts;
  assign parameter_words[32*6+:32] = NumWritePorts;
  assign parameter_words[32*7+:32] = PortWidth;
  assign parameter_words[32*8+:32] = MaxBurstBeats;
  assign parameter_words[32*9+:32] = FetchLanes;
  assign parameter_words[32*10+:32] = MinResultBits;
  assign parameter_words[511:352] = 160'd0;

  logic                   clear, instr_valid, instr_ready, halt, busy, error_valid;
  logic [127:0]           instr_data;
  logic [3:0]             error_code;
  logic [31:0]            mem_limit;
  logic [4*NumEvents-1:0] events;

  bittern_shell #(
    .CoreId   (bittern_pkg::CoreBitfusion),
    .NumEvents(NumEvents),
    .RtlHash  (RtlHash)
  ) u_shell (
    .clk_i,
    .rst_ni,
    .irq_o,
    .parameters_i      (parameter_words),
    .s_axil_awaddr_i,
    .s_axil_awvalid_i,
    .s_axil_awready_o,
    .s_axil_wdata_i,
    .s_axil_wstrb_i,
    .s_axil_wvalid_i,
    .s_axil_wready_o,
    .s_axil_bresp_o,
    .s_axil_bvalid_o,
    .s_axil_bready_i,
    .s_axil_araddr_i,
    .s_axil_arvalid_i,
    .s_axil_arready_o,
    .s_axil_rdata_o,
    .s_axil_rresp_o,
    .s_axil_rvalid_o,
    .s_axil_rready_i,
    .m_instr_araddr_o,
    .m_instr_arlen_o,
    .m_instr_arsize_o,
    .m_instr_arburst_o,
    .m_instr_arvalid_o,
    .m_instr_arready_i,
    .m_instr_rdata_i,
    .m_instr_rresp_i,
    .m_instr_rlast_i,
    .m_instr_rvalid_i,
    .m_instr_rready_o,
    .core_clear_o      (clear),
    .core_instr_valid_o(instr_valid),
    .core_instr_ready_i(instr_ready),
    .core_instr_data_o (instr_data),
    .core_halt_o       (halt),
    .core_busy_i       (busy),
    .core_error_valid_i(error_valid),
    .core_error_code_i (error_code),
    .core_mem_limit_o  (mem_limit),
    .core_event_i      (events)
  );

  bitfusion_core #(
    .N            (N),
    .M            (M),
    .IbufDepth    (IbufDepth),
    .WbufDepth    (WbufDepth),
    .ObufDepth    (ObufDepth),
    .FetchLanes   (FetchLanes),
    .NumReadPorts (NumReadPorts),
    .NumWritePorts(NumWritePorts),
    .PortWidth    (PortWidth),
    .MaxBurstBeats(MaxBurstBeats),
    .MinResultBits(MinResultBits),
    .Structural   (Structural)
  ) u_core (
    .clk_i,
    .rst_ni,
    .clear_i      (clear),
    .instr_valid_i(instr_valid),
    .instr_ready_o(instr_ready),
    .instr_data_i (instr_data),
    .halt_i       (halt),
    .busy_o       (busy),
    .error_valid_o(error_valid),
    .error_code_o (error_code),
    .mem_limit_i  (mem_limit),
    .event_o      (events),
    .m_rd_araddr_o,
    .m_rd_arlen_o,
    .m_rd_arvalid_o,
    .m_rd_arready_i,
    .m_rd_rdata_i,
    .m_rd_rresp_i,
    .m_rd_rlast_i,
    .m_rd_rvalid_i,
    .m_rd_rready_o,
    .m_wr_awaddr_o,
    .m_wr_awlen_o,
    .m_wr_awvalid_o,
    .m_wr_awready_i,
    .m_wr_wdata_o,
    .m_wr_wstrb_o,
    .m_wr_wlast_o,
    .m_wr_wvalid_o,
    .m_wr_wready_i,
    .m_wr_bresp_i,
    .m_wr_bvalid_i,
    .m_wr_bready_o
  );

  assign m_rd_arsize_o  = 3'($clog2(PortWidth / 8));
  assign m_rd_arburst_o = 2'b01;  // INCR
  assign m_wr_awsize_o  = 3'($clog2(PortWidth / 8));
  assign m_wr_awburst_o = 2'b01;
endmodule
