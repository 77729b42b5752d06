// Execute stage: the nested-loop walker. SETUP and LOOP set modes and a nest of eight loops; COMPUTE walks the nest and issues
// one activation and one weight address a step. After the loop controller and address generators of Bit Fusion (Sharma et
// al., ISCA 2018), here with all levels decided in one cycle: the level that advances is the innermost one with iterations
// left, and its jumps are added to the addresses. Levels 0 to 3 are the reduction, 4 to 7 the outputs; level 2 walks the bytes
// of wide activations, level 3 those of wide weights.
//
// Latency (cycles): COMPUTE at the queue head with its tokens and a half of the output buffer there in c -> taken in c ->
// first step in c+1 (`run_o`), then one step a cycle. The next COMPUTE is taken in the cycle of the last step, so there is
// no gap. SETUP and LOOP at the head are taken at once: they change a copy that COMPUTE takes with it. Reads reach the
// buffers in step+1; data, `valid_o`, `first_o`, ... are at the array in step+2.
// Free tokens are given in the cycle of the last step, and can be taken by fetch in the next one; the address register
// delays the read by a cycle, but no beat that fetch asks for with this token can be written before that.
// A COMPUTE that begins a tile needs a half of the output buffer; it is in use from the cycle in which the COMPUTE is taken
// until `half_release_i`; a half released in cycle c can be taken in c+1.
// An address beyond its buffer, not aligned to the quarters that the step reads, or an output beyond its half raises
// `range_o` in the cycle of the step.
module bitfusion_walker #(
    parameter int unsigned IbufDepth = 128,
    parameter int unsigned WbufDepth = 128,
    parameter int unsigned ObufDepth = 128
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        clear_i,
    input  logic        halt_i,
    // Queue head.
    input  logic        valid_i,
    input  logic [65:0] data_i,
    output logic        pop_o,
    // Tokens and halves.
    input  logic        lhs_filled_i,
    input  logic        rhs_filled_i,
    output logic        lhs_take_o,
    output logic        rhs_take_o,
    output logic        lhs_free_o,
    output logic        rhs_free_o,
    input  logic        half_release_i,
    // Buffer read, one cycle after the step: quarter-word addresses, and how many quarters as a mode (0: 4, 1: 2, 2: 1).
    output logic        rd_en_o,
    output logic [17:0] lhs_addr_o,
    output logic [ 1:0] lhs_quarters_o,
    output logic [17:0] rhs_addr_o,
    output logic [ 1:0] rhs_quarters_o,
    // Array control, two cycles after the step.
    output logic        valid_o,
    output logic        first_o,       // first step of an output
    output logic        last_o,        // last step of an output
    output logic [ 1:0] lhs_mode_o,
    output logic [ 1:0] rhs_mode_o,
    output logic        lhs_signed_o,
    output logic        rhs_signed_o,
    output logic [ 1:0] shift_o,       // the products weigh 2^(8 * shift)
    output logic [ 2:0] tag_o,         // of an output: {it closes the tile, it is added to the tile, first of its COMPUTE}
    // Status and events.
    output logic        busy_o,
    output logic        run_o,
    output logic        range_o,
    output logic        wait_lhs_o,
    output logic        wait_rhs_o,
    output logic        wait_result_o,
    output logic [ 2:0] lhs_reads_o,   // quarters read by the step of this cycle
    output logic [ 2:0] rhs_reads_o
);
  localparam int unsigned Levels = 8;
  localparam int unsigned ReduceLevels = 4;

  // What SETUP and LOOP have set, for the COMPUTEs to come.
  logic [          7:0] set_flags_q;       // as in the queue word
  logic [16*Levels-1:0] set_iterations_q;  // minus 1
  logic [20*Levels-1:0] set_lhs_jump_q;
  logic [20*Levels-1:0] set_rhs_jump_q;

  // The running COMPUTE.
  logic                 active_q;
  logic [          3:0] flags_q;           // emit, accumulate, free_rhs, free_lhs
  logic [          7:0] mode_q;            // set_flags_q as it was taken
  logic [16*Levels-1:0] iterations_q;
  logic [20*Levels-1:0] lhs_jump_q;
  logic [20*Levels-1:0] rhs_jump_q;
  logic [16*Levels-1:0] left_q;            // iterations left after this one
  logic [   Levels-1:0] done_q;            // none left
  logic [          1:0] later_q;           // levels 2 and 3 are not in their first iteration: high bytes
  logic [         19:0] lhs_addr_q;        // of this step
  logic [         19:0] rhs_addr_q;
  logic                 first_q;           // first step of an output
  logic                 first_word_q;      // no output of this COMPUTE is finished
  logic [         15:0] word_q;            // outputs finished

  // Halves of the output buffer.
  logic [          1:0] used_q;
  logic                 open_q;            // the last COMPUTE taken does not close its tile

  logic flush;
  logic step;
  logic output_end;
  logic compute_end;
  assign flush       = clear_i | halt_i;
  assign step        = active_q & ~flush;
  assign output_end  = done_q[ReduceLevels-1:0] == '1;
  assign compute_end = step & (done_q == '1);

  // Taking the next instruction.
  logic [ 1:0] kind;
  logic [ 7:0] flags;
  logic [15:0] iterations;
  logic [19:0] lhs_value;
  logic [19:0] rhs_value;
  logic        is_compute;
  logic        begins;
  logic        need_lhs;
  logic        need_rhs;
  logic        need_half;
  logic        load;
  logic        set;
  assign kind       = data_i[1:0];
  assign flags      = data_i[9:2];
  assign iterations = data_i[25:10];
  assign lhs_value  = data_i[45:26];
  assign rhs_value  = data_i[65:46];
  assign is_compute = valid_i & kind[1];
  assign begins     = ~flags[4] & ~open_q;
  assign need_lhs   = flags[0] & ~lhs_filled_i;
  assign need_rhs   = flags[1] & ~rhs_filled_i;
  assign need_half  = begins & used_q[1];
  assign load       = is_compute & (~active_q | compute_end) & ~need_lhs & ~need_rhs & ~need_half & ~flush;
  assign set        = valid_i & ~kind[1] & ~flush;
  assign pop_o      = load | set;
  assign lhs_take_o = load & flags[0];
  assign rhs_take_o = load & flags[1];
  assign lhs_free_o = compute_end & flags_q[0];
  assign rhs_free_o = compute_end & flags_q[1];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      set_flags_q      <= '0;
      set_iterations_q <= '0;
      set_lhs_jump_q   <= '0;
      set_rhs_jump_q   <= '0;
    end else if (clear_i | (set & ~kind[0])) begin
      set_flags_q      <= clear_i ? '0 : flags;
      set_iterations_q <= '0;
      set_lhs_jump_q   <= '0;
      set_rhs_jump_q   <= '0;
    end else if (set) begin
      for (int unsigned l = 0; l < Levels; l++) begin
        if (flags[2:0] == 3'(l)) begin
          set_iterations_q[16*l+:16] <= iterations;
          set_lhs_jump_q[20*l+:20]   <= lhs_value;
          set_rhs_jump_q[20*l+:20]   <= rhs_value;
        end
      end
    end
  end

  // The level that advances, one hot: every level inside it is done, and starts again.
  logic [Levels-1:0] inner_done;
  logic [Levels-1:0] advance;
  logic [      19:0] lhs_jump;
  logic [      19:0] rhs_jump;
  assign inner_done = done_q ^ (done_q + Levels'(1));  // up to the first that is not done
  assign advance    = inner_done & ~done_q;

  always_comb begin
    lhs_jump = '0;
    rhs_jump = '0;
    for (int unsigned l = 0; l < Levels; l++) begin
      lhs_jump |= lhs_jump_q[20*l+:20] & {20{advance[l]}};
      rhs_jump |= rhs_jump_q[20*l+:20] & {20{advance[l]}};
    end
  end

  always_ff @(posedge clk_i) begin
    if (load) begin
      flags_q      <= flags[5:2];
      mode_q       <= set_flags_q;
      iterations_q <= set_iterations_q;
      lhs_jump_q   <= set_lhs_jump_q;
      rhs_jump_q   <= set_rhs_jump_q;
      left_q       <= set_iterations_q;
      for (int unsigned l = 0; l < Levels; l++) done_q[l] <= set_iterations_q[16*l+:16] == '0;
      later_q      <= '0;
      lhs_addr_q   <= lhs_value;
      rhs_addr_q   <= rhs_value;
      first_q      <= 1'b1;
      first_word_q <= 1'b1;
      word_q       <= '0;
    end else if (step) begin
      lhs_addr_q <= lhs_addr_q + lhs_jump;
      rhs_addr_q <= rhs_addr_q + rhs_jump;
      first_q    <= output_end;
      for (int unsigned l = 0; l < Levels; l++) begin
        if (advance[l]) begin
          left_q[16*l+:16] <= left_q[16*l+:16] - 16'd1;
          done_q[l]        <= left_q[16*l+:16] == 16'd1;
        end else if (inner_done[l]) begin
          left_q[16*l+:16] <= iterations_q[16*l+:16];
          done_q[l]        <= iterations_q[16*l+:16] == '0;
        end
      end
      if (inner_done[2]) later_q[0] <= advance[2];
      if (inner_done[3]) later_q[1] <= advance[3];
      if (output_end) begin
        first_word_q <= 1'b0;
        word_q       <= word_q + 16'd1;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      open_q   <= 1'b0;
      used_q   <= '0;
    end else if (clear_i) begin
      active_q <= 1'b0;
      open_q   <= 1'b0;
      used_q   <= '0;
    end else begin
      active_q <= ~halt_i & (load | (active_q & ~compute_end));
      if (load) open_q <= ~flags[5];
      if ((load & begins) != half_release_i) used_q <= half_release_i ? used_q - 2'd1 : used_q + 2'd1;
    end
  end

  // Operands of the step. An 8-bit partner leaves one quarter to read, a 4-bit one two, a 2-bit one all four.
  logic [ 1:0] lhs_mode;
  logic [ 1:0] rhs_mode;
  logic        lhs_high;  // the high byte of a wide operand
  logic        rhs_high;
  logic        misaligned;
  logic [12:0] control;
  assign lhs_mode = mode_q[1:0];
  assign rhs_mode = mode_q[3:2];
  assign lhs_high = mode_q[6] & later_q[0];
  assign rhs_high = mode_q[7] & later_q[1];
  assign control  = {
    flags_q[3] & (done_q == '1), flags_q[2], first_word_q,
    {1'b0, lhs_high} + {1'b0, rhs_high},
    mode_q[5] & (~mode_q[7] | rhs_high), mode_q[4] & (~mode_q[6] | lhs_high), rhs_mode, lhs_mode,
    output_end, first_q
  };

  assign misaligned   = (~rhs_mode[1] & (lhs_addr_q[0] | (~rhs_mode[0] & lhs_addr_q[1]))) |
                        (~lhs_mode[1] & (rhs_addr_q[0] | (~lhs_mode[0] & rhs_addr_q[1])));
  assign range_o      = step & (misaligned | (lhs_addr_q >= 20'(4 * IbufDepth)) | (rhs_addr_q >= 20'(4 * WbufDepth)) |
                        (word_q >= 16'(ObufDepth / 2)));
  assign lhs_reads_o  = ~step ? 3'd0 : rhs_mode[1] ? 3'd1 : rhs_mode[0] ? 3'd2 : 3'd4;
  assign rhs_reads_o  = ~step ? 3'd0 : lhs_mode[1] ? 3'd1 : lhs_mode[0] ? 3'd2 : 3'd4;

  // Control travels with the read: address register, then memory.
  logic        rd_en_q;
  logic        valid_q;
  logic [12:0] control1_q;
  logic [12:0] control2_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rd_en_q <= 1'b0;
      valid_q <= 1'b0;
    end else if (clear_i) begin
      rd_en_q <= 1'b0;
      valid_q <= 1'b0;
    end else begin
      rd_en_q <= step;
      valid_q <= rd_en_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (step) begin
      lhs_addr_o     <= lhs_addr_q[17:0];
      rhs_addr_o     <= rhs_addr_q[17:0];
      lhs_quarters_o <= rhs_mode;
      rhs_quarters_o <= lhs_mode;
      control1_q     <= control;
    end
    if (rd_en_q) control2_q <= control1_q;
  end

  assign rd_en_o       = rd_en_q;
  assign valid_o       = valid_q;
  assign first_o       = control2_q[0];
  assign last_o        = control2_q[1];
  assign lhs_mode_o    = control2_q[3:2];
  assign rhs_mode_o    = control2_q[5:4];
  assign lhs_signed_o  = control2_q[6];
  assign rhs_signed_o  = control2_q[7];
  assign shift_o       = control2_q[9:8];
  assign tag_o         = control2_q[12:10];

  assign busy_o        = active_q | rd_en_q | valid_q;
  assign run_o         = step;
  assign wait_lhs_o    = is_compute & ~active_q & need_lhs;
  assign wait_rhs_o    = is_compute & ~active_q & ~need_lhs & need_rhs;
  assign wait_result_o = is_compute & ~active_q & ~need_lhs & ~need_rhs & need_half;
endmodule
