// Execute stage of the Stripes core: walks over tiles (RHS inner), the bricks of a tile, and the bit planes of a brick, most
// significant first, and generates the buffer reads and the control of the array that go with each step. A serial operand is
// read every step, the parallel one once a brick, as in Stripes (Judd et al., MICRO 2016); with both operands serial (as in
// Loom, Sharify et al., DAC 2018) the plane pairs of a brick run over anti-diagonals, so that the array needs only a shift
// by one. Steps of a tile: bricks * lhs_bits (Serial = 0), * rhs_bits (1), * lhs_bits * rhs_bits (2). No step is lost
// between planes, bricks, tiles, and between instructions whose tokens are there.
//
// Staggered columns (Serial = 0): `columns_o` + 1 weight words a brick are read in its first steps, one for each column,
// whether the columns have filters of their own or share them (`cascade_o`).
//
// Latency (cycles): instruction at the queue head with its tokens there in c -> taken in c -> first step in c+1 (`run_o`).
// While an instruction runs, the next is taken in the cycle of its last step. The read reaches the buffers in step+1, data
// and `valid_o`, `load_o`, ... are at the array in step+2. Free tokens are given in the cycle of the last step.
// An instruction with another number of staggered columns than the one before waits until the array is empty.
// Slots: the first step of the last brick of a tile that needs a new result slot waits until one of the `ResultSlots` is not
// in use (between bricks the columns can be held without losing their skew). A slot is in use from that step until
// `slot_release_i`; a slot released in cycle c can be taken in c+1.
module stripes_exec #(
    parameter int unsigned Serial      = 0,
    parameter int unsigned ResultSlots = 2
) (
    input  logic         clk_i,
    input  logic         rst_ni,
    input  logic         clear_i,
    input  logic         halt_i,
    // Queue head.
    input  logic         valid_i,
    input  logic [123:0] data_i,
    output logic         pop_o,
    // Tokens and slots.
    input  logic         lhs_filled_i,
    input  logic         rhs_filled_i,
    output logic         lhs_take_o,
    output logic         rhs_take_o,
    output logic         lhs_free_o,
    output logic         rhs_free_o,
    input  logic         slot_release_i,
    input  logic         array_busy_i,
    // Buffer reads, one cycle after the step.
    output logic         lhs_rd_en_o,
    output logic         rhs_rd_en_o,
    output logic [ 16:0] lhs_addr_o,
    output logic [ 15:0] rhs_addr_o,
    // Array control, two cycles after the step.
    output logic         valid_o,
    output logic         load_o,        // parallel operand: a new word for ...
    output logic         signed_o,      // ... a two's complement one, of ...
    output logic [  3:0] msb_o,         // ... so many bits, minus 1
    output logic         first_o,       // first step of a brick
    output logic         shift_o,
    output logic         negate_o,
    output logic         brick_o,       // last step of a brick
    output logic         clear_o,       // of the first brick of a tile
    output logic         last_o,        // of the last brick, with ...
    output logic         accumulate_o,  // ... add to the open slot
    output logic         emit_o,        // ... hand the slot over
    output logic [  3:0] columns_o,     // staggered columns, minus 1, and whether they ...
    output logic         cascade_o,     // ... share filters; both change only while the array is empty
    // Status and events.
    output logic         busy_o,
    output logic         run_o,
    output logic         wait_lhs_o,
    output logic         wait_rhs_o,
    output logic         wait_result_o
);
  localparam int unsigned SlotWidth = $clog2(ResultSlots + 1);
  localparam int unsigned ColumnsLsb = 120;  // in the queue word (stripes_dispatch)

  // The running instruction.
  logic        active_q;
  logic        free_lhs_q;
  logic        free_rhs_q;
  logic        lhs_signed_q;
  logic        rhs_signed_q;
  logic        accumulate_q;
  logic        emit_q;
  logic [ 3:0] lhs_msb_q;
  logic [ 3:0] rhs_msb_q;
  logic [ 3:0] columns_q;
  logic        cascade_q;
  logic [12:0] rhs_tiles_q;
  logic [15:0] rhs_first_q;
  logic [10:0] bricks_q;       // minus 1
  logic [16:0] lhs_stride_q;
  logic [15:0] rhs_stride_q;
  // Tile loops: tiles left after this one, and where the stripes of this one start.
  logic [12:0] lhs_left_q;
  logic [12:0] rhs_left_q;
  logic [16:0] lhs_tile_q;
  logic [15:0] rhs_tile_q;
  // Brick: those left after this one.
  logic [10:0] brick_left_q;
  logic        tile_first_q;   // first brick of the tile
  // Planes, counted from the most significant: first pair of the slice, and pair. A parallel operand counts as one plane.
  logic [ 3:0] slice_l_q;
  logic [ 3:0] slice_r_q;
  logic [ 3:0] pair_l_q;
  logic [ 3:0] pair_r_q;
  // Addresses: brick, first pair of the slice, pair (to be read now).
  logic [16:0] brick_lhs_q;
  logic [15:0] brick_rhs_q;
  logic [16:0] slice_lhs_q;
  logic [15:0] slice_rhs_q;
  logic [16:0] lhs_addr_q;
  logic [15:0] rhs_addr_q;
  logic        slice_first_q;  // first pair of a later slice

  // Result slots.
  logic [SlotWidth-1:0] used_q;
  logic                 open_q;  // the slot of the last tile was not emitted
  logic                 slot_take;

  // Last planes as far as they are walked over, and words that a brick takes in each buffer.
  logic [3:0] lhs_last;
  logic [3:0] rhs_last;
  logic [4:0] lhs_words;
  logic [4:0] rhs_words;
  assign lhs_last  = Serial != 1 ? lhs_msb_q : 4'd0;
  assign rhs_last  = Serial != 0 ? rhs_msb_q : 4'd0;
  assign lhs_words = 5'(lhs_last) + 5'd1;
  assign rhs_words = (Serial != 0 ? 5'(rhs_last) : 5'(columns_q)) + 5'd1;

  logic first_step;
  logic last_pair;
  logic last_slice;
  logic last_brick;
  logic last_tile;
  logic brick_end;
  logic tile_end;
  logic instr_end;
  logic issue;
  logic flush;

  assign flush      = clear_i | halt_i;
  assign first_step = (slice_l_q == '0) & (slice_r_q == '0);
  assign last_pair  = (pair_l_q == '0) | (pair_r_q == rhs_last);
  assign last_slice = (slice_l_q == lhs_last) & (slice_r_q == rhs_last);
  assign last_brick = brick_left_q == '0;
  assign last_tile  = (lhs_left_q == '0) & (rhs_left_q == '0);
  // The first and the last slice have one pair.
  assign brick_end  = last_slice;
  assign tile_end   = brick_end & last_brick;
  assign slot_take  = issue & first_step & last_brick & ~open_q;
  assign issue      = active_q & ~flush &
                      ~(first_step & last_brick & ~open_q & (used_q == SlotWidth'(ResultSlots)));
  assign instr_end  = issue & tile_end & last_tile;

  // Taking the next instruction.
  logic need_lhs;
  logic need_rhs;
  logic need_empty;
  logic can_load;
  logic load;
  logic draining;
  assign need_lhs   = data_i[0] & ~lhs_filled_i;
  assign need_rhs   = data_i[1] & ~rhs_filled_i;
  assign need_empty = ((data_i[ColumnsLsb+:4] != columns_q) | (data_i[27] != cascade_q)) &
                      (active_q | draining | array_busy_i);
  assign can_load   = valid_i & (~active_q | instr_end);
  assign load       = can_load & ~need_lhs & ~need_rhs & ~need_empty & ~flush;
  assign pop_o      = load;
  assign lhs_take_o = load & data_i[0];
  assign rhs_take_o = load & data_i[1];
  assign lhs_free_o = instr_end & free_lhs_q;
  assign rhs_free_o = instr_end & free_rhs_q;

  // First pair of the next slice: one plane further down on the side that can go.
  logic        next_on_lhs;
  logic [ 3:0] next_slice_l;
  logic [ 3:0] next_slice_r;
  logic [16:0] next_slice_lhs;
  logic [15:0] next_slice_rhs;
  assign next_on_lhs    = slice_l_q != lhs_last;
  assign next_slice_l   = next_on_lhs ? slice_l_q + 4'd1 : slice_l_q;
  assign next_slice_r   = next_on_lhs ? slice_r_q : slice_r_q + 4'd1;
  assign next_slice_lhs = next_on_lhs ? slice_lhs_q + 17'd1 : slice_lhs_q;
  assign next_slice_rhs = next_on_lhs ? slice_rhs_q : slice_rhs_q + 16'd1;

  // Next tile: RHS inner.
  logic        next_row;
  logic [16:0] next_lhs_tile;
  logic [15:0] next_rhs_tile;
  assign next_row      = rhs_left_q == '0;
  assign next_lhs_tile = next_row ? lhs_tile_q + lhs_stride_q : lhs_tile_q;
  assign next_rhs_tile = next_row ? rhs_first_q : rhs_tile_q + rhs_stride_q;

  // Next brick, of this tile or the next.
  logic [16:0] next_brick_lhs;
  logic [15:0] next_brick_rhs;
  assign next_brick_lhs = last_brick ? next_lhs_tile : brick_lhs_q + 17'(lhs_words);
  assign next_brick_rhs = last_brick ? next_rhs_tile : brick_rhs_q + 16'(rhs_words);

  // What is read in this step. Of staggered columns each has its word in the step of its number.
  logic read_lhs;
  logic read_rhs;
  assign read_lhs = (Serial != 1) | first_step;
  assign read_rhs = (Serial != 0) | (slice_l_q <= columns_q);

  always_ff @(posedge clk_i) begin
    if (load) begin
      free_lhs_q    <= data_i[2];
      free_rhs_q    <= data_i[3];
      lhs_signed_q  <= data_i[4];
      rhs_signed_q  <= data_i[5];
      accumulate_q  <= data_i[6];
      emit_q        <= data_i[7];
      lhs_msb_q     <= data_i[8+:4];
      rhs_msb_q     <= data_i[12+:4];
      bricks_q      <= data_i[16+:11];
      brick_left_q  <= data_i[16+:11];
      rhs_first_q   <= data_i[28+:16];
      rhs_tile_q    <= data_i[28+:16];
      brick_rhs_q   <= data_i[28+:16];
      slice_rhs_q   <= data_i[28+:16];
      rhs_addr_q    <= data_i[28+:16];
      rhs_stride_q  <= data_i[44+:16];
      lhs_tile_q    <= data_i[60+:17];
      brick_lhs_q   <= data_i[60+:17];
      slice_lhs_q   <= data_i[60+:17];
      lhs_addr_q    <= data_i[60+:17];
      lhs_stride_q  <= data_i[77+:17];
      lhs_left_q    <= data_i[94+:13];
      rhs_left_q    <= data_i[107+:13];
      rhs_tiles_q   <= data_i[107+:13];
      slice_l_q     <= '0;
      slice_r_q     <= '0;
      pair_l_q      <= '0;
      pair_r_q      <= '0;
      tile_first_q  <= 1'b1;
      slice_first_q <= 1'b0;
    end else if (issue) begin
      slice_first_q <= last_pair & ~last_slice;
      if (!last_pair) begin
        pair_l_q   <= pair_l_q - 4'd1;
        pair_r_q   <= pair_r_q + 4'd1;
        lhs_addr_q <= lhs_addr_q - 17'd1;
        rhs_addr_q <= rhs_addr_q + 16'd1;
      end else if (!last_slice) begin
        slice_l_q   <= next_slice_l;
        slice_r_q   <= next_slice_r;
        slice_lhs_q <= next_slice_lhs;
        slice_rhs_q <= next_slice_rhs;
        pair_l_q    <= next_slice_l;
        pair_r_q    <= next_slice_r;
        lhs_addr_q  <= next_slice_lhs;
        // Serial activations: the words of staggered columns one after the other.
        rhs_addr_q  <= Serial != 0 ? next_slice_rhs : rhs_addr_q + 16'd1;
      end else begin
        slice_l_q    <= '0;
        slice_r_q    <= '0;
        pair_l_q     <= '0;
        pair_r_q     <= '0;
        brick_lhs_q  <= next_brick_lhs;
        brick_rhs_q  <= next_brick_rhs;
        slice_lhs_q  <= next_brick_lhs;
        slice_rhs_q  <= next_brick_rhs;
        lhs_addr_q   <= next_brick_lhs;
        rhs_addr_q   <= next_brick_rhs;
        tile_first_q <= last_brick;
        if (!last_brick) begin
          brick_left_q <= brick_left_q - 11'd1;
        end else begin
          brick_left_q <= bricks_q;
          lhs_tile_q   <= next_lhs_tile;
          rhs_tile_q   <= next_rhs_tile;
          rhs_left_q   <= next_row ? rhs_tiles_q : rhs_left_q - 13'd1;
          if (next_row) lhs_left_q <= lhs_left_q - 13'd1;
        end
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q  <= 1'b0;
      open_q    <= 1'b0;
      used_q    <= '0;
      columns_q <= '0;
      cascade_q <= 1'b0;
    end else if (clear_i) begin
      active_q  <= 1'b0;
      open_q    <= 1'b0;
      used_q    <= '0;
      columns_q <= '0;
      cascade_q <= 1'b0;
    end else begin
      active_q <= ~halt_i & (load | (active_q & ~instr_end));
      if (load) begin
        columns_q <= data_i[ColumnsLsb+:4];
        cascade_q <= data_i[27];
      end
      if (issue & tile_end) open_q <= ~emit_q;
      if (slot_take != slot_release_i) begin
        used_q <= slot_take ? used_q + SlotWidth'(1) : used_q - SlotWidth'(1);
      end
    end
  end

  // Control travels with the read: address register, then memory.
  logic        rd_valid_q;
  logic        lhs_rd_en_q;
  logic        rhs_rd_en_q;
  logic        valid_q;
  logic [13:0] ctl1_q;
  logic [13:0] ctl2_q;
  logic        negate;

  assign negate = ((Serial != 1) & (pair_l_q == '0) & lhs_signed_q) ^ ((Serial != 0) & (pair_r_q == '0) & rhs_signed_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rd_valid_q  <= 1'b0;
      lhs_rd_en_q <= 1'b0;
      rhs_rd_en_q <= 1'b0;
      valid_q     <= 1'b0;
    end else if (clear_i) begin
      rd_valid_q  <= 1'b0;
      lhs_rd_en_q <= 1'b0;
      rhs_rd_en_q <= 1'b0;
      valid_q     <= 1'b0;
    end else begin
      rd_valid_q  <= issue;
      lhs_rd_en_q <= issue & read_lhs;
      rhs_rd_en_q <= issue & read_rhs;
      valid_q     <= rd_valid_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (issue) begin
      lhs_addr_o <= lhs_addr_q;
      rhs_addr_o <= rhs_addr_q;
      ctl1_q <= {
        Serial == 2 ? 4'd0 : Serial == 1 ? lhs_msb_q : rhs_msb_q,
        Serial == 2 ? 1'b0 : Serial == 1 ? lhs_signed_q : rhs_signed_q,
        emit_q,
        accumulate_q,
        last_brick,
        tile_first_q,
        brick_end,
        negate,
        slice_first_q,
        first_step,
        (Serial == 2) | first_step
      };
    end
    if (rd_valid_q) ctl2_q <= ctl1_q;
  end

  assign draining      = rd_valid_q | valid_q;
  assign lhs_rd_en_o   = lhs_rd_en_q;
  assign rhs_rd_en_o   = rhs_rd_en_q;
  assign valid_o       = valid_q;
  assign load_o        = ctl2_q[0];
  assign first_o       = ctl2_q[1];
  assign shift_o       = ctl2_q[2];
  assign negate_o      = ctl2_q[3];
  assign brick_o       = ctl2_q[4];
  assign clear_o       = ctl2_q[5];
  assign last_o        = ctl2_q[6];
  assign accumulate_o  = ctl2_q[7];
  assign emit_o        = ctl2_q[8];
  assign signed_o      = ctl2_q[9];
  assign msb_o         = ctl2_q[13:10];
  assign columns_o     = columns_q;
  assign cascade_o     = cascade_q;

  assign busy_o        = active_q | draining;
  assign run_o         = issue;
  assign wait_lhs_o    = valid_i & ~active_q & need_lhs;
  assign wait_rhs_o    = valid_i & ~active_q & ~need_lhs & need_rhs;
  assign wait_result_o = active_q & ~issue & ~flush;
endmodule
