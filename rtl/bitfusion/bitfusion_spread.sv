// Hands every BitBrick of a fusion unit its two bits of the activation operand, and says whether they are signed. All units of
// a row take the same, so this stands once in front of the row (Bit Fusion, ISCA 2018: the operand bus of a unit carries two
// bits for every BitBrick).
//
// BitBrick k = {Q, P, q, p}: P and p choose the part of the activation, Q and q that of the weight, as far as the operands have
// such parts (P, Q: halves of 8 bits; p, q: halves of 4); the others number products. Which product that is follows from the
// wiring of the weights, which depends on the activation's width only (bitfusion_fusion_unit):
//   weight bits 2*w +: 2 of brick k with  w = {Q,q} (8-bit activations), {P,Q,q} (4-bit), {P,p,Q,q} (2-bit).
// It makes product j = w without the parts of the weight, and this part of the activation: j * parts + {P,p}, without P or
// both where the activation is narrower.
//
// Latency: 0 (combinational).
module bitfusion_spread (
    input  logic [ 1:0] lhs_mode_i,    // 0: 2 bits, 1: 4, 2: 8
    input  logic [ 1:0] rhs_mode_i,
    input  logic        signed_i,
    input  logic [31:0] operand_i,     // product j has bits [j * bits +: bits]
    output logic [31:0] bricks_o,      // brick k has bits [2k +: 2]
    output logic [ 3:0] signed_o       // of the bricks with {P, p} = index
);
  // A brick's part is the most significant one of a signed activation.
  logic narrow;  // 2 bits
  assign narrow   = lhs_mode_i == 2'd0;
  assign signed_o = {4{signed_i}} & {1'b1, narrow, ~lhs_mode_i[1], narrow};

  for (genvar k = 0; k < 16; k++) begin : gen_brick
    localparam int Bq = k / 8;
    localparam int Bp = (k / 4) % 2;
    localparam int Sq = (k / 2) % 2;
    localparam int Sp = k % 2;
    logic [1:0] part;
    always_comb begin
      case ({rhs_mode_i, lhs_mode_i})
        4'b10_10, 4'b10_01, 4'b10_00: part = operand_i[2*(2*Bp+Sp)+:2];
        4'b01_10: part = operand_i[2*(4*Bq+2*Bp+Sp)+:2];
        4'b01_01: part = operand_i[2*(4*Bp+2*Bq+Sp)+:2];
        4'b01_00: part = operand_i[2*(4*Bp+2*Sp+Bq)+:2];
        4'b00_10: part = operand_i[2*(8*Bq+4*Sq+2*Bp+Sp)+:2];
        4'b00_01: part = operand_i[2*(8*Bp+4*Bq+2*Sq+Sp)+:2];
        default:  part = operand_i[2*(8*Bp+4*Sp+2*Bq+Sq)+:2];
      endcase
    end
    assign bricks_o[2*k+:2] = part;
  end
endmodule
