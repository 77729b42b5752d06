// Dot-product array: Dm x Dn units of AND, popcount, shift-by-one accumulator with 32 bits, LHS rows broadcast along rows
// and RHS rows along columns (not systolic), after BISMO's dot-product array (Umuroglu et al., FPL 2018 and TRETS 2019;
// EECS-NTNU/bismo, DotProductArray). Each cycle with `valid_i`:
//   acc = (clear ? 0 : shift ? acc << 1 : acc) + (negate ? -popcount(lhs & rhs) : popcount(lhs & rhs))
//
// Operands are lane major: bits [(lane * rows + row) * Dk/Lanes +: Dk/Lanes]. Accumulator of unit (m, n) is
// `acc_o[32 * (m * Dn + n) +: 32]`.
// Latency: operands in cycle c -> accumulated value on `acc_o` in c + PopStages + 1. `last_o`, `tag_o` are `last_i`, `tag_i`
// delayed by as much. Nothing is clocked in a cycle without `valid`.
//
// Structural = 0 writes the array as flat vectors, which simulate fast; Structural = 1 builds it from bismo_dpu, for
// synthesis. Both do the same, cycle for cycle (tests/rtl).
module bismo_dpa #(
    parameter int          Dm         = 8,
    parameter int          Dk         = 256,
    parameter int          Dn         = 8,
    parameter int          Lanes      = 4,
    parameter int          PopStages  = 2,  // registers between operands and accumulator: 1 or 2
    parameter int          TagWidth   = 2,
    parameter int          Structural = 0
) (
    input  logic                clk_i,
    input  logic                rst_ni,
    input  logic                valid_i,
    input  logic                clear_i,
    input  logic                shift_i,
    input  logic                negate_i,
    input  logic                last_i,
    input  logic [TagWidth-1:0] tag_i,
    input  logic [   Dm*Dk-1:0] lhs_i,
    input  logic [   Dn*Dk-1:0] rhs_i,
    output logic [32*Dm*Dn-1:0] acc_o,
    output logic                last_o,
    output logic [TagWidth-1:0] tag_o,
    output logic                busy_o
);
  localparam int Units = Dm * Dn;
  localparam int LaneWidth = Dk / Lanes;

  // Control of the accumulators, PopStages cycles after the operands.
  logic [PopStages-1:0] valid_q;
  logic [PopStages-1:0] clear_q;
  logic [PopStages-1:0] shift_q;
  logic [PopStages-1:0] negate_q;
  logic [PopStages:0]   last_q;
  logic [TagWidth-1:0]  tag_q [0:PopStages];
  logic                 acc_clear;
  logic                 acc_shift;
  logic                 acc_negate;

  assign acc_clear  = clear_q[PopStages-1];
  assign acc_shift  = shift_q[PopStages-1];
  assign acc_negate = negate_q[PopStages-1];
  assign last_o     = last_q[PopStages];
  assign tag_o      = tag_q[PopStages];
  assign busy_o     = (valid_q != '0) | (last_q != '0);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      last_q  <= '0;
    end else begin
      valid_q <= PopStages'({valid_q, valid_i});
      last_q  <= (PopStages + 1)'({last_q, valid_i & last_i});
    end
  end

  always_ff @(posedge clk_i) begin
    clear_q  <= PopStages'({clear_q, clear_i});
    shift_q  <= PopStages'({shift_q, shift_i});
    negate_q <= PopStages'({negate_q, negate_i});
    tag_q[0] <= tag_i;
    for (int unsigned s = 1; s <= PopStages; s++) tag_q[s] <= tag_q[s-1];
  end

  if (Structural != 0) begin : gen_structural
    for (genvar m = 0; m < Dm; m++) begin : gen_row
      for (genvar n = 0; n < Dn; n++) begin : gen_col
        logic [Dk-1:0] lhs;
        logic [Dk-1:0] rhs;
        for (genvar l = 0; l < Lanes; l++) begin : gen_lane
          assign lhs[LaneWidth*l+:LaneWidth] = lhs_i[(l*Dm+m)*LaneWidth+:LaneWidth];
          assign rhs[LaneWidth*l+:LaneWidth] = rhs_i[(l*Dn+n)*LaneWidth+:LaneWidth];
        end
        bismo_dpu #(
            .Dk       (Dk),
            .PopStages(PopStages)
        ) u_dpu (
            .clk_i,
            .valid_i     ({valid_q, valid_i}),
            .acc_clear_i (acc_clear),
            .acc_shift_i (acc_shift),
            .acc_negate_i(acc_negate),
            .lhs_i       (lhs),
            .rhs_i       (rhs),
            .acc_o       (acc_o[32*(m*Dn+n)+:32])
        );
      end
    end
  end else begin : gen_flat
    // Whole words and words of 64 bits at a time, and no choice inside the loops: so one unit is a few instructions of the
    // simulator, and several accumulators are one vector instruction. Synthesis drops the constant zeros.
    localparam int Chunk = LaneWidth % 64 == 0 ? 64 : LaneWidth;

    logic                acc_valid;
    logic [32*Units-1:0] pop_d;
    logic [32*Units-1:0] pop_last;
    logic [32*Units-1:0] acc_d;
    logic [32*Units-1:0] acc_q;

    assign acc_valid = valid_q[PopStages-1];

    // A block for each row: the simulator unrolls loops up to a certain size only.
    for (genvar m = 0; m < Dm; m++) begin : gen_row
      logic [31:0] ones;  // of one unit
      always_comb begin
        ones = '0;
        pop_d[32*Dn*m+:32*Dn] = '0;
        if (valid_i) begin
          for (int unsigned n = 0; n < Dn; n++) begin
            ones = '0;
            for (int unsigned l = 0; l < Lanes; l++) begin
              for (int unsigned c = 0; c < LaneWidth; c += Chunk) begin
                ones = ones + 32'($countones(lhs_i[(l*Dm+m)*LaneWidth+c+:Chunk] & rhs_i[(l*Dn+n)*LaneWidth+c+:Chunk]));
              end
            end
            pop_d[32*(m*Dn+n)+:32] = ones;
          end
        end
      end
    end

    logic [32*Units-1:0] pop_q;
    always_ff @(posedge clk_i) begin
      if (valid_i) pop_q <= pop_d;
    end
    if (PopStages == 1) begin : gen_one_stage
      assign pop_last = pop_q;
    end else begin : gen_two_stages
      logic [32*Units-1:0] pop2_q;
      always_ff @(posedge clk_i) begin
        if (valid_q[0]) pop2_q <= pop_q;
      end
      assign pop_last = pop2_q;
    end

    // acc = ((acc << shift) & keep) + (pop ^ minus) - minus
    logic [31:0] keep;
    logic [31:0] minus;
    assign keep  = {32{~acc_clear}};
    assign minus = {32{acc_negate}};

    always_comb begin
      acc_d = '0;
      if (acc_valid) begin
        for (int unsigned k = 0; k < Units; k++) begin
          acc_d[32*k+:32] = ((acc_q[32*k+:32] << acc_shift) & keep) + (pop_last[32*k+:32] ^ minus) - minus;
        end
      end
    end
    always_ff @(posedge clk_i) begin
      if (acc_valid) acc_q <= acc_d;
    end
    assign acc_o = acc_q;
  end
endmodule
