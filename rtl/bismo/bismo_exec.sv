// Execute stage: generates one LHS and one RHS word address a cycle and the control of the array that goes with it.
// Order of bit-plane pairs as in BISMO v2 (Umuroglu et al., TRETS 2019; EECS-NTNU/bismo, execution instruction
// generator): anti-diagonals from the most significant pair down, so that the accumulators need only a shift by one.
//
// Latency (cycles): instruction at the queue head with its tokens there in c -> taken in c -> first address issued in c+1
// (`run_o`). While an instruction runs, the next is taken in the cycle of its last address, so there is no gap. The read
// reaches the buffers in issue+1, data and `valid_o`, `clear_o`, ... are at the array in issue+2.
// Free tokens are given in the cycle of the last address and can be taken by fetch in the next one; the address register
// delays the read by a cycle, but no beat that fetch asks for with this token can be written before that.
// Slots: the last address of a tile that needs a new result slot waits until one of the `ResultSlots` is not in use. A slot
// is in use from that address until `slot_release_i`; a slot released in cycle c can be taken in c+1.
module bismo_exec #(
    parameter int unsigned ResultSlots = 2
) (
    input  logic         clk_i,
    input  logic         rst_ni,
    input  logic         clear_i,
    input  logic         halt_i,
    // Queue head.
    input  logic         valid_i,
    input  logic [121:0] data_i,
    output logic         pop_o,
    // Tokens and slots.
    input  logic         lhs_filled_i,
    input  logic         rhs_filled_i,
    output logic         lhs_take_o,
    output logic         rhs_take_o,
    output logic         lhs_free_o,
    output logic         rhs_free_o,
    input  logic         slot_release_i,
    // Buffer read, one cycle after issue.
    output logic         rd_en_o,
    output logic [ 15:0] lhs_addr_o,
    output logic [ 15:0] rhs_addr_o,
    // Array control, two cycles after issue.
    output logic         valid_o,
    output logic         clear_o,
    output logic         shift_o,
    output logic         negate_o,
    output logic         last_o,        // last word of a tile, with ...
    output logic         accumulate_o,  // ... add to the open slot
    output logic         emit_o,        // ... hand the slot over
    // Status and events.
    output logic         busy_o,
    output logic         run_o,
    output logic         wait_lhs_o,
    output logic         wait_rhs_o,
    output logic         wait_result_o
);
  localparam int unsigned SlotWidth = $clog2(ResultSlots + 1);

  // The running instruction.
  logic        active_q;
  logic        free_lhs_q;
  logic        free_rhs_q;
  logic        lhs_signed_q;
  logic        rhs_signed_q;
  logic        accumulate_q;
  logic        emit_q;
  logic [ 2:0] lhs_msb_q;
  logic [ 2:0] rhs_msb_q;
  logic [13:0] rhs_tiles_q;
  logic [15:0] rhs_top_first_q;
  logic [15:0] k_words_q;
  logic [15:0] lhs_stride_q;
  logic [15:0] rhs_stride_q;
  // Tile loops: tiles left after this one, and the most significant plane of the tile's stripes.
  logic [13:0] lhs_left_q;
  logic [13:0] rhs_left_q;
  logic [15:0] lhs_top_q;
  logic [15:0] rhs_top_q;
  // First pair of the slice: planes and their word addresses.
  logic [ 2:0] slice_l_q;
  logic [ 2:0] slice_r_q;
  logic [15:0] slice_lhs_q;
  logic [15:0] slice_rhs_q;
  // Pair.
  logic [ 2:0] pair_l_q;
  logic [ 2:0] pair_r_q;
  logic [15:0] pair_lhs_q;
  logic [15:0] pair_rhs_q;
  // Word: the addresses to issue now, words left after this one.
  logic [15:0] k_left_q;
  logic [15:0] lhs_addr_q;
  logic [15:0] rhs_addr_q;
  logic        tile_first_q;   // first word of the tile
  logic        slice_first_q;  // first word of a later slice

  // Result slots.
  logic [SlotWidth-1:0] used_q;
  logic                 open_q;  // the slot of the last tile was not emitted
  logic                 slot_take;

  logic last_word;
  logic last_pair;
  logic last_slice;
  logic last_tile;
  logic tile_end;
  logic instr_end;
  logic issue;
  logic flush;

  assign flush      = clear_i | halt_i;
  assign last_word  = k_left_q == '0;
  assign last_pair  = (pair_l_q == lhs_msb_q) | (pair_r_q == '0);
  assign last_slice = (slice_l_q == '0) & (slice_r_q == '0);
  assign last_tile  = (lhs_left_q == '0) & (rhs_left_q == '0);
  // The last slice has one pair.
  assign tile_end   = last_word & last_slice;
  assign issue      = active_q & ~(tile_end & ~open_q & (used_q == SlotWidth'(ResultSlots))) & ~flush;
  assign instr_end  = issue & tile_end & last_tile;
  assign slot_take  = issue & tile_end & ~open_q;

  // Taking the next instruction.
  logic need_lhs;
  logic need_rhs;
  logic can_load;
  logic load;
  assign need_lhs   = data_i[0] & ~lhs_filled_i;
  assign need_rhs   = data_i[1] & ~rhs_filled_i;
  assign can_load   = valid_i & (~active_q | instr_end);
  assign load       = can_load & ~need_lhs & ~need_rhs & ~flush;
  assign pop_o      = load;
  assign lhs_take_o = load & data_i[0];
  assign rhs_take_o = load & data_i[1];
  assign lhs_free_o = instr_end & free_lhs_q;
  assign rhs_free_o = instr_end & free_rhs_q;

  // First pair of the next slice: one plane further down on the side that can go.
  logic        next_on_lhs;
  logic [ 2:0] next_slice_l;
  logic [ 2:0] next_slice_r;
  logic [15:0] next_slice_lhs;
  logic [15:0] next_slice_rhs;
  assign next_on_lhs    = slice_l_q != '0;
  assign next_slice_l   = next_on_lhs ? slice_l_q - 3'd1 : slice_l_q;
  assign next_slice_r   = next_on_lhs ? slice_r_q : slice_r_q - 3'd1;
  assign next_slice_lhs = next_on_lhs ? slice_lhs_q - k_words_q : slice_lhs_q;
  assign next_slice_rhs = next_on_lhs ? slice_rhs_q : slice_rhs_q - k_words_q;

  // Next pair of the slice: l up, r down.
  logic [15:0] next_pair_lhs;
  logic [15:0] next_pair_rhs;
  assign next_pair_lhs = pair_lhs_q + k_words_q;
  assign next_pair_rhs = pair_rhs_q - k_words_q;

  // Next tile: RHS inner.
  logic        next_row;
  logic [15:0] next_lhs_top;
  logic [15:0] next_rhs_top;
  assign next_row     = rhs_left_q == '0;
  assign next_lhs_top = next_row ? lhs_top_q + lhs_stride_q : lhs_top_q;
  assign next_rhs_top = next_row ? rhs_top_first_q : rhs_top_q + rhs_stride_q;

  always_ff @(posedge clk_i) begin
    if (load) begin
      free_lhs_q      <= data_i[2];
      free_rhs_q      <= data_i[3];
      lhs_signed_q    <= data_i[4];
      rhs_signed_q    <= data_i[5];
      accumulate_q    <= data_i[6];
      emit_q          <= data_i[7];
      lhs_msb_q       <= data_i[8+:3];
      rhs_msb_q       <= data_i[11+:3];
      lhs_left_q      <= data_i[14+:14];
      rhs_left_q      <= data_i[28+:14];
      rhs_tiles_q     <= data_i[28+:14];
      lhs_top_q       <= data_i[42+:16];
      rhs_top_q       <= data_i[58+:16];
      rhs_top_first_q <= data_i[58+:16];
      k_words_q       <= data_i[74+:16];
      lhs_stride_q    <= data_i[90+:16];
      rhs_stride_q    <= data_i[106+:16];
      slice_l_q       <= data_i[8+:3];
      slice_r_q       <= data_i[11+:3];
      slice_lhs_q     <= data_i[42+:16];
      slice_rhs_q     <= data_i[58+:16];
      pair_l_q        <= data_i[8+:3];
      pair_r_q        <= data_i[11+:3];
      pair_lhs_q      <= data_i[42+:16];
      pair_rhs_q      <= data_i[58+:16];
      lhs_addr_q      <= data_i[42+:16];
      rhs_addr_q      <= data_i[58+:16];
      k_left_q        <= data_i[74+:16] - 16'd1;
      tile_first_q    <= 1'b1;
      slice_first_q   <= 1'b0;
    end else if (issue) begin
      tile_first_q  <= tile_end;
      slice_first_q <= last_word & last_pair & ~last_slice;
      if (!last_word) begin
        k_left_q   <= k_left_q - 16'd1;
        lhs_addr_q <= lhs_addr_q + 16'd1;
        rhs_addr_q <= rhs_addr_q + 16'd1;
      end else begin
        k_left_q <= k_words_q - 16'd1;
        if (!last_pair) begin
          pair_l_q   <= pair_l_q + 3'd1;
          pair_r_q   <= pair_r_q - 3'd1;
          pair_lhs_q <= next_pair_lhs;
          pair_rhs_q <= next_pair_rhs;
          lhs_addr_q <= next_pair_lhs;
          rhs_addr_q <= next_pair_rhs;
        end else if (!last_slice) begin
          slice_l_q   <= next_slice_l;
          slice_r_q   <= next_slice_r;
          slice_lhs_q <= next_slice_lhs;
          slice_rhs_q <= next_slice_rhs;
          pair_l_q    <= next_slice_l;
          pair_r_q    <= next_slice_r;
          pair_lhs_q  <= next_slice_lhs;
          pair_rhs_q  <= next_slice_rhs;
          lhs_addr_q  <= next_slice_lhs;
          rhs_addr_q  <= next_slice_rhs;
        end else begin
          lhs_top_q   <= next_lhs_top;
          rhs_top_q   <= next_rhs_top;
          rhs_left_q  <= next_row ? rhs_tiles_q : rhs_left_q - 14'd1;
          if (next_row) lhs_left_q <= lhs_left_q - 14'd1;
          slice_l_q   <= lhs_msb_q;
          slice_r_q   <= rhs_msb_q;
          slice_lhs_q <= next_lhs_top;
          slice_rhs_q <= next_rhs_top;
          pair_l_q    <= lhs_msb_q;
          pair_r_q    <= rhs_msb_q;
          pair_lhs_q  <= next_lhs_top;
          pair_rhs_q  <= next_rhs_top;
          lhs_addr_q  <= next_lhs_top;
          rhs_addr_q  <= next_rhs_top;
        end
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
      active_q <= ~halt_i & (load | (active_q & ~instr_end));
      if (issue & tile_end) open_q <= ~emit_q;
      if (slot_take != slot_release_i) begin
        used_q <= slot_take ? used_q + SlotWidth'(1) : used_q - SlotWidth'(1);
      end
    end
  end

  // Control travels with the read: address register, then memory.
  logic       rd_en_q;
  logic       valid_q;
  logic [5:0] ctl1_q;
  logic [5:0] ctl2_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rd_en_q <= 1'b0;
      valid_q <= 1'b0;
    end else if (clear_i) begin
      rd_en_q <= 1'b0;
      valid_q <= 1'b0;
    end else begin
      rd_en_q <= issue;
      valid_q <= rd_en_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (issue) begin
      lhs_addr_o <= lhs_addr_q;
      rhs_addr_o <= rhs_addr_q;
      ctl1_q <= {
        emit_q,
        accumulate_q,
        tile_end,
        ((pair_l_q == lhs_msb_q) & lhs_signed_q) ^ ((pair_r_q == rhs_msb_q) & rhs_signed_q),
        slice_first_q,
        tile_first_q
      };
    end
    if (rd_en_q) ctl2_q <= ctl1_q;
  end

  assign rd_en_o      = rd_en_q;
  assign valid_o      = valid_q;
  assign clear_o      = ctl2_q[0];
  assign shift_o      = ctl2_q[1];
  assign negate_o     = ctl2_q[2];
  assign last_o       = valid_q & ctl2_q[3];
  assign accumulate_o = ctl2_q[4];
  assign emit_o       = ctl2_q[5];

  assign busy_o        = active_q | rd_en_q | valid_q;
  assign run_o         = issue;
  assign wait_lhs_o    = valid_i & ~active_q & need_lhs;
  assign wait_rhs_o    = valid_i & ~active_q & ~need_lhs & need_rhs;
  assign wait_result_o = active_q & ~issue & ~flush;
endmodule
