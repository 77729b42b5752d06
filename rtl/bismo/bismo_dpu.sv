// Dot-product unit: AND, popcount by a tree of compressors made for 6-input LUTs, accumulator with shift by one and negate.
// After BISMO's DotProductUnit (EECS-NTNU/bismo v2) with its own compressor: pairs are ANDed three at a time into a 2-bit
// count (one level of LUT6), the counts compressed 6:3, and the rest summed with carry chains.
//
// Latency: operands in cycle c -> accumulator c + PopStages + 1. With PopStages = 1 the count is registered; with more, the
// first level of counts is registered too (any further registers follow the sum).
module bismo_dpu #(
    parameter int          Dk        = 256,
    parameter int          PopStages = 2
) (
    input  logic               clk_i,
    input  logic [PopStages:0] valid_i,       // bit s: the stage s cycles after the operands is in use
    input  logic               acc_clear_i,   // at the accumulator, PopStages cycles after the operands
    input  logic               acc_shift_i,
    input  logic               acc_negate_i,
    input  logic [     Dk-1:0] lhs_i,
    input  logic [     Dk-1:0] rhs_i,
    output logic [       31:0] acc_o
);
  localparam int Groups = (Dk + 2) / 3;  // of three pairs
  localparam int PopWidth = $clog2(Dk + 1);

  // Level 1: three ANDed pairs to a count of two bits.
  logic [3*Groups-1:0] lhs;
  logic [3*Groups-1:0] rhs;
  logic [  Groups-1:0] ones_d;
  logic [  Groups-1:0] twos_d;
  logic [  Groups-1:0] ones;
  logic [  Groups-1:0] twos;

  assign lhs = (3 * Groups)'(lhs_i);
  assign rhs = (3 * Groups)'(rhs_i);

  for (genvar g = 0; g < Groups; g++) begin : gen_and
    bismo_and3 u_and3 (
        .lhs_i (lhs[3*g+:3]),
        .rhs_i (rhs[3*g+:3]),
        .one_o (ones_d[g]),
        .two_o (twos_d[g])
    );
  end

  if (PopStages > 1) begin : gen_register
    logic [Groups-1:0] ones_q;
    logic [Groups-1:0] twos_q;
    always_ff @(posedge clk_i) begin
      if (valid_i[0]) begin
        ones_q <= ones_d;
        twos_q <= twos_d;
      end
    end
    assign ones = ones_q;
    assign twos = twos_q;
  end else begin : gen_through
    assign ones = ones_d;
    assign twos = twos_d;
  end

  // Level 2 and up.
  localparam int CountWidth = $clog2(Groups + 1);
  logic [CountWidth-1:0] ones_sum;
  logic [CountWidth-1:0] twos_sum;

  bismo_popcount #(
      .Width(Groups)
  ) u_ones (
      .bits_i (ones),
      .count_o(ones_sum)
  );
  bismo_popcount #(
      .Width(Groups)
  ) u_twos (
      .bits_i (twos),
      .count_o(twos_sum)
  );

  localparam int SumStages = PopStages > 1 ? PopStages - 1 : 1;
  localparam int FirstStage = PopStages > 1 ? 1 : 0;
  logic [PopWidth-1:0] pop_q [0:SumStages-1];

  always_ff @(posedge clk_i) begin
    if (valid_i[FirstStage]) pop_q[0] <= PopWidth'(ones_sum) + PopWidth'({twos_sum, 1'b0});
    for (int unsigned s = 1; s < SumStages; s++) begin
      if (valid_i[FirstStage+s]) pop_q[s] <= pop_q[s-1];
    end
  end

  // Accumulator. Subtraction adds the inverted count with a carry in.
  logic [31:0] base;
  logic [31:0] addend;
  assign base   = acc_clear_i ? '0 : acc_shift_i ? {acc_o[30:0], 1'b0} : acc_o;
  assign addend = {32{acc_negate_i}} ^ 32'(pop_q[SumStages-1]);

  always_ff @(posedge clk_i) begin
    if (valid_i[PopStages]) acc_o <= base + addend + 32'(acc_negate_i);
  end
endmodule
