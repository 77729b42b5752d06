// Fusion unit: sixteen BitBricks whose products are shifted by their parts' weights and added up: one 8 x 8 bit product, or up
// to sixteen 2 x 2 bit ones, or anything between (Sharma et al.: "Bit Fusion", ISCA 2018, section III). Composed twice, four
// BitBricks to one of up to 4 x 4 bits, four of those to the unit, as in the paper's figure 7, so that shifts are by
// 0 or 2, and by 0 or 4.
//
// Latency: 0 (combinational). Bricks as bitfusion_spread numbers them.
module bitfusion_fusion_unit (
    input  logic [ 1:0] lhs_mode_i,    // 0: 2 bits, 1: 4, 2: 8
    input  logic [ 1:0] rhs_mode_i,
    input  logic [31:0] bricks_i,      // activations, from bitfusion_spread
    input  logic [ 3:0] lhs_signed_i,  // likewise
    input  logic        rhs_signed_i,
    input  logic [31:0] weight_i,      // product j has bits [j * bits +: bits]
    output logic [16:0] sum_o          // two's complement
);
  logic lhs_wide2;  // activations have at least 4 bits: the second brick of each pair weighs 4 times
  logic rhs_wide2;
  logic lhs_wide4;  // 8 bits: the second group weighs 16 times
  logic rhs_wide4;
  assign lhs_wide2 = lhs_mode_i != 2'd0;
  assign rhs_wide2 = rhs_mode_i != 2'd0;
  assign lhs_wide4 = lhs_mode_i[1];
  assign rhs_wide4 = rhs_mode_i[1];

  // A brick's part is the most significant one of a signed weight: {Q, q} = index.
  logic [3:0] rhs_signed;
  assign rhs_signed = {4{rhs_signed_i}} & {1'b1, ~rhs_wide2, ~rhs_wide4, ~rhs_wide2};

  logic [35:0] groups;  // sums of four BitBricks, two's complement: -150 to 225

  for (genvar g = 0; g < 4; g++) begin : gen_group
    localparam int Bq = g / 2;
    localparam int Bp = g % 2;
    logic [19:0] products;
    for (genvar b = 0; b < 4; b++) begin : gen_brick
      localparam int Sq = b / 2;
      localparam int Sp = b % 2;
      logic [1:0] part;
      assign part = lhs_wide4 ? weight_i[2*(2*Bq+Sq)+:2] :
                    lhs_wide2 ? weight_i[2*(4*Bp+2*Bq+Sq)+:2] : weight_i[2*(8*Bp+4*Sp+2*Bq+Sq)+:2];
      bitfusion_bitbrick u_brick (
          .x_i       (bricks_i[2*(4*g+b)+:2]),
          .x_signed_i(lhs_signed_i[2*Bp+Sp]),
          .y_i       (part),
          .y_signed_i(rhs_signed[2*Bq+Sq]),
          .product_o (products[5*b+:5])
      );
    end
    logic [6:0] low;   // lower part of the weight: -30 to 45
    logic [6:0] high;  // higher part
    assign low  = {{2{products[4]}}, products[4:0]} +
                  (lhs_wide2 ? {products[9:5], 2'b00} : {{2{products[9]}}, products[9:5]});
    assign high = {{2{products[14]}}, products[14:10]} +
                  (lhs_wide2 ? {products[19:15], 2'b00} : {{2{products[19]}}, products[19:15]});
    assign groups[9*g+:9] = {{2{low[6]}}, low} + (rhs_wide2 ? {high, 2'b00} : {{2{high[6]}}, high});
  end

  logic [12:0] low;   // -2550 to 3825
  logic [12:0] high;
  assign low   = {{4{groups[8]}}, groups[8:0]} +
                 (lhs_wide4 ? {groups[17:9], 4'b0000} : {{4{groups[17]}}, groups[17:9]});
  assign high  = {{4{groups[26]}}, groups[26:18]} +
                 (lhs_wide4 ? {groups[35:27], 4'b0000} : {{4{groups[35]}}, groups[35:27]});
  assign sum_o = {{4{low[12]}}, low} + (rhs_wide4 ? {high, 4'b0000} : {{4{high[12]}}, high});
endmodule
