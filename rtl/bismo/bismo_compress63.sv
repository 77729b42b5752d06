// 6:3 compressor: the count of six bits, three functions of six inputs, one LUT6 each. Combinational.
// Written as gates: an adder would be mapped to carry chains.
(* keep_hierarchy *)
module bismo_compress63 (
    input  logic [5:0] bits_i,
    output logic [2:0] count_o
);
  logic [1:0] low;   // count of bits 0 .. 2
  logic [1:0] high;  // count of bits 3 .. 5
  logic       carry;

  assign low[0]  = bits_i[0] ^ bits_i[1] ^ bits_i[2];
  assign low[1]  = (bits_i[0] & bits_i[1]) | (bits_i[0] & bits_i[2]) | (bits_i[1] & bits_i[2]);
  assign high[0] = bits_i[3] ^ bits_i[4] ^ bits_i[5];
  assign high[1] = (bits_i[3] & bits_i[4]) | (bits_i[3] & bits_i[5]) | (bits_i[4] & bits_i[5]);

  assign carry      = low[0] & high[0];
  assign count_o[0] = low[0] ^ high[0];
  assign count_o[1] = low[1] ^ high[1] ^ carry;
  assign count_o[2] = (low[1] & high[1]) | (carry & (low[1] ^ high[1]));
endmodule
