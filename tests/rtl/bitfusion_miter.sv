// What yosys is asked to prove never to be high: that the fast form of the array and the one of BitBricks differ.

// One unit with operands of LhsBits and RhsBits: any value and sign of any one product, the others zero.
module bitfusion_unit_miter #(
    parameter int unsigned LhsBits = 4,
    parameter int unsigned RhsBits = 4
) (
    input  logic               lhs_signed_i,
    input  logic               rhs_signed_i,
    input  logic [        3:0] product_i,
    input  logic [LhsBits-1:0] lhs_i,
    input  logic [RhsBits-1:0] rhs_i,
    output logic               differ_o
);
  localparam logic [1:0] LhsMode = 2'($clog2(LhsBits) - 1);
  localparam logic [1:0] RhsMode = 2'($clog2(RhsBits) - 1);
  logic [31:0] lhs;
  logic [31:0] rhs;
  always_comb begin
    lhs = '0;
    rhs = '0;
    for (int unsigned j = 0; j < 64 / (LhsBits * RhsBits); j++) begin
      if (product_i == 4'(j)) begin
        lhs[LhsBits*j+:LhsBits] = lhs_i;
        rhs[RhsBits*j+:RhsBits] = rhs_i;
      end
    end
  end

  logic [31:0] bricks;
  logic [ 3:0] bricks_signed;
  logic [16:0] brick_sum;
  logic [31:0] fast_sum;
  bitfusion_spread u_spread (
      .lhs_mode_i(LhsMode),
      .rhs_mode_i(RhsMode),
      .signed_i  (lhs_signed_i),
      .operand_i (lhs),
      .bricks_o  (bricks),
      .signed_o  (bricks_signed)
  );
  bitfusion_fusion_unit u_unit (
      .lhs_mode_i  (LhsMode),
      .rhs_mode_i  (RhsMode),
      .bricks_i    (bricks),
      .lhs_signed_i(bricks_signed),
      .rhs_signed_i,
      .weight_i    (rhs),
      .sum_o       (brick_sum)
  );
  bitfusion_dot #(
      .N      (1),
      .M      (1),
      .LhsBits(LhsBits),
      .RhsBits(RhsBits)
  ) u_dot (
      .enable_i    (1'b1),
      .lhs_signed_i,
      .rhs_signed_i,
      .shift_i     (2'd0),
      .lhs_i       (lhs),
      .rhs_i       (rhs),
      .dot_o       (fast_sum)
  );
  assign differ_o = {{15{brick_sum[16]}}, brick_sum} != fast_sum;
endmodule

// The array with N = M = 2, cycle by cycle: any steps, gaps and tags, with one product of 0 or 1 in every unit.
module bitfusion_array_miter (
    input  logic       clk_i,
    input  logic       rst_ni,
    input  logic       valid_i,
    input  logic       first_i,
    input  logic       last_i,
    input  logic [2:0] tag_i,
    input  logic [1:0] lhs_i,
    input  logic [3:0] rhs_i,
    output logic       differ_o
);
  logic         begun_q;  // the sums hold anything before the first output begins
  logic [  1:0] valid;
  logic [  5:0] tag;
  logic [127:0] word;
  logic [ 63:0] lhs;
  logic [127:0] rhs;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begun_q <= 1'b0;
    else begun_q <= begun_q | valid_i;
  end
  always_comb begin
    lhs = '0;
    rhs = '0;
    for (int unsigned n = 0; n < 2; n++) lhs[8*n] = lhs_i[n];
    for (int unsigned k = 0; k < 4; k++) rhs[8*k] = rhs_i[k];
  end
  for (genvar f = 0; f < 2; f++) begin : gen_form
    bitfusion_array #(
        .N         (2),
        .M         (2),
        .Structural(f)
    ) u_array (
        .clk_i,
        .rst_ni,
        .valid_i,
        .first_i     (first_i | ~begun_q),
        .last_i,
        .tag_i,
        .lhs_mode_i  (2'd0),
        .rhs_mode_i  (2'd0),
        .lhs_signed_i(1'b0),
        .rhs_signed_i(1'b0),
        .shift_i     (2'd0),
        .lhs_i       (lhs),
        .rhs_i       (rhs),
        .valid_o     (valid[f]),
        .tag_o       (tag[3*f+:3]),
        .word_o      (word[64*f+:64])
    );
  end
  assign differ_o = (valid[0] != valid[1]) | (valid[0] & ((tag[2:0] != tag[5:3]) | (word[63:0] != word[127:64])));
endmodule
