// Three AND gates and the count of their ones: two functions of six inputs, one LUT6 each. Combinational.
(* keep_hierarchy *)
module bismo_and3 (
    input  logic [2:0] lhs_i,
    input  logic [2:0] rhs_i,
    output logic       one_o,
    output logic       two_o
);
  logic [2:0] p;
  assign p     = lhs_i & rhs_i;
  assign one_o = p[0] ^ p[1] ^ p[2];
  assign two_o = (p[0] & p[1]) | (p[0] & p[2]) | (p[1] & p[2]);
endmodule
