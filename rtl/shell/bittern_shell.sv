// The shell around every core: AXI4-Lite registers (register_map.json), run control, instruction fetcher, counters.
//
// A core is connected by the "Core: ports" of docs/rtl.md; its AXI data ports do not pass through the shell. `irq_o` is
// status.done. See the parts for their latencies.
module bittern_shell #(
  parameter logic [31:0] CoreId    = 32'd0,
  parameter int unsigned NumEvents = 1,
  parameter logic [63:0] RtlHash   = 64'd0
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  output logic                   irq_o,
  input  logic [511:0]           parameters_i,        // constant: 16 words for the host, first in the low bits

  input  logic [11:0]            s_axil_awaddr_i,
  input  logic                   s_axil_awvalid_i,
  output logic                   s_axil_awready_o,
  input  logic [31:0]            s_axil_wdata_i,
  input  logic [3:0]             s_axil_wstrb_i,
  input  logic                   s_axil_wvalid_i,
  output logic                   s_axil_wready_o,
  output logic [1:0]             s_axil_bresp_o,
  output logic                   s_axil_bvalid_o,
  input  logic                   s_axil_bready_i,
  input  logic [11:0]            s_axil_araddr_i,
  input  logic                   s_axil_arvalid_i,
  output logic                   s_axil_arready_o,
  output logic [31:0]            s_axil_rdata_o,
  output logic [1:0]             s_axil_rresp_o,
  output logic                   s_axil_rvalid_o,
  input  logic                   s_axil_rready_i,

  output logic [31:0]            m_instr_araddr_o,
  output logic [7:0]             m_instr_arlen_o,
  output logic [2:0]             m_instr_arsize_o,
  output logic [1:0]             m_instr_arburst_o,
  output logic                   m_instr_arvalid_o,
  input  logic                   m_instr_arready_i,
  input  logic [63:0]            m_instr_rdata_i,
  input  logic [1:0]             m_instr_rresp_i,
  input  logic                   m_instr_rlast_i,
  input  logic                   m_instr_rvalid_i,
  output logic                   m_instr_rready_o,

  output logic                   core_clear_o,
  output logic                   core_instr_valid_o,
  input  logic                   core_instr_ready_i,
  output logic [127:0]           core_instr_data_o,
  output logic                   core_halt_o,
  input  logic                   core_busy_i,
  input  logic                   core_error_valid_i,
  input  logic [3:0]             core_error_code_i,
  output logic [31:0]            core_mem_limit_o,
  input  logic [4*NumEvents-1:0] core_event_i
);
  logic        start, clear, busy, done, run_clear, halt;
  logic [31:0] prog_addr, prog_length, mem_limit, error_info;
  logic [3:0]  error_code, fetch_error_code;
  logic        fetch_idle, fetch_error_valid;
  logic        counters_zero, counters_count, counters_run, counters_flush, counter_valid;
  logic [8:0]  counter_index;
  logic [63:0] counter_data;

  bittern_axil_regs #(
    .CoreId   (CoreId),
    .NumEvents(NumEvents),
    .RtlHash  (RtlHash)
  ) u_regs (
    .clk_i,
    .rst_ni,
    .parameters_i,
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
    .start_o        (start),
    .clear_o        (clear),
    .prog_addr_o    (prog_addr),
    .prog_length_o  (prog_length),
    .mem_limit_o    (mem_limit),
    .busy_i         (busy),
    .done_i         (done),
    .error_code_i   (error_code),
    .error_info_i   (error_info),
    .counter_index_o(counter_index),
    .counter_valid_i(counter_valid),
    .counter_data_i (counter_data)
  );

  bittern_run_ctrl u_run_ctrl (
    .clk_i,
    .rst_ni,
    .start_i            (start),
    .clear_i            (clear),
    .busy_o             (busy),
    .done_o             (done),
    .error_code_o       (error_code),
    .error_info_o       (error_info),
    .clear_o            (run_clear),
    .halt_o             (halt),
    .fetch_idle_i       (fetch_idle),
    .fetch_error_valid_i(fetch_error_valid),
    .fetch_error_code_i (fetch_error_code),
    .handed_i           (core_instr_valid_o && core_instr_ready_i),
    .core_busy_i        (core_busy_i),
    .core_error_valid_i (core_error_valid_i),
    .core_error_code_i  (core_error_code_i),
    .counters_zero_o    (counters_zero),
    .counters_count_o   (counters_count),
    .counters_run_o     (counters_run),
    .counters_flush_o   (counters_flush)
  );

  bittern_instr_fetch u_fetch (
    .clk_i,
    .rst_ni,
    .start_i      (run_clear),
    .halt_i       (halt),
    .prog_addr_i  (prog_addr),
    .prog_length_i(prog_length),
    .mem_limit_i  (mem_limit),
    .idle_o       (fetch_idle),
    .error_valid_o(fetch_error_valid),
    .error_code_o (fetch_error_code),
    .instr_valid_o(core_instr_valid_o),
    .instr_ready_i(core_instr_ready_i),
    .instr_data_o (core_instr_data_o),
    .m_araddr_o   (m_instr_araddr_o),
    .m_arlen_o    (m_instr_arlen_o),
    .m_arvalid_o  (m_instr_arvalid_o),
    .m_arready_i  (m_instr_arready_i),
    .m_rdata_i    (m_instr_rdata_i),
    .m_rresp_i    (m_instr_rresp_i),
    .m_rlast_i    (m_instr_rlast_i),
    .m_rvalid_i   (m_instr_rvalid_i),
    .m_rready_o   (m_instr_rready_o)
  );

  bittern_counters #(
    .NumEvents(NumEvents)
  ) u_counters (
    .clk_i,
    .rst_ni,
    .zero_i      (counters_zero),
    .count_i     (counters_count),
    .run_i       (counters_run),
    .flush_i     (counters_flush),
    .event_i     (core_event_i),
    .read_index_i(counter_index),
    .read_valid_o(counter_valid),
    .read_data_o (counter_data)
  );

  assign m_instr_arsize_o  = 3'd3;   // 8 bytes a beat
  assign m_instr_arburst_o = 2'b01;  // INCR
  assign core_clear_o      = run_clear;
  assign core_halt_o       = halt;
  assign core_mem_limit_o  = mem_limit;
  assign irq_o             = done;
endmodule
