// 6:3 compressor: the count of six bits, three functions of six inputs, one LUT6 each. Combinational.
(* keep_hierarchy *)
module bismo_compress63 (
    input  logic [5:0] bits_i,
    output logic [2:0] count_o
);
  always_comb begin
    count_o = '0;
    for (int unsigned i = 0; i < 6; i++) count_o = count_o + 3'(bits_i[i]);
  end
endmodule
