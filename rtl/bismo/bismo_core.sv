// BISMO core: fetch, execute and result stages that run concurrently on one instruction stream, coupled by tokens, around a
// bit-serial array of Dm x Dn dot-product units of Dk bits. After BISMO (Umuroglu, Rasnayake, Sjalander: "BISMO: A Scalable
// Bit-Serial Matrix Multiplication Overlay for Reconfigurable Computing", FPL 2018; TRETS 2019; EECS-NTNU/bismo).
// Behaviour, data layout and ports: docs/rtl.md; instructions and events: rtl/shell/register_map.json.
//
// Latency (cycles, everything idle, ports ready):
//   FETCH accepted c   -> first ARVALID c+5 (dispatch 3, bittern_fetch 2)
//   EXEC accepted c    -> first address issued c+4 (dispatch 3, bismo_exec 1)
//   last beat c        -> token can be taken c+2 -> first address issued c+3
//   last address of a tile c -> sum on the accumulators c+3+PopStages -> in its slot, tile counted c+4+PopStages
//                      -> AWVALID c+6+PopStages, first WVALID c+7+PopStages
//   last address of an EXEC c -> free token can be taken by fetch c+1 -> ARVALID c+3
//   last beat of a tile loaded c (its WVALID c+1) -> slot can be taken by a last address c+1
// Rates: one instruction, one burst a port, one beat a port, one word of the array each cycle, without gaps between
// bursts, instructions and tiles.
module bismo_core #(
    parameter int unsigned Dm             = 8,
    parameter int unsigned Dk             = 256,
    parameter int unsigned Dn             = 8,
    parameter int unsigned LhsDepth       = 1024,
    parameter int unsigned RhsDepth       = 1024,
    parameter int unsigned NumReadPorts   = 4,
    parameter int unsigned NumWritePorts  = 4,
    parameter int unsigned PortWidth      = 64,
    parameter int unsigned MaxBurstBeats  = 256,
    parameter int unsigned MaxOutstanding = 8,
    parameter int unsigned QueueDepth     = 32,   // instructions that wait for each stage
    parameter int unsigned InFlight       = 8,    // FETCH instructions of a group that are under way
    parameter int unsigned PopStages      = 2,
    parameter int unsigned MinResultBits  = 32,   // the narrowest results: 32 (sums), 8, 4 or 2
    parameter int unsigned Structural     = 0,    // 1: written for synthesis; 0: for fast simulation; both do the same
    parameter int unsigned NumEvents      = bismo_isa_pkg::NumFixedEvents + NumReadPorts + NumWritePorts
) (
    input  logic                               clk_i,
    input  logic                               rst_ni,
    input  logic                               clear_i,
    input  logic                               instr_valid_i,
    output logic                               instr_ready_o,
    input  logic [                      127:0] instr_data_i,
    input  logic                               halt_i,
    output logic                               busy_o,
    output logic                               error_valid_o,
    output logic [                        3:0] error_code_o,
    input  logic [                       31:0] mem_limit_i,
    output logic [            4*NumEvents-1:0] event_o,
    // Data read ports.
    output logic [        32*NumReadPorts-1:0] m_rd_araddr_o,
    output logic [         8*NumReadPorts-1:0] m_rd_arlen_o,
    output logic [           NumReadPorts-1:0] m_rd_arvalid_o,
    input  logic [           NumReadPorts-1:0] m_rd_arready_i,
    input  logic [ PortWidth*NumReadPorts-1:0] m_rd_rdata_i,
    input  logic [         2*NumReadPorts-1:0] m_rd_rresp_i,
    input  logic [           NumReadPorts-1:0] m_rd_rlast_i,
    input  logic [           NumReadPorts-1:0] m_rd_rvalid_i,
    output logic [           NumReadPorts-1:0] m_rd_rready_o,
    // Data write ports.
    output logic [       32*NumWritePorts-1:0] m_wr_awaddr_o,
    output logic [        8*NumWritePorts-1:0] m_wr_awlen_o,
    output logic [          NumWritePorts-1:0] m_wr_awvalid_o,
    input  logic [          NumWritePorts-1:0] m_wr_awready_i,
    output logic [PortWidth*NumWritePorts-1:0] m_wr_wdata_o,
    output logic [PortWidth/8*NumWritePorts-1:0] m_wr_wstrb_o,
    output logic [          NumWritePorts-1:0] m_wr_wlast_o,
    output logic [          NumWritePorts-1:0] m_wr_wvalid_o,
    input  logic [          NumWritePorts-1:0] m_wr_wready_i,
    input  logic [        2*NumWritePorts-1:0] m_wr_bresp_i,
    input  logic [          NumWritePorts-1:0] m_wr_bvalid_i,
    output logic [          NumWritePorts-1:0] m_wr_bready_o
);
  localparam int unsigned Lanes = Dk / PortWidth;
  localparam int unsigned Groups = NumReadPorts / Lanes;
  localparam int unsigned BankWidth = $clog2(Dm > Dn ? Dm : Dn);
  localparam int unsigned FetchWidth = 107 + BankWidth;

  // Parameters that the core cannot be built with.
  if (Dm < 2 || Dn < 2 || 2 ** $clog2(Dm) != Dm || 2 ** $clog2(Dn) != Dn) begin : gen_bad_array
    $error("bismo_core: Dm and Dn must be powers of two, at least 2");
  end
  if (Lanes * PortWidth != Dk || 2 ** $clog2(PortWidth) != PortWidth || PortWidth < 32 || PortWidth > 512) begin : gen_bad_width
    $error("bismo_core: Dk must be a multiple of PortWidth, and PortWidth a power of two from 32 to 512");
  end
  if (NumReadPorts != Lanes && NumReadPorts != 2 * Lanes) begin : gen_bad_ports
    $error("bismo_core: NumReadPorts must be Dk/PortWidth or twice that");
  end
  if (Dm * Dn * 32 % (PortWidth * NumWritePorts) != 0 || 2 ** $clog2(NumWritePorts) != NumWritePorts) begin : gen_bad_writes
    $error("bismo_core: a tile must be a whole number of write beats on each port");
  end
  if ((MinResultBits != 32 && MinResultBits != 8 && MinResultBits != 4 && MinResultBits != 2) ||
      Dm * Dn * MinResultBits % (PortWidth * NumWritePorts) != 0) begin : gen_bad_results
    $error("bismo_core: MinResultBits must be 32, 8, 4 or 2, and so many bits a result a whole number of write beats");
  end
  if (LhsDepth < 2 || RhsDepth < 2 || LhsDepth > 65536 || RhsDepth > 65536) begin : gen_bad_depth
    $error("bismo_core: LhsDepth and RhsDepth must be from 2 to 65536");
  end
  if (MaxBurstBeats < 2 || 2 ** $clog2(MaxBurstBeats) != MaxBurstBeats || MaxBurstBeats > 256 ||
      MaxBurstBeats * PortWidth / 8 > 4096) begin : gen_bad_burst
    $error("bismo_core: MaxBurstBeats must be a power of two from 2 to 256 and a burst at most 4096 bytes");
  end

  // Dispatch.
  logic [    Groups-1:0] fetch_valid;
  logic [FetchWidth*Groups-1:0] fetch_data;
  logic [    Groups-1:0] fetch_pop;
  logic                  exec_valid;
  logic [         121:0] exec_data;
  logic                  exec_pop;
  logic                  result_valid;
  logic [          95:0] result_data;
  logic                  result_pop;
  logic                  illegal;
  logic                  out_of_range;
  logic [           3:0] accepted;
  logic                  dispatch_busy;

  bismo_dispatch #(
      .Dm           (Dm),
      .Dn           (Dn),
      .LhsDepth     (LhsDepth),
      .RhsDepth     (RhsDepth),
      .Lanes        (Lanes),
      .FetchGroups  (Groups),
      .NumWritePorts(NumWritePorts),
      .PortWidth    (PortWidth),
      .MinResultBits(MinResultBits),
      .QueueDepth   (QueueDepth)
  ) u_dispatch (
      .clk_i,
      .rst_ni,
      .clear_i,
      .halt_i,
      .instr_valid_i,
      .instr_ready_o,
      .instr_data_i,
      .mem_limit_i,
      .fetch_valid_o (fetch_valid),
      .fetch_data_o  (fetch_data),
      .fetch_pop_i   (fetch_pop),
      .exec_valid_o  (exec_valid),
      .exec_data_o   (exec_data),
      .exec_pop_i    (exec_pop),
      .result_valid_o(result_valid),
      .result_data_o (result_data),
      .result_pop_i  (result_pop),
      .illegal_o     (illegal),
      .range_o       (out_of_range),
      .accepted_o    (accepted),
      .busy_o        (dispatch_busy)
  );

  // Fetch.
  logic                       lhs_arrived;
  logic                       rhs_arrived;
  logic                       lhs_filled;
  logic                       rhs_filled;
  logic                       exec_take_lhs;
  logic                       exec_take_rhs;
  logic                       exec_free_lhs;
  logic                       exec_free_rhs;
  logic [          Lanes-1:0] lhs_wr_en;
  logic [          Lanes-1:0] rhs_wr_en;
  logic [       16*Lanes-1:0] lhs_wr_addr;
  logic [       16*Lanes-1:0] rhs_wr_addr;
  logic [BankWidth*Lanes-1:0] lhs_wr_bank;
  logic [BankWidth*Lanes-1:0] rhs_wr_bank;
  logic [             Dk-1:0] lhs_wr_data;
  logic [             Dk-1:0] rhs_wr_data;
  logic                       read_error;
  logic                       fetch_busy;
  logic                       lhs_run;
  logic                       lhs_wait_memory;
  logic                       lhs_wait_token;
  logic                       rhs_run;
  logic                       rhs_wait_memory;
  logic                       rhs_wait_token;

  bittern_fetch_stage #(
      .Groups        (Groups),
      .Lanes         (Lanes),
      .PortWidth     (PortWidth),
      .LhsBanks      (Dm),
      .RhsBanks      (Dn),
      .MaxBurstBeats (MaxBurstBeats),
      .MaxOutstanding(MaxOutstanding),
      .InFlight      (InFlight),
      .BankField     (1)
  ) u_fetch (
      .clk_i,
      .rst_ni,
      .clear_i,
      .halt_i,
      .valid_i          (fetch_valid),
      .data_i           (fetch_data),
      .pop_o            (fetch_pop),
      .lhs_arrived_o    (lhs_arrived),
      .rhs_arrived_o    (rhs_arrived),
      .lhs_give_i       (lhs_arrived),
      .rhs_give_i       (rhs_arrived),
      .lhs_filled_o     (lhs_filled),
      .rhs_filled_o     (rhs_filled),
      .lhs_take_i       (exec_take_lhs),
      .rhs_take_i       (exec_take_rhs),
      .lhs_free_i       (exec_free_lhs),
      .rhs_free_i       (exec_free_rhs),
      .lhs_wr_en_o      (lhs_wr_en),
      .lhs_wr_addr_o    (lhs_wr_addr),
      .lhs_wr_bank_o    (lhs_wr_bank),
      .lhs_wr_data_o    (lhs_wr_data),
      .rhs_wr_en_o      (rhs_wr_en),
      .rhs_wr_addr_o    (rhs_wr_addr),
      .rhs_wr_bank_o    (rhs_wr_bank),
      .rhs_wr_data_o    (rhs_wr_data),
      .m_rd_araddr_o,
      .m_rd_arlen_o,
      .m_rd_arvalid_o,
      .m_rd_arready_i,
      .m_rd_rdata_i,
      .m_rd_rresp_i,
      .m_rd_rlast_i,
      .m_rd_rvalid_i,
      .m_rd_rready_o,
      .error_o          (read_error),
      .busy_o           (fetch_busy),
      .lhs_run_o        (lhs_run),
      .lhs_wait_memory_o(lhs_wait_memory),
      .lhs_wait_token_o (lhs_wait_token),
      .rhs_run_o        (rhs_run),
      .rhs_wait_memory_o(rhs_wait_memory),
      .rhs_wait_token_o (rhs_wait_token)
  );

  // Buffers.

  logic             rd_en;
  logic [     15:0] lhs_addr;
  logic [     15:0] rhs_addr;
  logic [Dm*Dk-1:0] lhs_data;
  logic [Dn*Dk-1:0] rhs_data;

  bittern_buffer #(
      .Banks    (Dm),
      .Lanes    (Lanes),
      .PortWidth(PortWidth),
      .Depth    (LhsDepth),
      .BankWidth(BankWidth),
      .Structural(Structural)
  ) u_lhs_buffer (
      .clk_i,
      .wr_en_i  (lhs_wr_en),
      .wr_addr_i(lhs_wr_addr),
      .wr_bank_i(lhs_wr_bank),
      .wr_data_i(lhs_wr_data),
      .rd_en_i  (rd_en),
      .rd_addr_i(lhs_addr),
      .rd_data_o(lhs_data)
  );
  bittern_buffer #(
      .Banks    (Dn),
      .Lanes    (Lanes),
      .PortWidth(PortWidth),
      .Depth    (RhsDepth),
      .BankWidth(BankWidth),
      .Structural(Structural)
  ) u_rhs_buffer (
      .clk_i,
      .wr_en_i  (rhs_wr_en),
      .wr_addr_i(rhs_wr_addr),
      .wr_bank_i(rhs_wr_bank),
      .wr_data_i(rhs_wr_data),
      .rd_en_i  (rd_en),
      .rd_addr_i(rhs_addr),
      .rd_data_o(rhs_data)
  );

  // Execute.
  logic slot_release;
  logic dpa_valid;
  logic dpa_clear;
  logic dpa_shift;
  logic dpa_negate;
  logic dpa_last;
  logic dpa_accumulate;
  logic dpa_emit;
  logic exec_busy;
  logic exec_run;
  logic exec_wait_lhs;
  logic exec_wait_rhs;
  logic exec_wait_result;

  bismo_exec u_exec (
      .clk_i,
      .rst_ni,
      .clear_i,
      .halt_i,
      .valid_i       (exec_valid),
      .data_i        (exec_data),
      .pop_o         (exec_pop),
      .lhs_filled_i  (lhs_filled),
      .rhs_filled_i  (rhs_filled),
      .lhs_take_o    (exec_take_lhs),
      .rhs_take_o    (exec_take_rhs),
      .lhs_free_o    (exec_free_lhs),
      .rhs_free_o    (exec_free_rhs),
      .slot_release_i(slot_release),
      .rd_en_o       (rd_en),
      .lhs_addr_o    (lhs_addr),
      .rhs_addr_o    (rhs_addr),
      .valid_o       (dpa_valid),
      .clear_o       (dpa_clear),
      .shift_o       (dpa_shift),
      .negate_o      (dpa_negate),
      .last_o        (dpa_last),
      .accumulate_o  (dpa_accumulate),
      .emit_o        (dpa_emit),
      .busy_o        (exec_busy),
      .run_o         (exec_run),
      .wait_lhs_o    (exec_wait_lhs),
      .wait_rhs_o    (exec_wait_rhs),
      .wait_result_o (exec_wait_result)
  );

  logic [32*Dm*Dn-1:0] acc;
  logic                store;
  logic                store_accumulate;
  logic                store_emit;
  logic                dpa_busy;

  bismo_dpa #(
      .Dm        (Dm),
      .Dk        (Dk),
      .Dn        (Dn),
      .Lanes     (Lanes),
      .PopStages (PopStages),
      .TagWidth  (2),
      .Structural(Structural)
  ) u_dpa (
      .clk_i,
      .rst_ni,
      .valid_i (dpa_valid),
      .clear_i (dpa_clear),
      .shift_i (dpa_shift),
      .negate_i(dpa_negate),
      .last_i  (dpa_last),
      .tag_i   ({dpa_emit, dpa_accumulate}),
      .lhs_i   (lhs_data),
      .rhs_i   (rhs_data),
      .acc_o   (acc),
      .last_o  (store),
      .tag_o   ({store_emit, store_accumulate}),
      .busy_o  (dpa_busy)
  );

  // Result.
  logic write_error;
  logic result_busy;
  logic result_run;
  logic result_wait_memory;
  logic result_wait_token;

  bittern_tile_result #(
      .Units         (Dm * Dn),
      .PortWidth     (PortWidth),
      .NumWritePorts (NumWritePorts),
      .MaxBurstBeats (MaxBurstBeats),
      .MaxOutstanding(MaxOutstanding),
      .MinResultBits (MinResultBits),
      .Structural    (Structural)
  ) u_result (
      .clk_i,
      .rst_ni,
      .clear_i,
      .halt_i,
      .valid_i       (result_valid),
      .data_i        (result_data),
      .pop_o         (result_pop),
      .store_i       (store),
      .accumulate_i  (store_accumulate),
      .emit_i        (store_emit),
      .acc_i         (acc),
      .slot_release_o(slot_release),
      .m_wr_awaddr_o      (m_wr_awaddr_o),
      .m_wr_awlen_o       (m_wr_awlen_o),
      .m_wr_awvalid_o     (m_wr_awvalid_o),
      .m_wr_awready_i     (m_wr_awready_i),
      .m_wr_wdata_o       (m_wr_wdata_o),
      .m_wr_wlast_o       (m_wr_wlast_o),
      .m_wr_wvalid_o      (m_wr_wvalid_o),
      .m_wr_wready_i      (m_wr_wready_i),
      .m_wr_bresp_i       (m_wr_bresp_i),
      .m_wr_bvalid_i      (m_wr_bvalid_i),
      .m_wr_bready_o      (m_wr_bready_o),
      .error_o       (write_error),
      .busy_o        (result_busy),
      .run_o         (result_run),
      .wait_memory_o (result_wait_memory),
      .wait_token_o  (result_wait_token)
  );

  assign m_wr_wstrb_o = '1;

  // Status.
  assign busy_o        = dispatch_busy | fetch_busy | exec_busy | dpa_busy | result_busy;
  assign error_valid_o = illegal | out_of_range | read_error | write_error;

  always_comb begin
    error_code_o = bittern_pkg::ErrorNone;
    if (illegal) error_code_o = bittern_pkg::ErrorIllegalInstruction;
    else if (out_of_range) error_code_o = bittern_pkg::ErrorAddressOutOfRange;
    else if (read_error) error_code_o = bittern_pkg::ErrorAxiReadError;
    else if (write_error) error_code_o = bittern_pkg::ErrorAxiWriteError;
  end

  // Events.
  logic [ NumReadPorts-1:0] read_beat;
  logic [NumWritePorts-1:0] write_beat;
  assign read_beat  = m_rd_rvalid_i & m_rd_rready_o;
  assign write_beat = m_wr_wvalid_o & m_wr_wready_i;

  always_comb begin
    event_o = '0;
    event_o[4*bismo_isa_pkg::EventFetchLhsRun+:4]        = 4'(lhs_run);
    event_o[4*bismo_isa_pkg::EventFetchLhsWaitMemory+:4] = 4'(lhs_wait_memory);
    event_o[4*bismo_isa_pkg::EventFetchLhsWaitToken+:4]  = 4'(lhs_wait_token);
    event_o[4*bismo_isa_pkg::EventFetchRhsRun+:4]        = 4'(rhs_run);
    event_o[4*bismo_isa_pkg::EventFetchRhsWaitMemory+:4] = 4'(rhs_wait_memory);
    event_o[4*bismo_isa_pkg::EventFetchRhsWaitToken+:4]  = 4'(rhs_wait_token);
    event_o[4*bismo_isa_pkg::EventExecRun+:4]            = 4'(exec_run);
    event_o[4*bismo_isa_pkg::EventExecWaitLhs+:4]        = 4'(exec_wait_lhs);
    event_o[4*bismo_isa_pkg::EventExecWaitRhs+:4]        = 4'(exec_wait_rhs);
    event_o[4*bismo_isa_pkg::EventExecWaitResult+:4]     = 4'(exec_wait_result);
    event_o[4*bismo_isa_pkg::EventResultRun+:4]          = 4'(result_run);
    event_o[4*bismo_isa_pkg::EventResultWaitMemory+:4]   = 4'(result_wait_memory);
    event_o[4*bismo_isa_pkg::EventResultWaitToken+:4]    = 4'(result_wait_token);
    event_o[4*bismo_isa_pkg::EventLhsBufferWrites+:4]    = 4'($countones(lhs_wr_en));
    event_o[4*bismo_isa_pkg::EventRhsBufferWrites+:4]    = 4'($countones(rhs_wr_en));
    event_o[4*bismo_isa_pkg::EventTilesEmitted+:4]       = {3'b000, store & store_emit};
    event_o[4*bismo_isa_pkg::EventReadBeats+:4]          = 4'($countones(read_beat));
    event_o[4*bismo_isa_pkg::EventWriteBeats+:4]         = 4'($countones(write_beat));
    event_o[4*bismo_isa_pkg::EventInstrFetchLhs+:4]      = 4'(accepted[0]);
    event_o[4*bismo_isa_pkg::EventInstrFetchRhs+:4]      = 4'(accepted[1]);
    event_o[4*bismo_isa_pkg::EventInstrExec+:4]          = 4'(accepted[2]);
    event_o[4*bismo_isa_pkg::EventInstrResult+:4]        = 4'(accepted[3]);
    for (int unsigned p = 0; p < NumReadPorts; p++) begin
      event_o[4*(bismo_isa_pkg::NumFixedEvents+p)+:4] = 4'(read_beat[p]);
    end
    for (int unsigned p = 0; p < NumWritePorts; p++) begin
      event_o[4*(bismo_isa_pkg::NumFixedEvents+NumReadPorts+p)+:4] = 4'(write_beat[p]);
    end
  end
endmodule
