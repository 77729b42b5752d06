// Takes the instruction stream of the Stripes core, checks every instruction, and puts it into the queue of its stage. Built
// like the dispatcher of the BISMO core (rtl/bismo/bismo_dispatch.sv), for operands of which one is serial and the other
// parallel: a stripe of a serial operand takes bits addresses a brick, one of the parallel operand one address a brick, or
// one for each staggered column.
//
// Latency: instruction accepted in cycle c -> products registered (c+1) -> checks registered (c+2, the cycle of
// `error_valid_o` or of the push) -> at the head of an empty queue in c+3. One instruction a cycle.
// While `halt_i` is high instructions are accepted and dropped, and all queues are emptied.
//
// Queue words (low bits first):
//   fetch  {banks-1[8], stride[32], dram_base[32], words[24], buffer_base[17], send_filled, wait_free, rhs}
//   exec   the instruction without its opcode
//   result {shift[5], signed, width[2], stride[32], dram_base[32], tiles[24]}
module stripes_dispatch #(
    parameter int unsigned Units         = 64,    // results of a tile
    parameter int unsigned Columns       = 8,
    parameter int unsigned Serial        = 0,     // 0 activations, 1 weights, 2 both
    parameter int unsigned MaxBits       = 8,
    parameter int unsigned LhsBanks      = 1,
    parameter int unsigned RhsBanks      = 8,
    parameter int unsigned LhsDepth      = 8192,
    parameter int unsigned RhsDepth      = 1024,
    parameter int unsigned Lanes         = 4,
    parameter int unsigned FetchGroups   = 1,
    parameter int unsigned NumWritePorts = 4,
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
    output logic [116*FetchGroups-1:0] fetch_data_o,
    input  logic [    FetchGroups-1:0] fetch_pop_i,
    output logic                       exec_valid_o,
    output logic [              123:0] exec_data_o,
    input  logic                       exec_pop_i,
    output logic                       result_valid_o,
    output logic [               95:0] result_data_o,
    input  logic                       result_pop_i,
    output logic                       illegal_o,       // one-cycle pulses
    output logic                       range_o,
    output logic [                3:0] accepted_o,      // fetch_lhs, fetch_rhs, exec, result: put into its queue
    output logic [                3:0] lhs_bits_o,      // of the elements that FETCH reads, minus 1: those of the first one
    output logic [                3:0] rhs_bits_o,
    output logic                       busy_o
);
  localparam int unsigned BeatShift = $clog2(PortWidth / 8);
  localparam int unsigned TileShift = $clog2(Units * 4 / NumWritePorts);

  // Stage 1: the instruction and the products that its checks need.
  logic         s1_valid_q;
  logic [127:0] s1_instr_q;
  logic [ 29:0] s1_lhs_span_q;    // (lhs_tiles - 1) * lhs_stride
  logic [ 28:0] s1_rhs_span_q;
  logic [ 16:0] s1_lhs_depth_q;   // addresses of a stripe
  logic [ 16:0] s1_rhs_depth_q;
  logic [ 26:0] s1_words_q;       // words of a FETCH
  logic [ 35:0] s1_lane_span_q;   // (ports - 1) * lane_stride

  // Stage 2: the verdict and what goes into the queue.
  logic         s2_valid_q;
  logic         s2_illegal_q;
  logic         s2_range_q;
  logic [  3:0] s2_kind_q;        // one hot: fetch_lhs, fetch_rhs, exec, result
  logic [115:0] s2_fetch_q;
  logic [123:0] s2_exec_q;
  logic [  7:0] s2_format_q;      // of a RESULT: shift, signed, width
  logic [  3:0] s2_bits_q;        // of a FETCH
  logic         open_q;           // the last EXEC left its slot open
  logic         lhs_seen_q;       // a FETCH said how many bits the operand has
  logic         rhs_seen_q;
  logic [  3:0] lhs_bits_q;
  logic [  3:0] rhs_bits_q;

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
  logic [4:0] in_lhs_words;  // addresses of a brick
  logic [4:0] in_rhs_words;
  logic [11:0] in_bricks;
  assign in_opcode    = instr_data_i[3:0];
  assign in_lhs_words = 5'd1 + (Serial != 1 ? 5'(instr_data_i[stripes_isa_pkg::ExecLhsBitsLsb+:4]) : 5'd0);
  assign in_rhs_words = 5'd1 + (Serial != 0 ? 5'(instr_data_i[stripes_isa_pkg::ExecRhsBitsLsb+:4]) :
                                               5'(instr_data_i[stripes_isa_pkg::ExecColumnsLsb+:4]));
  assign in_bricks    = 12'd1 + 12'(instr_data_i[stripes_isa_pkg::ExecBricksLsb+:11]);

  always_ff @(posedge clk_i) begin
    if (take) begin
      s1_instr_q     <= instr_data_i;
      s1_lhs_span_q  <= 30'(instr_data_i[stripes_isa_pkg::ExecLhsTilesLsb+:13]) *
                        30'(instr_data_i[stripes_isa_pkg::ExecLhsStrideLsb+:17]);
      s1_rhs_span_q  <= 29'(instr_data_i[stripes_isa_pkg::ExecRhsTilesLsb+:13]) *
                        29'(instr_data_i[stripes_isa_pkg::ExecRhsStrideLsb+:16]);
      s1_lhs_depth_q <= 17'(in_lhs_words) * 17'(in_bricks);
      s1_rhs_depth_q <= 17'(in_rhs_words) * 17'(in_bricks);
      s1_words_q     <= 27'(instr_data_i[stripes_isa_pkg::FetchRowsLsb+:18]) *
                        (27'(instr_data_i[stripes_isa_pkg::FetchBanksLsb+:8]) + 27'd1);
      s1_lane_span_q <= (in_opcode == stripes_isa_pkg::OpResult ? 36'(NumWritePorts) - 36'd1 : 36'(Lanes) - 36'd1) *
                        36'(instr_data_i[stripes_isa_pkg::FetchLaneStrideLsb+:32]);
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
  logic [  7:0] banks;
  logic [  3:0] exec_columns;
  logic         aligned;
  logic [  1:0] result_width;
  logic         bad_width;
  logic [ 36:0] tiles_span;   // bytes of all tiles in one port's region
  logic         multi_tile;
  logic         accumulate;
  logic         open;
  logic         illegal;
  logic [ 36:0] dram_end;
  logic [ 36:0] dram_limit;
  logic [ 18:0] fetch_end;
  logic [ 31:0] lhs_end;
  logic [ 31:0] rhs_end;
  logic         range;

  assign opcode     = s1_instr_q[3:0];
  assign is_rhs     = opcode == stripes_isa_pkg::OpFetchRhs;
  assign is_fetch   = (opcode == stripes_isa_pkg::OpFetchLhs) | is_rhs;
  assign is_exec    = opcode == stripes_isa_pkg::OpExec;
  assign is_result  = opcode == stripes_isa_pkg::OpResult;
  assign count      = is_result ? s1_instr_q[stripes_isa_pkg::ResultTilesLsb+:24] : 24'(s1_words_q);
  assign banks      = s1_instr_q[stripes_isa_pkg::FetchBanksLsb+:8];
  assign exec_columns = s1_instr_q[stripes_isa_pkg::ExecColumnsLsb+:4];
  assign aligned    = (s1_instr_q[stripes_isa_pkg::FetchDramBaseLsb+:6] == '0) &
                      (s1_instr_q[stripes_isa_pkg::FetchLaneStrideLsb+:6] == '0);
  // Results narrower than sums: the field says how often their 32 bits are halved, minus 1.
  assign result_width = s1_instr_q[stripes_isa_pkg::ResultWidthLsb+:2];
  assign bad_width  = (result_width != '0) & (32'd16 >> result_width < MinResultBits);
  assign tiles_span = (37'(count) << TileShift) >> bittern_result_pkg::halvings(result_width);
  assign multi_tile = (s1_instr_q[stripes_isa_pkg::ExecLhsTilesLsb+:13] != '0) |
                      (s1_instr_q[stripes_isa_pkg::ExecRhsTilesLsb+:13] != '0);
  assign accumulate = s1_instr_q[stripes_isa_pkg::ExecAccumulateLsb];
  assign open       = (s2_valid_q & s2_kind_q[2]) ? ~s2_exec_q[7] : open_q;

  always_comb begin
    reserved = '0;
    if (is_fetch) reserved = stripes_isa_pkg::ReservedFetchLhs;
    else if (is_exec) reserved = stripes_isa_pkg::ReservedExec;
    else if (is_result) reserved = stripes_isa_pkg::ReservedResult;
  end

  // How many bits the serialiser of the side is set to, when a FETCH before this one said so.
  logic       is_serial;
  logic       seen;
  logic [3:0] fetch_bits;
  logic [3:0] seen_bits;
  assign is_serial  = is_rhs ? Serial != 0 : Serial != 1;
  assign fetch_bits = s1_instr_q[stripes_isa_pkg::FetchBitsLsb+:4];
  always_comb begin
    seen      = is_rhs ? rhs_seen_q : lhs_seen_q;
    seen_bits = is_rhs ? rhs_bits_q : lhs_bits_q;
    if (s2_valid_q & s2_kind_q[is_rhs ? 1 : 0]) begin
      seen      = 1'b1;
      seen_bits = s2_bits_q;
    end
  end

  // Illegal: bits or banks that a side does not have, another number of bits than in the FETCHes before, more words than a queue
  // word can say, columns that do not exist or have to wait for their weights, and a cascade of one column.
  logic bad_bits;
  logic bad_banks;
  logic bad_fetch_bits;
  logic bad_columns;
  assign bad_bits    = (32'(s1_instr_q[stripes_isa_pkg::ExecLhsBitsLsb+:4]) >= MaxBits) |
                       (32'(s1_instr_q[stripes_isa_pkg::ExecRhsBitsLsb+:4]) >= MaxBits);
  assign bad_banks   = (32'(banks) >= (is_rhs ? RhsBanks : LhsBanks)) | (s1_words_q[26:24] != '0);
  assign bad_fetch_bits = is_serial ? (32'(fetch_bits) >= MaxBits) | (seen & (fetch_bits != seen_bits)) : fetch_bits != '0;
  assign bad_columns = (exec_columns == '0) ? s1_instr_q[stripes_isa_pkg::ExecCascadeLsb] :
                                         ((Serial != 0) | (32'(exec_columns) >= Columns) |
                                          (exec_columns > s1_instr_q[stripes_isa_pkg::ExecLhsBitsLsb+:4]));

  always_comb begin
    illegal = (s1_instr_q & reserved) != '0;
    if (is_fetch | is_result) illegal |= (count == '0) | ~aligned | (is_fetch & (bad_banks | bad_fetch_bits)) | (is_result & bad_width);
    else if (is_exec) illegal |= bad_bits | (accumulate & (multi_tile | ~open)) | bad_columns;
    else illegal = 1'b1;
  end

  // All lanes lie between lane 0 and the last one, so the end of the last lane decides.
  assign dram_limit = (mem_limit_i == '0) ? 37'h1_0000_0000 : 37'(mem_limit_i);
  assign dram_end   = 37'(s1_instr_q[stripes_isa_pkg::FetchDramBaseLsb+:32]) + 37'(s1_lane_span_q) +
                      (is_result ? tiles_span : 37'(count) << BeatShift);
  assign fetch_end  = 19'(s1_instr_q[stripes_isa_pkg::FetchBufferBaseLsb+:17]) +
                      19'(s1_instr_q[stripes_isa_pkg::FetchRowsLsb+:18]);
  assign lhs_end    = 32'(s1_instr_q[stripes_isa_pkg::ExecLhsBaseLsb+:17]) + 32'(s1_lhs_span_q) + 32'(s1_lhs_depth_q);
  assign rhs_end    = 32'(s1_instr_q[stripes_isa_pkg::ExecRhsBaseLsb+:16]) + 32'(s1_rhs_span_q) + 32'(s1_rhs_depth_q);

  always_comb begin
    range = 1'b0;
    if (is_fetch | is_result) range |= dram_end > dram_limit;
    if (is_fetch) range |= fetch_end > (is_rhs ? 19'(RhsDepth) : 19'(LhsDepth));
    if (is_exec) range |= (lhs_end > 32'(LhsDepth)) | (rhs_end > 32'(RhsDepth));
  end

  always_ff @(posedge clk_i) begin
    if (s1_valid_q & s2_ready) begin
      s2_illegal_q <= illegal;
      s2_range_q   <= range & ~illegal;
      s2_kind_q    <= (illegal | range) ? 4'b0000 : {is_result, is_exec, is_rhs, is_fetch & ~is_rhs};
      // RESULT shares the fields of FETCH: its tiles stand where FETCH has its words.
      s2_fetch_q   <= {
        banks,
        s1_instr_q[stripes_isa_pkg::FetchLaneStrideLsb+:32],
        s1_instr_q[stripes_isa_pkg::FetchDramBaseLsb+:32],
        count,
        s1_instr_q[stripes_isa_pkg::FetchBufferBaseLsb+:17],
        s1_instr_q[stripes_isa_pkg::FetchSendFilledLsb],
        s1_instr_q[stripes_isa_pkg::FetchWaitFreeLsb],
        is_rhs
      };
      s2_bits_q    <= fetch_bits;
      s2_format_q  <= s1_instr_q[stripes_isa_pkg::ResultWidthLsb+:8];
      s2_exec_q    <= s1_instr_q[127:4];
    end
  end

  logic ready;
  logic push;
  assign s2_ready = ~s2_valid_q | ready;
  assign push     = s2_valid_q & s2_ready & ~flush;

  assign illegal_o  = s2_valid_q & s2_illegal_q & ~flush;
  assign range_o    = s2_valid_q & s2_range_q & ~flush;
  assign lhs_bits_o = lhs_bits_q;
  assign rhs_bits_o = rhs_bits_q;
  assign accepted_o = push ? s2_kind_q : 4'b0000;
  assign busy_o     = s1_valid_q | s2_valid_q | (fetch_valid_o != '0) | exec_valid_o | result_valid_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      s1_valid_q <= 1'b0;
      s2_valid_q <= 1'b0;
      open_q     <= 1'b0;
      lhs_seen_q <= 1'b0;
      rhs_seen_q <= 1'b0;
      lhs_bits_q <= '0;
      rhs_bits_q <= '0;
    end else if (flush) begin
      s1_valid_q <= 1'b0;
      s2_valid_q <= 1'b0;
      open_q     <= 1'b0;
      lhs_seen_q <= 1'b0;
      rhs_seen_q <= 1'b0;
      lhs_bits_q <= '0;
      rhs_bits_q <= '0;
    end else begin
      s1_valid_q <= take | (s1_valid_q & ~s2_ready);
      s2_valid_q <= s1_valid_q | ~s2_ready;
      if (push & s2_kind_q[2]) open_q <= ~s2_exec_q[7];
      if (push & s2_kind_q[0]) begin
        lhs_seen_q <= 1'b1;
        lhs_bits_q <= s2_bits_q;
      end
      if (push & s2_kind_q[1]) begin
        rhs_seen_q <= 1'b1;
        rhs_bits_q <= s2_bits_q;
      end
    end
  end

  bittern_stage_queues #(
      .FetchGroups(FetchGroups),
      .FetchWidth (116),
      .ExecWidth  (124),
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
      .result_data_i ({s2_format_q, s2_fetch_q[107:20]}),
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
