// Array of N x M fusion units with its accumulators: the sum over rows n and products j of activation (n, j) times weight
// (n, m, j), accumulated from `first_i` to `last_i`, gives one word of M x 32 bits for every output. Ports are those of a
// systolic array whose operands are skewed, and whose columns are put side by side again, inside.
//
// Latency: last operands of an output in cycle t -> `valid_o`, `word_o`, `tag_o` in t + N + M + 2. One step a cycle, each with
// its own modes and signs.
//
// Structural = 1 is the systolic array (bitfusion_systolic). Structural = 0 adds up a step at once and keeps finished words
// until the systolic array would give them: the same at the ports in every cycle (tests/rtl), but fast to simulate. The
// widths of the step are told apart once, outside the loops over the array.
module bitfusion_array #(
    parameter int unsigned N          = 2,
    parameter int unsigned M          = 2,
    parameter int unsigned Structural = 0
) (
    input  logic              clk_i,
    input  logic              rst_ni,
    input  logic              valid_i,
    input  logic              first_i,
    input  logic              last_i,
    input  logic [       2:0] tag_i,          // of the output, given back with it
    input  logic [       1:0] lhs_mode_i,     // bits of an activation, 0: 2, 1: 4, 2: 8
    input  logic [       1:0] rhs_mode_i,     // of a weight
    input  logic              lhs_signed_i,
    input  logic              rhs_signed_i,
    input  logic [       1:0] shift_i,        // products weigh 2^(8 * shift)
    input  logic [  32*N-1:0] lhs_i,          // byte b of row n at [(b * N + n) * 8 +: 8]
    input  logic [32*N*M-1:0] rhs_i,          // byte b of unit (n, m) at [(b * N * M + m * N + n) * 8 +: 8]
    output logic              valid_o,
    output logic [       2:0] tag_o,
    output logic [  32*M-1:0] word_o          // defined while valid_o is high
);
  if (Structural != 0) begin : gen_structural
    bitfusion_systolic #(
        .N(N),
        .M(M)
    ) u_systolic (
        .clk_i,
        .rst_ni,
        .valid_i,
        .first_i,
        .last_i,
        .tag_i,
        .lhs_mode_i,
        .rhs_mode_i,
        .lhs_signed_i,
        .rhs_signed_i,
        .shift_i,
        .lhs_i,
        .rhs_i,
        .valid_o,
        .tag_o,
        .word_o
    );
  end else begin : gen_flat
    localparam int unsigned Wait = N + M;                   // cycles for which a finished word is kept
    localparam int unsigned PlaceWidth = $clog2(Wait + 1);
    localparam int unsigned Modes = 9;

    logic [Modes*32*M-1:0] dots;  // of each pair of modes
    logic [      32*M-1:0] dot;
    logic [      32*M-1:0] sum_q;
    logic                  last_q;
    logic [           2:0] tag_q;

    for (genvar k = 0; k < Modes; k++) begin : gen_mode
      bitfusion_dot #(
          .N      (N),
          .M      (M),
          .LhsBits(2 << (k / 3)),
          .RhsBits(2 << (k % 3))
      ) u_dot (
          .enable_i     (valid_i & (lhs_mode_i == 2'(k / 3)) & (rhs_mode_i == 2'(k % 3))),
          .lhs_signed_i,
          .rhs_signed_i,
          .shift_i,
          .lhs_i,
          .rhs_i,
          .dot_o        (dots[32*M*k+:32*M])
      );
    end

    always_comb begin
      dot = '0;
      for (int unsigned k = 0; k < Modes; k++) begin
        if (valid_i && lhs_mode_i == 2'(k / 3) && rhs_mode_i == 2'(k % 3)) dot = dots[32*M*k+:32*M];
      end
    end

    always_ff @(posedge clk_i) begin
      if (valid_i) begin
        tag_q <= tag_i;
        for (int unsigned m = 0; m < M; m++) begin
          sum_q[32*m+:32] <= (first_i ? 32'd0 : sum_q[32*m+:32]) + dot[32*m+:32];
        end
      end
    end

    // Finished words wait in a queue; bit s of `wait_q`: one was finished s + 1 cycles ago.
    logic [      32*M-1:0] words [0:2**PlaceWidth-1];
    logic [           2:0] tags  [0:2**PlaceWidth-1];
    logic [PlaceWidth-1:0] wr_q;
    logic [PlaceWidth-1:0] rd_q;
    logic [      Wait-1:0] wait_q;

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        last_q  <= 1'b0;
        wait_q  <= '0;
        wr_q    <= '0;
        rd_q    <= '0;
        valid_o <= 1'b0;
      end else begin
        last_q  <= valid_i & last_i;
        wait_q  <= {wait_q[Wait-2:0], last_q};
        wr_q    <= wr_q + PlaceWidth'(last_q);
        rd_q    <= rd_q + PlaceWidth'(wait_q[Wait-1]);
        valid_o <= wait_q[Wait-1];
      end
    end

    always_ff @(posedge clk_i) begin
      if (last_q) begin
        words[wr_q] <= sum_q;
        tags[wr_q]  <= tag_q;
      end
      if (wait_q[Wait-1]) begin
        word_o <= words[rd_q];
        tag_o  <= tags[rd_q];
      end
    end
  end
endmodule
