// BitBrick: multiplies two operands of two bits, each signed or unsigned, as a 3 x 3 bit signed product (Sharma et al.: "Bit
// Fusion", ISCA 2018, section III).
//
// Latency: 0 (combinational).
module bitfusion_bitbrick (
    input  logic [1:0] x_i,
    input  logic       x_signed_i,
    input  logic [1:0] y_i,
    input  logic       y_signed_i,
    output logic [4:0] product_o   // two's complement, -6 to 9
);
  logic x_top;
  logic y_top;
  assign x_top     = x_signed_i & x_i[1];
  assign y_top     = y_signed_i & y_i[1];
  assign product_o = {{3{x_top}}, x_i} * {{3{y_top}}, y_i};
endmodule
