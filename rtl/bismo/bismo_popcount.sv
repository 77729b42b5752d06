// Count of ones of a vector: 6:3 compressors, then a tree of adders over their counts. Combinational.
module bismo_popcount #(
    parameter int          Width      = 86,
    parameter int          CountWidth = $clog2(Width + 1)
) (
    input  logic [     Width-1:0] bits_i,
    output logic [CountWidth-1:0] count_o
);
  localparam int Groups = (Width + 5) / 6;

  logic [6*Groups-1:0] bits;
  logic [3*Groups-1:0] counts;
  assign bits = (6 * Groups)'(bits_i);

  for (genvar g = 0; g < Groups; g++) begin : gen_compress
    bismo_compress63 u_compress (
        .bits_i (bits[6*g+:6]),
        .count_o(counts[3*g+:3])
    );
  end

  always_comb begin
    count_o = '0;
    for (int unsigned g = 0; g < Groups; g++) count_o = count_o + CountWidth'(counts[3*g+:3]);
  end
endmodule
