// Systolic array of N x M fusion units, after Bit Fusion (Sharma et al., ISCA 2018, section IV): activations enter at column 0
// and go from column to column, partial sums go down the N units of a column to its accumulator, every unit has its own
// weights. Row n of the operands is delayed by n cycles, column m of the weights by m more, so that everything that
// belongs to a step meets; columns finish one after another, and are put side by side again.
//
// Latency: operands in cycle t -> registered in t+1 -> unit (n, m) multiplies in t+1+n+m and adds in t+2+n+m ->
// the column's sum is at its accumulator in t+2+N+m, accumulated in t+3+N+m -> all columns in t+2+N+M.
module bitfusion_systolic #(
    parameter int unsigned N = 2,
    parameter int unsigned M = 2
) (
    input  logic              clk_i,
    input  logic              rst_ni,
    input  logic              valid_i,
    input  logic              first_i,
    input  logic              last_i,
    input  logic [       2:0] tag_i,
    input  logic [       1:0] lhs_mode_i,
    input  logic [       1:0] rhs_mode_i,
    input  logic              lhs_signed_i,
    input  logic              rhs_signed_i,
    input  logic [       1:0] shift_i,
    input  logic [  32*N-1:0] lhs_i,
    input  logic [32*N*M-1:0] rhs_i,
    output logic              valid_o,
    output logic [       2:0] tag_o,
    output logic [  32*M-1:0] word_o
);
  localparam int unsigned PsumWidth = 17 + $clog2(N);
  localparam int unsigned Stages = N + M - 1;      // diagonals of the array

  // Modes and signs of weights go along the diagonals with the operands.
  logic [5*Stages-1:0] modes_q;  // stage d: {rhs_signed, rhs_mode, lhs_mode} of the units with n + m = d
  always_ff @(posedge clk_i) begin
    modes_q[4:0] <= {rhs_signed_i, rhs_mode_i, lhs_mode_i};
    for (int unsigned d = 1; d < Stages; d++) modes_q[5*d+:5] <= modes_q[5*(d-1)+:5];
  end

  // Control of the accumulators: column m takes what stands here N + 2 + m cycles after the operands.
  localparam int unsigned ControlStages = N + M + 2;
  logic [ControlStages-1:0]   valid_q;   // bit s: s + 1 cycles after the operands
  logic [7*ControlStages-1:0] control_q; // {tag, shift, last, first}
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[ControlStages-2:0], valid_i};
  end
  always_ff @(posedge clk_i) begin
    control_q[6:0] <= {tag_i, shift_i, last_i, first_i};
    for (int unsigned s = 1; s < ControlStages; s++) control_q[7*s+:7] <= control_q[7*(s-1)+:7];
  end

  // Rows: activations handed to the bricks, skewed, then passed on from column to column.
  logic [36*N*M-1:0] pass;  // at unit (n, m): [36 * (n * M + m) +: 36]
  for (genvar n = 0; n < N; n++) begin : gen_row
    logic [      31:0] operand;
    logic [      31:0] bricks;
    logic [       3:0] bricks_signed;
    logic [      35:0] entry_q;
    logic [      35:0] skewed;
    assign operand = {lhs_i[8*(3*N+n)+:8], lhs_i[8*(2*N+n)+:8], lhs_i[8*(N+n)+:8], lhs_i[8*n+:8]};

    bitfusion_spread u_spread (
        .lhs_mode_i,
        .rhs_mode_i,
        .signed_i  (lhs_signed_i),
        .operand_i (operand),
        .bricks_o  (bricks),
        .signed_o  (bricks_signed)
    );
    always_ff @(posedge clk_i) entry_q <= {bricks_signed, bricks};

    bitfusion_delay #(
        .Width (36),
        .Cycles(n)
    ) u_skew (
        .clk_i,
        .data_i(entry_q),
        .data_o(skewed)
    );
    assign pass[36*n*M+:36] = skewed;
    for (genvar m = 1; m < M; m++) begin : gen_pass
      logic [35:0] pass_q;
      always_ff @(posedge clk_i) pass_q <= pass[36*(n*M+m-1)+:36];
      assign pass[36*(n*M+m)+:36] = pass_q;
    end
  end

  // Columns.
  for (genvar m = 0; m < M; m++) begin : gen_column
    logic [PsumWidth*(N+1)-1:0] psums;  // what enters unit n
    assign psums[PsumWidth-1:0] = '0;

    for (genvar n = 0; n < N; n++) begin : gen_unit
      logic [         31:0] weight_q;
      logic [         31:0] weight;
      logic [         16:0] sum;
      logic [         16:0] sum_q;
      logic [PsumWidth-1:0] psum_q;

      always_ff @(posedge clk_i) begin
        weight_q <= {
          rhs_i[8*(3*N*M+m*N+n)+:8], rhs_i[8*(2*N*M+m*N+n)+:8], rhs_i[8*(N*M+m*N+n)+:8], rhs_i[8*(m*N+n)+:8]
        };
      end
      bitfusion_delay #(
          .Width (32),
          .Cycles(n + m)
      ) u_skew (
          .clk_i,
          .data_i(weight_q),
          .data_o(weight)
      );

      bitfusion_fusion_unit u_unit (
          .lhs_mode_i  (modes_q[5*(n+m)+:2]),
          .rhs_mode_i  (modes_q[5*(n+m)+2+:2]),
          .bricks_i    (pass[36*(n*M+m)+:32]),
          .lhs_signed_i(pass[36*(n*M+m)+32+:4]),
          .rhs_signed_i(modes_q[5*(n+m)+4]),
          .weight_i    (weight),
          .sum_o       (sum)
      );
      always_ff @(posedge clk_i) begin
        sum_q  <= sum;
        psum_q <= psums[PsumWidth*n+:PsumWidth] + {{(PsumWidth - 17) {sum_q[16]}}, sum_q};
      end
      assign psums[PsumWidth*(n+1)+:PsumWidth] = psum_q;
    end

    // Accumulator.
    localparam int unsigned Stage = N + 1 + m;  // of the control
    logic [PsumWidth-1:0] psum;
    logic [         31:0] addend;
    logic [         31:0] acc_q;
    assign psum = psums[PsumWidth*N+:PsumWidth];
    always_comb begin
      case (control_q[7*Stage+2+:2])
        2'd0:    addend = {{(32 - PsumWidth) {psum[PsumWidth-1]}}, psum};
        2'd1:    addend = {{(24 - PsumWidth) {psum[PsumWidth-1]}}, psum, 8'd0};
        default: addend = {psum[15:0], 16'd0};
      endcase
    end
    always_ff @(posedge clk_i) begin
      if (valid_q[Stage]) acc_q <= (control_q[7*Stage] ? 32'd0 : acc_q) + addend;
    end

    bitfusion_delay #(
        .Width (32),
        .Cycles(M - 1 - m)
    ) u_deskew (
        .clk_i,
        .data_i(acc_q),
        .data_o(word_o[32*m+:32])
    );
  end

  assign valid_o = valid_q[ControlStages-1] & control_q[7*(ControlStages-1)+1];
  assign tag_o   = control_q[7*(ControlStages-1)+4+:3];
endmodule
