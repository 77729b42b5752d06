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
    parameter int N       = 2,
    parameter int M       = 2,
    parameter int LhsBits = 8,
    parameter int RhsBits = 8
) (
    input  logic              enable_i,
    input  logic              lhs_signed_i,
    input  logic              rhs_signed_i,
    /* verilator lint_off UNUSEDSIGNAL */  // narrow operands have no high bytes, wide ones use fewer bytes
    input  logic [       1:0] shift_i,
    input  logic [  32*N-1:0] lhs_i,       // byte b of row n at [(b * N + n) * 8 +: 8]
    input  logic [32*N*M-1:0] rhs_i,       // byte b of unit (n, m) at [(b * N * M + m * N + n) * 8 +: 8]
    /* verilator lint_on UNUSEDSIGNAL */
    output logic [  32*M-1:0] dot_o
);
  localparam int Products = 64 / (LhsBits * RhsBits);  // of a unit
  localparam int LhsWidth = 8 * N;                     // one byte of all rows
  localparam int RhsWidth = 8 * N * M;

  if (LhsBits == RhsBits && LhsBits < 8) begin : gen_count
    // A column of weights is as wide as all rows of activations, byte by byte.
    localparam int Bytes = 8 / RhsBits;
    localparam int Chunk = LhsWidth < 64 ? LhsWidth : 64;
    localparam int Chunks = LhsWidth / Chunk;
    localparam logic [Chunk-1:0] Plane0 = LhsBits == 2 ? {(Chunk / 2) {2'b01}} : {(Chunk / 4) {4'b0001}};

    logic [   LhsBits*LhsBits-1:0] negative;  // of planes p and q
    logic [32*LhsBits*LhsBits-1:0] counts;
    logic [     Chunk*LhsBits-1:0] planes;    // of activations: bit p of each, at the place of its bit 0
    logic [             Chunk-1:0] weights;

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
          for (int unsigned c = 0; c < Chunks * Bytes; c++) begin
            weights = rhs_i[(c/Chunks)*RhsWidth+m*LhsWidth+(c%Chunks)*Chunk+:Chunk];
            for (int unsigned p = 0; p < LhsBits; p++) begin
              planes[Chunk*p+:Chunk] = (lhs_i[c*Chunk+:Chunk] >> p) & Plane0;
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
    logic [   32*N-1:0] acts;    // of one product
    logic [       31:0] excess;
    logic [       31:0] sum;
    logic [       31:0] top;

    always_comb begin
      dot_o  = '0;
      acts   = '0;
      excess = '0;
      sum    = '0;
      top    = 32'(rhs_signed_i) << (RhsBits - 1);
      if (enable_i) begin
        for (int unsigned j = 0; j < Products; j++) begin
          for (int unsigned n = 0; n < N; n++) begin
            acts[32*n+:32] = {
              {(32 - LhsBits) {lhs_signed_i & lhs_i[(j*LhsBits/8)*LhsWidth+8*n+(j*LhsBits)%8+LhsBits-1]}},
              lhs_i[(j*LhsBits/8)*LhsWidth+8*n+(j*LhsBits)%8+:LhsBits]
            } << {shift_i, 3'b000};
            excess = excess + acts[32*n+:32];
          end
          for (int unsigned m = 0; m < M; m++) begin
            sum = dot_o[32*m+:32];
            for (int unsigned n = 0; n < N; n++) begin
              sum = sum + acts[32*n+:32] *
                          (32'(rhs_i[(j*RhsBits/8)*RhsWidth+8*(m*N+n)+(j*RhsBits)%8+:RhsBits]) ^ top);
            end
            dot_o[32*m+:32] = sum;
          end
        end
        excess = excess * top;
        for (int unsigned m = 0; m < M; m++) dot_o[32*m+:32] = dot_o[32*m+:32] - excess;
      end
    end
  end
endmodule
