// BitFusion core: fetch, execute and store stages that run concurrently on one instruction stream, coupled by tokens, around a
// systolic array of N x M fusion units (Sharma et al.: "Bit Fusion: Bit-Level Dynamically Composable Architecture for
// Accelerating Deep Neural Networks", ISCA 2018). Behaviour, data layout and timing: docs/bitfusion.md; ports: docs/rtl.md;
// instructions and events: rtl/shell/register_map.json.
//
// Latency (cycles, everything idle, ports ready):
//   FETCH accepted c   -> first ARVALID c+5 (dispatch 3, bittern_fetch 2)
//   COMPUTE accepted c -> first step c+4 (dispatch 3, bitfusion_walker 1)
//   last beat c        -> token can be taken c+2 -> first step c+3
//   last step of an output c -> word from the array c+4+N+M -> in the output buffer, tile counted c+5+N+M
//                      -> AWVALID c+7+N+M, first WVALID c+8+N+M
//   last step of a COMPUTE c -> free token can be taken by fetch c+1 -> ARVALID c+3
//   last beat of a tile transferred c -> its half can be taken by a COMPUTE c+1
// Rates: one instruction, one burst a port, one beat a port, one step of the array, one output word each cycle, without
// gaps between bursts, instructions, outputs and tiles.
module bitfusion_core #(
    parameter int unsigned N              = 4,    // rows of the array: the reduction
    parameter int unsigned M              = 2,    // columns: output channels
    parameter int unsigned IbufDepth      = 128,  // words of N x 32 bits
    parameter int unsigned WbufDepth      = 128,  // words of N x M x 32 bits
    parameter int unsigned ObufDepth      = 128,  // words of M x 32 bits, in two halves
    parameter int unsigned FetchLanes     = 1,    // read ports of a fetch group
    parameter int unsigned NumReadPorts   = 1,
    parameter int unsigned NumWritePorts  = 1,
    parameter int unsigned PortWidth      = 64,
    parameter int unsigned MaxBurstBeats  = 256,
    parameter int unsigned MaxOutstanding = 8,
    parameter int unsigned QueueDepth     = 32,   // instructions that wait for each stage
    parameter int unsigned InFlight       = 8,    // FETCH instructions of a group that are under way
    parameter int unsigned MinResultBits  = 32,   // the narrowest results: 32 (sums), 8, 4 or 2; a word is at least a beat of each port
    parameter int unsigned Structural     = 0,    // 1: written for synthesis; 0: for fast simulation; both do the same
    parameter int unsigned NumEvents      = bitfusion_isa_pkg::NumFixedEvents + NumReadPorts + NumWritePorts
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
  localparam int unsigned Lanes = FetchLanes;
  localparam int unsigned Groups = NumReadPorts / Lanes;
  localparam int unsigned WordWidth = Lanes * PortWidth;  // of a fetch
  localparam int unsigned LhsBanks = N * 32 / WordWidth;
  localparam int unsigned RhsBanks = N * M * 32 / WordWidth;
  localparam int unsigned BankWidth = RhsBanks > 1 ? $clog2(RhsBanks) : 1;
  localparam int unsigned SliceWidth = 32 * M / NumWritePorts;
  localparam int unsigned ObufWidth = $clog2(ObufDepth / 2);

  // Parameters that the core cannot be built with.
  if (N < 2 || M < 2 || 2 ** $clog2(N) != N || 2 ** $clog2(M) != M || N > 64 || M > 64) begin : gen_bad_array
    $error("bitfusion_core: N and M must be powers of two from 2 to 64");
  end
  if (2 ** $clog2(PortWidth) != PortWidth || PortWidth < 32 || PortWidth > 512) begin : gen_bad_width
    $error("bitfusion_core: PortWidth must be a power of two from 32 to 512");
  end
  if (2 ** $clog2(Lanes) != Lanes || LhsBanks * WordWidth != N * 32) begin : gen_bad_lanes
    $error("bitfusion_core: a word of the input buffer (N*32 bits) must be a whole number of FetchLanes*PortWidth bits");
  end
  if (NumReadPorts != Lanes && NumReadPorts != 2 * Lanes) begin : gen_bad_ports
    $error("bitfusion_core: NumReadPorts must be FetchLanes or twice that");
  end
  if (SliceWidth % PortWidth != 0 || SliceWidth == 0 || 2 ** $clog2(NumWritePorts) != NumWritePorts) begin : gen_bad_writes
    $error("bitfusion_core: an output word (M*32 bits) must be a whole number of write beats on each port");
  end
  if ((MinResultBits != 32 && MinResultBits != 8 && MinResultBits != 4 && MinResultBits != 2) ||
      M * MinResultBits % (PortWidth * NumWritePorts) != 0) begin : gen_bad_results
    $error("bitfusion_core: MinResultBits must be 32, 8, 4 or 2, and a word of such results a whole number of write beats");
  end
  if (IbufDepth < 2 || WbufDepth < 2 || ObufDepth < 4 || IbufDepth > 65536 || WbufDepth > 65536 || ObufDepth > 65536 ||
      2 ** $clog2(IbufDepth) != IbufDepth || 2 ** $clog2(WbufDepth) != WbufDepth || 2 ** $clog2(ObufDepth) != ObufDepth)
  begin : gen_bad_depth
    $error("bitfusion_core: depths must be powers of two up to 65536, of the output buffer at least 4, of the others 2");
  end
  if (MaxBurstBeats < 2 || 2 ** $clog2(MaxBurstBeats) != MaxBurstBeats || MaxBurstBeats > 256 ||
      MaxBurstBeats * PortWidth / 8 > 4096) begin : gen_bad_burst
    $error("bitfusion_core: MaxBurstBeats must be a power of two from 2 to 256 and a burst at most 4096 bytes");
  end

  // Dispatch.
  logic [    Groups-1:0] fetch_valid;
  logic [107*Groups-1:0] fetch_data;
  logic [    Groups-1:0] fetch_pop;
  logic                  exec_valid;
  logic [          65:0] exec_data;
  logic                  exec_pop;
  logic                  store_valid;
  logic [         111:0] store_data;
  logic                  store_pop;
  logic                  illegal;
  logic                  dispatch_range;
  logic [           5:0] accepted;
  logic                  dispatch_busy;

  bitfusion_dispatch #(
      .LhsBanks     (LhsBanks),
      .RhsBanks     (RhsBanks),
      .M            (M),
      .IbufDepth    (IbufDepth),
      .WbufDepth    (WbufDepth),
      .ObufDepth    (ObufDepth),
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
      .fetch_valid_o(fetch_valid),
      .fetch_data_o (fetch_data),
      .fetch_pop_i  (fetch_pop),
      .exec_valid_o (exec_valid),
      .exec_data_o  (exec_data),
      .exec_pop_i   (exec_pop),
      .store_valid_o(store_valid),
      .store_data_o (store_data),
      .store_pop_i  (store_pop),
      .illegal_o    (illegal),
      .range_o      (dispatch_range),
      .accepted_o   (accepted),
      .busy_o       (dispatch_busy)
  );

  // Fetch.
  logic                       lhs_arrived;
  logic                       rhs_arrived;
  logic                       lhs_filled;
  logic                       rhs_filled;
  logic                       walk_take_lhs;
  logic                       walk_take_rhs;
  logic                       walk_free_lhs;
  logic                       walk_free_rhs;
  logic [          Lanes-1:0] lhs_wr_en;
  logic [          Lanes-1:0] rhs_wr_en;
  logic [       16*Lanes-1:0] lhs_wr_addr;
  logic [       16*Lanes-1:0] rhs_wr_addr;
  logic [BankWidth*Lanes-1:0] lhs_wr_bank;
  logic [BankWidth*Lanes-1:0] rhs_wr_bank;
  logic [      WordWidth-1:0] lhs_wr_data;
  logic [      WordWidth-1:0] rhs_wr_data;
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
      .LhsBanks      (LhsBanks),
      .RhsBanks      (RhsBanks),
      .MaxBurstBeats (MaxBurstBeats),
      .MaxOutstanding(MaxOutstanding),
      .InFlight      (InFlight)
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
      .lhs_take_i       (walk_take_lhs),
      .rhs_take_i       (walk_take_rhs),
      .lhs_free_i       (walk_free_lhs),
      .rhs_free_i       (walk_free_rhs),
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

  logic              rd_en;
  logic [      17:0] lhs_addr;
  logic [      17:0] rhs_addr;
  logic [       1:0] lhs_quarters;
  logic [       1:0] rhs_quarters;
  logic [  32*N-1:0] lhs_data;
  logic [32*N*M-1:0] rhs_data;

  bitfusion_operand_buffer #(
      .Banks     (LhsBanks),
      .Lanes     (Lanes),
      .PortWidth (PortWidth),
      .Depth     (IbufDepth),
      .BankWidth (BankWidth),
      .Structural(Structural)
  ) u_ibuf (
      .clk_i,
      .wr_en_i      (lhs_wr_en),
      .wr_addr_i    (lhs_wr_addr),
      .wr_bank_i    (lhs_wr_bank),
      .wr_data_i    (lhs_wr_data),
      .rd_en_i      (rd_en),
      .rd_addr_i    (lhs_addr),
      .rd_quarters_i(lhs_quarters),
      .rd_data_o    (lhs_data)
  );
  bitfusion_operand_buffer #(
      .Banks     (RhsBanks),
      .Lanes     (Lanes),
      .PortWidth (PortWidth),
      .Depth     (WbufDepth),
      .BankWidth (BankWidth),
      .Structural(Structural)
  ) u_wbuf (
      .clk_i,
      .wr_en_i      (rhs_wr_en),
      .wr_addr_i    (rhs_wr_addr),
      .wr_bank_i    (rhs_wr_bank),
      .wr_data_i    (rhs_wr_data),
      .rd_en_i      (rd_en),
      .rd_addr_i    (rhs_addr),
      .rd_quarters_i(rhs_quarters),
      .rd_data_o    (rhs_data)
  );

  // Execute.
  logic       half_release;
  logic       array_valid;
  logic       array_first;
  logic       array_last;
  logic [1:0] lhs_mode;
  logic [1:0] rhs_mode;
  logic       lhs_signed;
  logic       rhs_signed;
  logic [1:0] shift;
  logic [2:0] tag;
  logic       walk_busy;
  logic       walk_run;
  logic       walk_range;
  logic       walk_wait_lhs;
  logic       walk_wait_rhs;
  logic       walk_wait_result;
  logic [2:0] lhs_reads;
  logic [2:0] rhs_reads;

  bitfusion_walker #(
      .IbufDepth(IbufDepth),
      .WbufDepth(WbufDepth),
      .ObufDepth(ObufDepth)
  ) u_walker (
      .clk_i,
      .rst_ni,
      .clear_i,
      .halt_i,
      .valid_i       (exec_valid),
      .data_i        (exec_data),
      .pop_o         (exec_pop),
      .lhs_filled_i  (lhs_filled),
      .rhs_filled_i  (rhs_filled),
      .lhs_take_o    (walk_take_lhs),
      .rhs_take_o    (walk_take_rhs),
      .lhs_free_o    (walk_free_lhs),
      .rhs_free_o    (walk_free_rhs),
      .half_release_i(half_release),
      .rd_en_o       (rd_en),
      .lhs_addr_o    (lhs_addr),
      .lhs_quarters_o(lhs_quarters),
      .rhs_addr_o    (rhs_addr),
      .rhs_quarters_o(rhs_quarters),
      .valid_o       (array_valid),
      .first_o       (array_first),
      .last_o        (array_last),
      .lhs_mode_o    (lhs_mode),
      .rhs_mode_o    (rhs_mode),
      .lhs_signed_o  (lhs_signed),
      .rhs_signed_o  (rhs_signed),
      .shift_o       (shift),
      .tag_o         (tag),
      .busy_o        (walk_busy),
      .run_o         (walk_run),
      .range_o       (walk_range),
      .wait_lhs_o    (walk_wait_lhs),
      .wait_rhs_o    (walk_wait_rhs),
      .wait_result_o (walk_wait_result),
      .lhs_reads_o   (lhs_reads),
      .rhs_reads_o   (rhs_reads)
  );

  logic            word_valid;
  logic [     2:0] word_tag;
  logic [32*M-1:0] word;

  bitfusion_array #(
      .N         (N),
      .M         (M),
      .Structural(Structural)
  ) u_array (
      .clk_i,
      .rst_ni,
      .valid_i      (array_valid),
      .first_i      (array_first),
      .last_i       (array_last),
      .tag_i        (tag),
      .lhs_mode_i   (lhs_mode),
      .rhs_mode_i   (rhs_mode),
      .lhs_signed_i (lhs_signed),
      .rhs_signed_i (rhs_signed),
      .shift_i      (shift),
      .lhs_i        (lhs_data),
      .rhs_i        (rhs_data),
      .valid_o      (word_valid),
      .tag_o        (word_tag),
      .word_o       (word)
  );

  // Cycles until what the last step has begun is in the output buffer.
  localparam int unsigned Drain = N + M + 5;
  localparam int unsigned DrainWidth = $clog2(Drain + 1);
  logic [DrainWidth-1:0] drain_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) drain_q <= '0;
    else if (walk_run) drain_q <= DrainWidth'(Drain);
    else if (drain_q != '0) drain_q <= drain_q - DrainWidth'(1);
  end

  // Output buffer and store.
  logic                                emit;
  logic                                obuf_accumulate;
  logic                                obuf_write;
  logic [           NumWritePorts-1:0] obuf_rd_en;
  logic [           NumWritePorts-1:0] obuf_rd_half;
  logic [ ObufWidth*NumWritePorts-1:0] obuf_rd_addr;
  logic [SliceWidth*NumWritePorts-1:0] obuf_rd_data0;
  logic [SliceWidth*NumWritePorts-1:0] obuf_rd_data1;

  bitfusion_obuf #(
      .M         (M),
      .Depth     (ObufDepth),
      .Ports     (NumWritePorts),
      .PortWidth (PortWidth),
      .Structural(Structural)
  ) u_obuf (
      .clk_i,
      .rst_ni,
      .clear_i,
      .valid_i     (word_valid),
      .tag_i       (word_tag),
      .word_i      (word),
      .emit_o      (emit),
      .rd_en_i     (obuf_rd_en),
      .rd_half_i   (obuf_rd_half),
      .rd_addr_i   (obuf_rd_addr),
      .rd_data0_o  (obuf_rd_data0),
      .rd_data1_o  (obuf_rd_data1),
      .accumulate_o(obuf_accumulate),
      .write_o     (obuf_write)
  );

  logic write_error;
  logic store_busy;
  logic store_run;
  logic store_wait_memory;
  logic store_wait_token;
  logic store_word_read;

  bitfusion_store #(
      .M             (M),
      .PortWidth     (PortWidth),
      .NumWritePorts (NumWritePorts),
      .AddrWidth     (ObufWidth),
      .MaxBurstBeats (MaxBurstBeats),
      .MaxOutstanding(MaxOutstanding),
      .MinResultBits (MinResultBits)
  ) u_store (
      .clk_i,
      .rst_ni,
      .clear_i,
      .halt_i,
      .valid_i       (store_valid),
      .data_i        (store_data),
      .pop_o         (store_pop),
      .emit_i        (emit),
      .half_release_o(half_release),
      .rd_en_o       (obuf_rd_en),
      .rd_half_o     (obuf_rd_half),
      .rd_addr_o     (obuf_rd_addr),
      .rd_data0_i    (obuf_rd_data0),
      .rd_data1_i    (obuf_rd_data1),
      .m_wr_awaddr_o,
      .m_wr_awlen_o,
      .m_wr_awvalid_o,
      .m_wr_awready_i,
      .m_wr_wdata_o,
      .m_wr_wlast_o,
      .m_wr_wvalid_o,
      .m_wr_wready_i,
      .m_wr_bresp_i,
      .m_wr_bvalid_i,
      .m_wr_bready_o,
      .error_o       (write_error),
      .busy_o        (store_busy),
      .run_o         (store_run),
      .wait_memory_o (store_wait_memory),
      .wait_token_o  (store_wait_token),
      .word_read_o   (store_word_read)
  );

  assign m_wr_wstrb_o = '1;

  // Status.
  assign busy_o        = dispatch_busy | fetch_busy | walk_busy | (drain_q != '0) | store_busy;
  assign error_valid_o = illegal | dispatch_range | walk_range | read_error | write_error;

  always_comb begin
    error_code_o = bittern_pkg::ErrorNone;
    if (illegal) error_code_o = bittern_pkg::ErrorIllegalInstruction;
    else if (dispatch_range | walk_range) error_code_o = bittern_pkg::ErrorAddressOutOfRange;
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
    event_o[4*bitfusion_isa_pkg::EventFetchLhsRun+:4]        = 4'(lhs_run);
    event_o[4*bitfusion_isa_pkg::EventFetchLhsWaitMemory+:4] = 4'(lhs_wait_memory);
    event_o[4*bitfusion_isa_pkg::EventFetchLhsWaitToken+:4]  = 4'(lhs_wait_token);
    event_o[4*bitfusion_isa_pkg::EventFetchRhsRun+:4]        = 4'(rhs_run);
    event_o[4*bitfusion_isa_pkg::EventFetchRhsWaitMemory+:4] = 4'(rhs_wait_memory);
    event_o[4*bitfusion_isa_pkg::EventFetchRhsWaitToken+:4]  = 4'(rhs_wait_token);
    event_o[4*bitfusion_isa_pkg::EventExecRun+:4]            = 4'(walk_run);
    event_o[4*bitfusion_isa_pkg::EventExecWaitLhs+:4]        = 4'(walk_wait_lhs);
    event_o[4*bitfusion_isa_pkg::EventExecWaitRhs+:4]        = 4'(walk_wait_rhs);
    event_o[4*bitfusion_isa_pkg::EventExecWaitResult+:4]     = 4'(walk_wait_result);
    event_o[4*bitfusion_isa_pkg::EventArrayDrain+:4]         = {3'b000, ~walk_run & (drain_q != '0)};
    event_o[4*bitfusion_isa_pkg::EventResultRun+:4]          = 4'(store_run);
    event_o[4*bitfusion_isa_pkg::EventResultWaitMemory+:4]   = 4'(store_wait_memory);
    event_o[4*bitfusion_isa_pkg::EventResultWaitToken+:4]    = 4'(store_wait_token);
    event_o[4*bitfusion_isa_pkg::EventLhsBufferWrites+:4]    = 4'($countones(lhs_wr_en));
    event_o[4*bitfusion_isa_pkg::EventRhsBufferWrites+:4]    = 4'($countones(rhs_wr_en));
    event_o[4*bitfusion_isa_pkg::EventLhsBufferReads+:4]     = 4'(lhs_reads);
    event_o[4*bitfusion_isa_pkg::EventRhsBufferReads+:4]     = 4'(rhs_reads);
    event_o[4*bitfusion_isa_pkg::EventObufWrites+:4]         = 4'(obuf_write);
    event_o[4*bitfusion_isa_pkg::EventObufReads+:4]          = 4'(obuf_accumulate) + 4'(store_word_read);
    event_o[4*bitfusion_isa_pkg::EventTilesEmitted+:4]       = 4'(emit);
    event_o[4*bitfusion_isa_pkg::EventReadBeats+:4]          = 4'($countones(read_beat));
    event_o[4*bitfusion_isa_pkg::EventWriteBeats+:4]         = 4'($countones(write_beat));
    event_o[4*bitfusion_isa_pkg::EventInstrFetchLhs+:4]      = 4'(accepted[0]);
    event_o[4*bitfusion_isa_pkg::EventInstrFetchRhs+:4]      = 4'(accepted[1]);
    event_o[4*bitfusion_isa_pkg::EventInstrCompute+:4]       = 4'(accepted[2]);
    event_o[4*bitfusion_isa_pkg::EventInstrStore+:4]         = 4'(accepted[3]);
    event_o[4*bitfusion_isa_pkg::EventInstrSetup+:4]         = 4'(accepted[4]);
    event_o[4*bitfusion_isa_pkg::EventInstrLoop+:4]          = 4'(accepted[5]);
    for (int unsigned p = 0; p < NumReadPorts; p++) begin
      event_o[4*(bitfusion_isa_pkg::NumFixedEvents+p)+:4] = 4'(read_beat[p]);
    end
    for (int unsigned p = 0; p < NumWritePorts; p++) begin
      event_o[4*(bitfusion_isa_pkg::NumFixedEvents+NumReadPorts+p)+:4] = 4'(write_beat[p]);
    end
  end
endmodule
