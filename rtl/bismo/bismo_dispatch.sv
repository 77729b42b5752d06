// Takes the instruction stream, checks every instruction, and puts it into the queue of its stage (fetch, execute,
// result), as the instruction queues of BISMO (Umuroglu et al., FPL 2018; EECS-NTNU/bismo) do, but with one stream in
// program order and checked operands. Head of line blocks while the queue of its stage is full.
//
// Latency: instruction accepted in cycle c -> products registered (c+1) -> checks registered (c+2, the cycle of
// `error_valid_o` or of the push) -> at the head of an empty queue in c+3. One instruction a cycle.
// While `halt_i` is high instructions are accepted and dropped, and all queues are emptied.
//
// Queue words (low bits first):
//   fetch  {last_bank[BankWidth], stride[32], dram_base[32], words[24], buffer_base[16], send_filled, wait_free, rhs}
//   exec   {rhs_stride[16], lhs_stride[16], k_words[16], rhs_top[16], lhs_top[16], rhs_tiles-1[14], lhs_tiles-1[14],
//           rhs_bits-1[3], lhs_bits-1[3], emit, accumulate, rhs_signed, lhs_signed, free_rhs, free_lhs, wait_rhs, wait_lhs}
//          where top = base + (bits - 1) * k_words, the most significant plane of the first stripe
//   result {shift[5], signed, width[2], stride[32], dram_base[32], tiles[24]}
module bismo_dispatch #(
    parameter int unsigned Dm            = 8,
    parameter int unsigned Dn            = 8,
    parameter int unsigned LhsDepth      = 1024,
    parameter int unsigned RhsDepth      = 1024,
    parameter int unsigned Lanes         = 4,
    parameter int unsigned FetchGroups   = 1,
    parameter int unsigned NumWritePorts = 4,
    parameter int unsigned PortWidth     = 64,
    parameter int unsigned MinResultBits = 32,
    parameter int unsigned QueueDepth    = 32,
    parameter int unsigned BankWidth     = $clog2(Dm > Dn ? Dm : Dn),
    parameter int unsigned FetchWidth    = 107 + BankWidth
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
    output logic [FetchWidth*FetchGroups-1:0] fetch_data_o,
    input  logic [    FetchGroups-1:0] fetch_pop_i,
    output logic                       exec_valid_o,
    output logic [              121:0] exec_data_o,
    input  logic                       exec_pop_i,
    output logic                       result_valid_o,
    output logic [               95:0] result_data_o,
    input  logic                       result_pop_i,
    output logic                       illegal_o,       // one-cycle pulses
    output logic                       range_o,
    output logic [                3:0] accepted_o,      // fetch_lhs, fetch_rhs, exec, result: put into its queue
    output logic                       busy_o
);
  localparam int unsigned LogDm = $clog2(Dm);
  localparam int unsigned LogDn = $clog2(Dn);
  localparam int unsigned BeatShift = $clog2(PortWidth / 8);
  localparam int unsigned TileShift = $clog2(Dm * Dn * 4 / NumWritePorts);

  // Stage 1: the instruction and the products that its checks need.
  logic         s1_valid_q;
  logic [127:0] s1_instr_q;
  logic [ 29:0] s1_lhs_span_q;    // (lhs_tiles - 1) * lhs_stride
  logic [ 29:0] s1_rhs_span_q;
  logic [ 18:0] s1_lhs_planes_q;  // (lhs_bits - 1) * k_words
  logic [ 18:0] s1_rhs_planes_q;
  logic [ 35:0] s1_lane_span_q;   // (ports - 1) * lane_stride

  // Stage 2: the verdict and what goes into the queue.
  logic         s2_valid_q;
  logic         s2_illegal_q;
  logic         s2_range_q;
  logic [  3:0] s2_kind_q;        // one hot: fetch_lhs, fetch_rhs, exec, result
  logic [FetchWidth-1:0] s2_fetch_q;
  logic [121:0] s2_exec_q;
  logic [  7:0] s2_format_q;      // of a RESULT: shift, signed, width
  logic         open_q;           // the last EXEC left its slot open

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
      s1_instr_q      <= instr_data_i;
      s1_lhs_span_q   <= 30'(instr_data_i[bismo_isa_pkg::ExecLhsTilesLsb+:14]) *
                         30'(instr_data_i[bismo_isa_pkg::ExecLhsStrideLsb+:16]);
      s1_rhs_span_q   <= 30'(instr_data_i[bismo_isa_pkg::ExecRhsTilesLsb+:14]) *
                         30'(instr_data_i[bismo_isa_pkg::ExecRhsStrideLsb+:16]);
      s1_lhs_planes_q <= 19'(instr_data_i[bismo_isa_pkg::ExecLhsBitsLsb+:3]) *
                         19'(instr_data_i[bismo_isa_pkg::ExecKWordsLsb+:16]);
      s1_rhs_planes_q <= 19'(instr_data_i[bismo_isa_pkg::ExecRhsBitsLsb+:3]) *
                         19'(instr_data_i[bismo_isa_pkg::ExecKWordsLsb+:16]);
      s1_lane_span_q  <= (in_opcode == bismo_isa_pkg::OpResult ? 36'(NumWritePorts) - 36'd1 : 36'(Lanes) - 36'd1) *
                         36'(instr_data_i[bismo_isa_pkg::FetchLaneStrideLsb+:32]);
    end
  end

  // Checks.
  logic [  3:0] opcode;
  logic         is_fetch;
  logic         is_rhs;
  logic         is_exec;
  logic         is_result;
  logic [127:0] reserved;
  logic [ 23:0] count;        // words or tiles
  logic [ 15:0] k_words;
  logic         aligned;
  logic [  1:0] result_width;
  logic         bad_width;
  logic [ 36:0] tiles_span;   // bytes of all tiles in one port's region
  logic         multi_tile;
  logic         accumulate;
  logic         emit;
  logic         open;
  logic         illegal;
  logic [ 36:0] dram_end;
  logic [ 36:0] dram_limit;
  logic [  2:0] narrow;
  logic         too_narrow;
  logic [BankWidth-1:0] last_bank;
  logic [ 24:0] fetch_rows;
  logic [ 25:0] fetch_end;
  logic [ 31:0] lhs_end;
  logic [ 31:0] rhs_end;
  logic         range;

  assign opcode     = s1_instr_q[3:0];
  assign is_rhs     = opcode == bismo_isa_pkg::OpFetchRhs;
  assign is_fetch   = (opcode == bismo_isa_pkg::OpFetchLhs) | is_rhs;
  assign is_exec    = opcode == bismo_isa_pkg::OpExec;
  assign is_result  = opcode == bismo_isa_pkg::OpResult;
  assign count      = s1_instr_q[bismo_isa_pkg::FetchWordsLsb+:24];
  assign k_words    = s1_instr_q[bismo_isa_pkg::ExecKWordsLsb+:16];
  assign aligned    = (s1_instr_q[bismo_isa_pkg::FetchDramBaseLsb+:6] == '0) &
                      (s1_instr_q[bismo_isa_pkg::FetchLaneStrideLsb+:6] == '0);
  // Results narrower than sums: the field says how often their 32 bits are halved, minus 1.
  assign result_width = s1_instr_q[bismo_isa_pkg::ResultWidthLsb+:2];
  assign bad_width  = (result_width != '0) & (32'd16 >> result_width < MinResultBits);
  assign tiles_span = (37'(count) << TileShift) >> bittern_result_pkg::halvings(result_width);
  assign multi_tile = (s1_instr_q[bismo_isa_pkg::ExecLhsTilesLsb+:14] != '0) |
                      (s1_instr_q[bismo_isa_pkg::ExecRhsTilesLsb+:14] != '0);
  assign accumulate = s1_instr_q[bismo_isa_pkg::ExecAccumulateLsb];
  assign emit       = s1_instr_q[bismo_isa_pkg::ExecEmitLsb];
  assign open       = (s2_valid_q & s2_kind_q[2]) ? ~s2_exec_q[7] : open_q;

  always_comb begin
    reserved = '0;
    if (is_fetch) reserved = bismo_isa_pkg::ReservedFetchLhs;
    else if (is_exec) reserved = bismo_isa_pkg::ReservedExec;
    else if (is_result) reserved = bismo_isa_pkg::ReservedResult;
  end

  always_comb begin
    illegal = (s1_instr_q & reserved) != '0;
    if (is_fetch | is_result) illegal |= (count == '0) | ~aligned | (is_fetch & too_narrow) | (is_result & bad_width);
    else if (is_exec) illegal |= (k_words == '0) | (accumulate & (multi_tile | ~open));
    else illegal = 1'b1;
  end

  // All lanes lie between lane 0 and the last one, so the end of the last lane decides.
  assign dram_limit = (mem_limit_i == '0) ? 37'h1_0000_0000 : 37'(mem_limit_i);
  assign dram_end   = 37'(s1_instr_q[bismo_isa_pkg::FetchDramBaseLsb+:32]) + 37'(s1_lane_span_q) +
                      (is_result ? tiles_span : 37'(count) << BeatShift);
  // Banks that are filled: a power of two, whose addresses are ceil(words / banks).
  assign narrow     = s1_instr_q[bismo_isa_pkg::FetchNarrowLsb+:3];
  assign too_narrow = 4'(narrow) > (is_rhs ? 4'(LogDn) : 4'(LogDm));
  assign last_bank  = (is_rhs ? BankWidth'(Dn - 1) : BankWidth'(Dm - 1)) >> narrow;
  assign fetch_rows = (25'(count) + 25'(last_bank)) >> ((is_rhs ? 4'(LogDn) : 4'(LogDm)) - 4'(narrow));
  assign fetch_end  = 26'(s1_instr_q[bismo_isa_pkg::FetchBufferBaseLsb+:16]) + 26'(fetch_rows);
  assign lhs_end    = 32'(s1_instr_q[bismo_isa_pkg::ExecLhsBaseLsb+:16]) + 32'(s1_lhs_span_q) +
                      32'(s1_lhs_planes_q) + 32'(k_words);
  assign rhs_end    = 32'(s1_instr_q[bismo_isa_pkg::ExecRhsBaseLsb+:16]) + 32'(s1_rhs_span_q) +
                      32'(s1_rhs_planes_q) + 32'(k_words);

  always_comb begin
    range = 1'b0;
    if (is_fetch | is_result) range |= dram_end > dram_limit;
    if (is_fetch) range |= fetch_end > (is_rhs ? 26'(RhsDepth) : 26'(LhsDepth));
    if (is_exec) range |= (lhs_end > 32'(LhsDepth)) | (rhs_end > 32'(RhsDepth));
  end

  always_ff @(posedge clk_i) begin
    if (s1_valid_q & s2_ready) begin
      s2_illegal_q <= illegal;
      s2_range_q   <= range & ~illegal;
      s2_kind_q    <= (illegal | range) ? 4'b0000 : {is_result, is_exec, is_rhs, is_fetch & ~is_rhs};
      // RESULT shares the fields of FETCH: its tiles stand where FETCH has its words.
      s2_fetch_q   <= {
        last_bank,
        s1_instr_q[bismo_isa_pkg::FetchLaneStrideLsb+:32],
        s1_instr_q[bismo_isa_pkg::FetchDramBaseLsb+:32],
        count,
        s1_instr_q[bismo_isa_pkg::FetchBufferBaseLsb+:16],
        s1_instr_q[bismo_isa_pkg::FetchSendFilledLsb],
        s1_instr_q[bismo_isa_pkg::FetchWaitFreeLsb],
        is_rhs
      };
      s2_format_q  <= s1_instr_q[bismo_isa_pkg::ResultWidthLsb+:8];
      s2_exec_q <= {
        s1_instr_q[bismo_isa_pkg::ExecRhsStrideLsb+:16],
        s1_instr_q[bismo_isa_pkg::ExecLhsStrideLsb+:16],
        k_words,
        s1_instr_q[bismo_isa_pkg::ExecRhsBaseLsb+:16] + s1_rhs_planes_q[15:0],
        s1_instr_q[bismo_isa_pkg::ExecLhsBaseLsb+:16] + s1_lhs_planes_q[15:0],
        s1_instr_q[bismo_isa_pkg::ExecRhsTilesLsb+:14],
        s1_instr_q[bismo_isa_pkg::ExecLhsTilesLsb+:14],
        s1_instr_q[bismo_isa_pkg::ExecRhsBitsLsb+:3],
        s1_instr_q[bismo_isa_pkg::ExecLhsBitsLsb+:3],
        emit,
        accumulate,
        s1_instr_q[bismo_isa_pkg::ExecRhsSignedLsb],
        s1_instr_q[bismo_isa_pkg::ExecLhsSignedLsb],
        s1_instr_q[bismo_isa_pkg::ExecFreeRhsLsb],
        s1_instr_q[bismo_isa_pkg::ExecFreeLhsLsb],
        s1_instr_q[bismo_isa_pkg::ExecWaitRhsLsb],
        s1_instr_q[bismo_isa_pkg::ExecWaitLhsLsb]
      };
    end
  end

  logic ready;
  logic push;
  assign s2_ready = ~s2_valid_q | ready;
  assign push     = s2_valid_q & s2_ready & ~flush;

  assign illegal_o  = s2_valid_q & s2_illegal_q & ~flush;
  assign range_o    = s2_valid_q & s2_range_q & ~flush;
  assign accepted_o = push ? s2_kind_q : 4'b0000;
  assign busy_o     = s1_valid_q | s2_valid_q | (fetch_valid_o != '0) | exec_valid_o | result_valid_o;

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
      .FetchWidth (FetchWidth),
      .ExecWidth  (122),
      .ResultWidth(96),
      .Depth      (QueueDepth)
  ) u_queues (
      .clk_i,
      .rst_ni,
      .clear_i       (flush),
      .valid_i       (s2_valid_q),
      .kind_i        (s2_kind_q),
      .fetch_data_i  (s2_fetch_q),
      .exec_data_i   (s2_exec_q),
      .result_data_i ({s2_format_q, s2_fetch_q[106:19]}),
      .ready_o       (ready),
      .fetch_valid_o,
      .fetch_data_o,
      .fetch_pop_i,
      .exec_valid_o,
      .exec_data_o,
      .exec_pop_i,
      .result_valid_o,
      .result_data_o,
      .result_pop_i
  );
endmodule
