// One fusion unit in both forms, for tests: of BitBricks as in the systolic array, and as the fast form adds it up.
module bitfusion_unit (
    input  logic [ 1:0] lhs_mode_i,
    input  logic [ 1:0] rhs_mode_i,
    input  logic        lhs_signed_i,
    input  logic        rhs_signed_i,
    input  logic [31:0] lhs_i,
    input  logic [31:0] rhs_i,
    output logic [16:0] bricks_sum_o,
    output logic [31:0] fast_sum_o
);
  logic [31:0] bricks;
  logic [ 3:0] bricks_signed;
  bitfusion_spread u_spread (
      .lhs_mode_i,
      .rhs_mode_i,
      .signed_i (lhs_signed_i),
      .operand_i(lhs_i),
      .bricks_o (bricks),
      .signed_o (bricks_signed)
  );
  bitfusion_fusion_unit u_unit (
      .lhs_mode_i,
      .rhs_mode_i,
      .bricks_i    (bricks),
      .lhs_signed_i(bricks_signed),
      .rhs_signed_i,
      .weight_i    (rhs_i),
      .sum_o       (bricks_sum_o)
  );

  // The fast form needs an array: four rows, of which three are zero (Icarus Verilog 11 counts ones wrong in less than 32 bits).
  logic [9*32-1:0] sums;
  logic [   127:0] lhs;
  logic [   127:0] rhs;
  for (genvar b = 0; b < 4; b++) begin : gen_byte
    assign lhs[32*b+:32] = {24'd0, lhs_i[8*b+:8]};
    assign rhs[32*b+:32] = {24'd0, rhs_i[8*b+:8]};
  end
  for (genvar k = 0; k < 9; k++) begin : gen_mode
    bitfusion_dot #(
        .N      (4),
        .M      (1),
        .LhsBits(2 << (k / 3)),
        .RhsBits(2 << (k % 3))
    ) u_dot (
        .enable_i    (lhs_mode_i == 2'(k / 3) && rhs_mode_i == 2'(k % 3)),
        .lhs_signed_i,
        .rhs_signed_i,
        .shift_i     (2'd0),
        .lhs_i       (lhs),
        .rhs_i       (rhs),
        .dot_o       (sums[32*k+:32])
    );
  end
  always_comb begin
    fast_sum_o = '0;
    for (int unsigned k = 0; k < 9; k++) fast_sum_o |= sums[32*k+:32];
  end
endmodule
