// What one step adds to every column of the array, for operands of LhsBits and RhsBits: the sum over rows n and products j of
// activation (n, j) times weight (n, m, j). Written to simulate fast, see bitfusion_array; the readable form is
// bitfusion_fusion_unit.
//
// Where both have the same width below 8, their bits stand at the same places and are counted: the product of bit planes p
// and q weighs 2^(p + q), negative when one of them is a sign. Otherwise products are taken one by one. Then signed weights
// are made unsigned by turning their top bits around, which adds 2^(RhsBits - 1) to each; what that adds to the sum is the same
// for all columns, and taken off again.
//
// Latency: 0 (combinational). Zero while `enable_i` is low.
module bitfusion_dot #(
    parameter int unsigned N       = 2,
    parameter int unsigned M       = 2,
    parameter int unsigned LhsBits = 8,
    parameter int unsigned RhsBits = 8
) (
    input  logic              enable_i,
    input  logic              lhs_signed_i,
    input  logic              rhs_signed_i,
    /* verilator lint_off UNUSEDSIGNAL */  // narrow operands have no high bytes and use more quarters
    input  logic [       1:0] shift_i,
    input  logic [       1:0] lhs_quarter_i,
    input  logic [       1:0] rhs_quarter_i,
    /* verilator lint_on UNUSEDSIGNAL */
    input  logic [  32*N-1:0] lhs_i,
    input  logic [32*N*M-1:0] rhs_i,
    output logic [  32*M-1:0] dot_o
);
  localparam int unsigned Products = 64 / (LhsBits * RhsBits);  // of a unit
  localparam int unsigned LhsQuarters = 8 / RhsBits;            // that a step uses
  localparam int unsigned RhsQuarters = 8 / LhsBits;
  localparam int unsigned LhsWidth = 8 * N;                     // of a quarter
  localparam int unsigned RhsWidth = 8 * N * M;

  logic [LhsWidth*LhsQuarters-1:0] lhs;
  logic [RhsWidth*RhsQuarters-1:0] rhs;

  if (LhsQuarters == 1) begin : gen_lhs_one
    always_comb begin
      case (lhs_quarter_i)
        2'd0:    lhs = lhs_i[0+:LhsWidth];
        2'd1:    lhs = lhs_i[LhsWidth+:LhsWidth];
        2'd2:    lhs = lhs_i[2*LhsWidth+:LhsWidth];
        default: lhs = lhs_i[3*LhsWidth+:LhsWidth];
      endcase
    end
  end else if (LhsQuarters == 2) begin : gen_lhs_two
    assign lhs = lhs_quarter_i[1] ? lhs_i[2*LhsWidth+:2*LhsWidth] : lhs_i[0+:2*LhsWidth];
  end else begin : gen_lhs_all
    assign lhs = lhs_i;
  end

  if (RhsQuarters == 1) begin : gen_rhs_one
    always_comb begin
      rhs = '0;
      if (enable_i) begin
        case (rhs_quarter_i)
          2'd0:    rhs = rhs_i[0+:RhsWidth];
          2'd1:    rhs = rhs_i[RhsWidth+:RhsWidth];
          2'd2:    rhs = rhs_i[2*RhsWidth+:RhsWidth];
          default: rhs = rhs_i[3*RhsWidth+:RhsWidth];
        endcase
      end
    end
  end else if (RhsQuarters == 2) begin : gen_rhs_two
    always_comb begin
      rhs = '0;
      if (enable_i) rhs = rhs_quarter_i[1] ? rhs_i[2*RhsWidth+:2*RhsWidth] : rhs_i[0+:2*RhsWidth];
    end
  end else begin : gen_rhs_all
    assign rhs = rhs_i;
  end

  if (LhsBits == RhsBits && LhsBits < 8) begin : gen_count
    // A column of weights is as wide as all rows of activations, quarter by quarter.
    localparam int unsigned Chunk = LhsWidth < 64 ? LhsWidth : 64;
    localparam int unsigned Chunks = LhsWidth / Chunk;
    localparam logic [Chunk-1:0] Plane0 = {(Chunk / LhsBits) {LhsBits'(1)}};

    logic [LhsBits*LhsBits-1:0]        negative;  // of planes p and q
    logic [32*LhsBits*LhsBits-1:0]     counts;
    logic [Chunk*LhsBits-1:0]          planes;    // of activations: bit p of each, at the place of its bit 0
    logic [Chunk-1:0]                  weights;

    always_comb begin
      for (int unsigned p = 0; p < LhsBits; p++) begin
        for (int unsigned q = 0; q < LhsBits; q++) begin
          negative[p*LhsBits+q] = (lhs_signed_i & (p == LhsBits - 1)) ^ (rhs_signed_i & (q == LhsBits - 1));
        end
      end
    end

    always_comb begin
      dot_o   = '0;
      counts  = '0;
      planes  = '0;
      weights = '0;
      if (enable_i) begin
        for (int unsigned m = 0; m < M; m++) begin
          counts = '0;
          for (int unsigned c = 0; c < Chunks * LhsQuarters; c++) begin
            weights = rhs[(c/Chunks)*RhsWidth+m*LhsWidth+(c%Chunks)*Chunk+:Chunk];
            for (int unsigned p = 0; p < LhsBits; p++) begin
              planes[Chunk*p+:Chunk] = (lhs[c*Chunk+:Chunk] >> p) & Plane0;
              for (int unsigned q = 0; q < LhsBits; q++) begin
                counts[32*(p*LhsBits+q)+:32] = counts[32*(p*LhsBits+q)+:32] +
                                               32'($countones(planes[Chunk*p+:Chunk] & (weights >> q)));
              end
            end
          end
          for (int unsigned p = 0; p < LhsBits; p++) begin
            for (int unsigned q = 0; q < LhsBits; q++) begin
              dot_o[32*m+:32] = dot_o[32*m+:32] +
                                ((negative[p*LhsBits+q] ? 32'd0 - counts[32*(p*LhsBits+q)+:32] :
                                                          counts[32*(p*LhsBits+q)+:32]) << (p + q));
            end
          end
        end
      end
    end
  end else begin : gen_multiply
    /* verilator lint_off WIDTHCONCAT */  // words of large arrays have more than 8k bits
    localparam logic [RhsWidth*RhsQuarters-1:0] Tops = {(RhsWidth * RhsQuarters / RhsBits) {1'b1, (RhsBits - 1)'(0)}};

    logic [RhsWidth*RhsQuarters-1:0] weights;
    logic [     32*N*Products-1:0]   acts;
    logic [                31:0]     excess;
    logic [                31:0]     sum;

    always_comb begin
      dot_o   = '0;
      acts    = '0;
      excess  = '0;
      sum     = '0;
      weights = '0;
      if (enable_i) begin
        weights = rhs_signed_i ? rhs ^ Tops : rhs;
        for (int unsigned n = 0; n < N; n++) begin
          for (int unsigned j = 0; j < Products; j++) begin
            acts[32*(n*Products+j)+:32] = {
              {(32 - LhsBits) {lhs_signed_i & lhs[(j*LhsBits/8)*LhsWidth+8*n+(j*LhsBits)%8+LhsBits-1]}},
              lhs[(j*LhsBits/8)*LhsWidth+8*n+(j*LhsBits)%8+:LhsBits]
            } << {shift_i, 3'b000};
            excess = excess + acts[32*(n*Products+j)+:32];
          end
        end
        excess = rhs_signed_i ? excess << (RhsBits - 1) : '0;
        for (int unsigned m = 0; m < M; m++) begin
          sum = 32'd0 - excess;
          for (int unsigned n = 0; n < N; n++) begin
            for (int unsigned j = 0; j < Products; j++) begin
              sum = sum + acts[32*(n*Products+j)+:32] *
                          32'(weights[(j*RhsBits/8)*RhsWidth+8*(m*N+n)+(j*RhsBits)%8+:RhsBits]);
            end
          end
          dot_o[32*m+:32] = sum;
        end
      end
    end
    /* verilator lint_on WIDTHCONCAT */
  end
endmodule
