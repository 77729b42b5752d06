// Takes the instruction stream, checks every instruction, and puts it into the queue of its stage (fetch, execute, store).
// Instructions are blocks in the sense of Bit Fusion's ISA (Sharma et al., ISCA 2018): set-up, loops, load, compute, store;
// one stream in program order, as in bismo_dispatch. Head of line blocks while the queue of its stage is full.
//
// Latency: instruction accepted in cycle c -> products registered (c+1) -> checks registered (c+2, the cycle of
// `error_valid_o` or of the push) -> at the head of an empty queue in c+3. One instruction a cycle.
// While `halt_i` is high instructions are accepted and dropped, and all queues are emptied.
//
// Queue words (low bits first):
//   fetch  {stride[32], dram_base[32], words[24], buffer_base[16], send_filled, wait_free, rhs}
//   exec   {rhs[20], lhs[20], iterations-1[16], flags[8], kind[2]}   kind 0 SETUP, 1 LOOP, 2 COMPUTE
//          flags of SETUP:   {rhs_wide, lhs_wide, rhs_signed, lhs_signed, rhs_mode[2], lhs_mode[2]}
//          flags of LOOP:    {0[5], level[3]}; lhs and rhs are the jumps
//          flags of COMPUTE: {0[2], emit, accumulate, free_rhs, free_lhs, wait_rhs, wait_lhs}; lhs and rhs are the bases
//   store  {shift[5], signed, width[2], stride[32], dram_base[32], words[16], tiles[24]}
module bitfusion_dispatch #(
    parameter int unsigned LhsBanks      = 1,     // fetch words in a word of the input buffer
    parameter int unsigned RhsBanks      = 2,
    parameter int unsigned M             = 2,
    parameter int unsigned IbufDepth     = 128,
    parameter int unsigned WbufDepth     = 128,
    parameter int unsigned ObufDepth     = 128,
    parameter int unsigned Lanes         = 1,
    parameter int unsigned FetchGroups   = 1,
    parameter int unsigned NumWritePorts = 1,
    parameter int unsigned PortWidth     = 64,
    parameter int unsigned MinResultBits = 32,
    parameter int unsigned QueueDepth    = 32
) (
    input  logic                       clk_i,
    input  logic                       rst_ni,
    input  logic                       clear_i,
    input  logic                       halt_i,
    input  logic                       instr_valid_i,
    output logic                       instr_ready_o,
    input  logic [              127:0] instr_data_i,
    input  logic [               31:0] mem_limit_i,
    output logic [    FetchGroups-1:0] fetch_valid_o,
    output logic [107*FetchGroups-1:0] fetch_data_o,
    input  logic [    FetchGroups-1:0] fetch_pop_i,
    output logic                       exec_valid_o,
    output logic [               65:0] exec_data_o,
    input  logic                       exec_pop_i,
    output logic                       store_valid_o,
    output logic [              111:0] store_data_o,
    input  logic                       store_pop_i,
    output logic                       illegal_o,       // one-cycle pulses
    output logic                       range_o,
    output logic [                5:0] accepted_o,      // fetch_lhs, fetch_rhs, compute, store, setup, loop: put into its queue
    output logic                       busy_o
);
  localparam int unsigned LogLhsBanks = $clog2(LhsBanks);
  localparam int unsigned LogRhsBanks = $clog2(RhsBanks);
  localparam int unsigned BeatShift = $clog2(PortWidth / 8);
  localparam int unsigned WordShift = $clog2(M * 4 / NumWritePorts);  // bytes of an output word of sums on one port

  // Stage 1: the instruction and the products that its checks need.
  logic         s1_valid_q;
  logic [127:0] s1_instr_q;
  logic [ 35:0] s1_lane_span_q;   // (ports - 1) * lane_stride
  logic [ 39:0] s1_store_words_q; // tiles * words

  // Stage 2: the verdict and what goes into the queue.
  logic         s2_valid_q;
  logic         s2_illegal_q;
  logic         s2_range_q;
  logic [  5:0] s2_kind_q;        // one hot: fetch_lhs, fetch_rhs, compute, store, setup, loop
  logic [106:0] s2_fetch_q;
  logic [ 65:0] s2_exec_q;
  logic [ 39:0] s2_count_q;       // of a STORE: words, tiles
  logic [  7:0] s2_format_q;      // of a STORE: shift, signed, width
  logic         open_q;           // the last COMPUTE left its tile open

  logic         flush;
  logic         s1_ready;
  logic         s2_ready;
  logic         take;

  assign flush         = clear_i | halt_i;
  assign s1_ready      = ~s1_valid_q | s2_ready;
  assign instr_ready_o = s1_ready | halt_i;
  assign take          = instr_valid_i & s1_ready & ~flush;

  // Operands of the instruction that enters stage 1.
  logic [3:0] in_opcode;
  assign in_opcode = instr_data_i[3:0];

  always_ff @(posedge clk_i) begin
    if (take) begin
      s1_instr_q       <= instr_data_i;
      s1_lane_span_q   <= (in_opcode == bitfusion_isa_pkg::OpStore ? 36'(NumWritePorts) - 36'd1 : 36'(Lanes) - 36'd1) *
                          36'(instr_data_i[bitfusion_isa_pkg::FetchLaneStrideLsb+:32]);
      s1_store_words_q <= 40'(instr_data_i[bitfusion_isa_pkg::StoreTilesLsb+:24]) *
                          40'(instr_data_i[bitfusion_isa_pkg::StoreWordsLsb+:16]);
    end
  end

  // Checks.
  logic [  3:0] opcode;
  logic         is_fetch;
  logic         is_rhs;
  logic         is_compute;
  logic         is_store;
  logic         is_setup;
  logic         is_loop;
  logic [127:0] reserved;
  logic [ 23:0] fetch_words;
  logic [ 23:0] tiles;
  logic [ 15:0] words;
  logic         aligned;
  logic [  1:0] result_width;
  logic         bad_width;
  logic [ 47:0] tiles_span;   // bytes of all tiles in one port's region
  logic         accumulate;
  logic         open;
  logic [  1:0] lhs_mode;
  logic [  1:0] rhs_mode;
  logic         illegal;
  logic [ 47:0] dram_end;
  logic [ 47:0] dram_limit;
  logic [ 24:0] fetch_rows;
  logic [ 25:0] fetch_end;
  logic         range;

  assign opcode      = s1_instr_q[3:0];
  assign is_rhs      = opcode == bitfusion_isa_pkg::OpFetchRhs;
  assign is_fetch    = (opcode == bitfusion_isa_pkg::OpFetchLhs) | is_rhs;
  assign is_compute  = opcode == bitfusion_isa_pkg::OpCompute;
  assign is_store    = opcode == bitfusion_isa_pkg::OpStore;
  assign is_setup    = opcode == bitfusion_isa_pkg::OpSetup;
  assign is_loop     = opcode == bitfusion_isa_pkg::OpLoop;
  assign fetch_words = s1_instr_q[bitfusion_isa_pkg::FetchWordsLsb+:24];
  assign tiles       = s1_instr_q[bitfusion_isa_pkg::StoreTilesLsb+:24];
  assign words       = s1_instr_q[bitfusion_isa_pkg::StoreWordsLsb+:16];
  assign aligned     = (s1_instr_q[bitfusion_isa_pkg::FetchDramBaseLsb+:6] == '0) &
                       (s1_instr_q[bitfusion_isa_pkg::FetchLaneStrideLsb+:6] == '0);
  // Results narrower than sums: the field says how often their 32 bits are halved, minus 1.
  assign result_width = s1_instr_q[bitfusion_isa_pkg::StoreWidthLsb+:2];
  assign bad_width   = (result_width != '0) & (32'd16 >> result_width < MinResultBits);
  assign tiles_span  = (48'(s1_store_words_q) << WordShift) >> bittern_result_pkg::halvings(result_width);
  assign accumulate  = s1_instr_q[bitfusion_isa_pkg::ComputeAccumulateLsb];
  assign open        = (s2_valid_q & s2_kind_q[2]) ? ~s2_exec_q[7] : open_q;
  assign lhs_mode    = s1_instr_q[bitfusion_isa_pkg::SetupLhsModeLsb+:2];
  assign rhs_mode    = s1_instr_q[bitfusion_isa_pkg::SetupRhsModeLsb+:2];

  always_comb begin
    reserved = '0;
    if (is_fetch) reserved = bitfusion_isa_pkg::ReservedFetchLhs;
    else if (is_compute) reserved = bitfusion_isa_pkg::ReservedCompute;
    else if (is_store) reserved = bitfusion_isa_pkg::ReservedStore;
    else if (is_setup) reserved = bitfusion_isa_pkg::ReservedSetup;
    else if (is_loop) reserved = bitfusion_isa_pkg::ReservedLoop;
  end

  always_comb begin
    illegal = (s1_instr_q & reserved) != '0;
    if (is_fetch) illegal |= (fetch_words == '0) | ~aligned;
    else if (is_store) illegal |= (tiles == '0) | (words == '0) | ~aligned | bad_width;
    else if (is_compute) illegal |= accumulate & ~open;
    else if (is_setup) begin
      illegal |= (lhs_mode == 2'd3) | (rhs_mode == 2'd3) |
                 (s1_instr_q[bitfusion_isa_pkg::SetupLhsWideLsb] & (lhs_mode != 2'd2)) |
                 (s1_instr_q[bitfusion_isa_pkg::SetupRhsWideLsb] & (rhs_mode != 2'd2));
    end else if (!is_loop) illegal = 1'b1;
  end

  // All lanes lie between lane 0 and the last one, so the end of the last lane decides. The walker checks COMPUTE.
  assign dram_limit = (mem_limit_i == '0) ? 48'h1_0000_0000 : 48'(mem_limit_i);
  assign dram_end   = 48'(s1_instr_q[bitfusion_isa_pkg::FetchDramBaseLsb+:32]) + 48'(s1_lane_span_q) +
                      (is_store ? tiles_span : 48'(fetch_words) << BeatShift);
  assign fetch_rows = is_rhs ? (25'(fetch_words) + 25'(RhsBanks - 1)) >> LogRhsBanks :
                               (25'(fetch_words) + 25'(LhsBanks - 1)) >> LogLhsBanks;
  assign fetch_end  = 26'(s1_instr_q[bitfusion_isa_pkg::FetchBufferBaseLsb+:16]) + 26'(fetch_rows);

  always_comb begin
    range = 1'b0;
    if (is_fetch | is_store) range |= dram_end > dram_limit;
    if (is_fetch) range |= fetch_end > (is_rhs ? 26'(WbufDepth) : 26'(IbufDepth));
    if (is_store) range |= words > 16'(ObufDepth / 2);
  end

  always_ff @(posedge clk_i) begin
    if (s1_valid_q & s2_ready) begin
      s2_illegal_q <= illegal;
      s2_range_q   <= range & ~illegal;
      s2_kind_q    <= (illegal | range) ? 6'b000000 : {is_loop, is_setup, is_store, is_compute, is_rhs, is_fetch & ~is_rhs};
      s2_fetch_q   <= {
        s1_instr_q[bitfusion_isa_pkg::FetchLaneStrideLsb+:32],
        s1_instr_q[bitfusion_isa_pkg::FetchDramBaseLsb+:32],
        fetch_words,
        s1_instr_q[bitfusion_isa_pkg::FetchBufferBaseLsb+:16],
        s1_instr_q[bitfusion_isa_pkg::FetchSendFilledLsb],
        s1_instr_q[bitfusion_isa_pkg::FetchWaitFreeLsb],
        is_rhs
      };
      s2_count_q <= {words, tiles};
      s2_format_q <= s1_instr_q[bitfusion_isa_pkg::StoreWidthLsb+:8];
      // The jumps of LOOP and the bases of COMPUTE stand at the same place.
      s2_exec_q  <= {
        s1_instr_q[bitfusion_isa_pkg::LoopRhsJumpLsb+:20],
        s1_instr_q[bitfusion_isa_pkg::LoopLhsJumpLsb+:20],
        s1_instr_q[bitfusion_isa_pkg::LoopIterationsLsb+:16],
        is_compute ? {
          2'b00,
          s1_instr_q[bitfusion_isa_pkg::ComputeEmitLsb],
          accumulate,
          s1_instr_q[bitfusion_isa_pkg::ComputeFreeRhsLsb],
          s1_instr_q[bitfusion_isa_pkg::ComputeFreeLhsLsb],
          s1_instr_q[bitfusion_isa_pkg::ComputeWaitRhsLsb],
          s1_instr_q[bitfusion_isa_pkg::ComputeWaitLhsLsb]
        } : s1_instr_q[15:8],  // the fields of SETUP; the level of LOOP
        is_compute ? 2'd2 : is_loop ? 2'd1 : 2'd0
      };
    end
  end

  logic ready;
  logic push;
  assign s2_ready = ~s2_valid_q | ready;
  assign push     = s2_valid_q & s2_ready & ~flush;

  assign illegal_o  = s2_valid_q & s2_illegal_q & ~flush;
  assign range_o    = s2_valid_q & s2_range_q & ~flush;
  assign accepted_o = push ? s2_kind_q : 6'b000000;
  assign busy_o     = s1_valid_q | s2_valid_q | (fetch_valid_o != '0) | exec_valid_o | store_valid_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      s1_valid_q <= 1'b0;
      s2_valid_q <= 1'b0;
      open_q     <= 1'b0;
    end else if (flush) begin
      s1_valid_q <= 1'b0;
      s2_valid_q <= 1'b0;
      open_q     <= 1'b0;
    end else begin
      s1_valid_q <= take | (s1_valid_q & ~s2_ready);
      s2_valid_q <= s1_valid_q | ~s2_ready;
      if (push & s2_kind_q[2]) open_q <= ~s2_exec_q[7];
    end
  end

  bittern_stage_queues #(
      .FetchGroups(FetchGroups),
      .FetchWidth (107),
      .ExecWidth  (66),
      .ResultWidth(112),
      .Depth      (QueueDepth)
  ) u_queues (
      .clk_i,
      .rst_ni,
      .clear_i       (flush),
      .valid_i       (s2_valid_q),
      .kind_i        ({s2_kind_q[3], s2_kind_q[2] | s2_kind_q[4] | s2_kind_q[5], s2_kind_q[1:0]}),
      .fetch_data_i  (s2_fetch_q),
      .exec_data_i   (s2_exec_q),
      .result_data_i ({s2_format_q, s2_fetch_q[106:43], s2_count_q}),
      .ready_o       (ready),
      .fetch_valid_o,
      .fetch_data_o,
      .fetch_pop_i,
      .exec_valid_o,
      .exec_data_o,
      .exec_pop_i,
      .result_valid_o(store_valid_o),
      .result_data_o (store_data_o),
      .result_pop_i  (store_pop_i)
  );
endmodule
