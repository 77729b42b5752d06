// Serial inner-product unit: `Lanes` parallel operands of `Planes` bits are ANDed with one serial bit each, added in a tree
// of adders, negated when the bit is a sign bit, and accumulated: first over the planes of a brick, most significant first,
// with a shift by one, then over the bricks of a tile. After the SIP of Stripes (Judd et al., MICRO 2016, figure 6), with its
// accumulator split in two so that the shift does not touch the bricks before.
//
// Results are exact modulo 2^32. `cascade_i` adds the sum of another unit, that of the column before.
//
// Operands: plane b of lane l is par_i[b * Lanes + l]; `par_signed_i` makes the top plane negative.
// Latency: operands in cycle c -> first half of the tree registered c+1 -> sum c+2 -> brick c+3 -> `acc_o` c+4.
module stripes_sip #(
    parameter int Lanes   = 32,
    parameter int Planes  = 8,
    parameter int MaxBits = 8    // of the serial operand (Planes = 1: of either)
) (
    input  logic                    clk_i,
    input  logic [             3:0] valid_i,       // bit s: the stage s cycles after the operands is in use
    input  logic                    first_i,       // at the brick accumulator, 2 cycles after the operands
    input  logic                    shift_i,
    input  logic                    negate_i,
    input  logic                    brick_i,       // at the sum, 3 cycles after the operands: the brick is complete
    input  logic                    clear_i,       // ... and the first of its tile
    input  logic                    cascade_i,     // add the sum of another unit, in a cycle in which no brick ends
    input  logic [            31:0] cascade_acc_i,
    input  logic [       Lanes-1:0] serial_i,
    input  logic [Lanes*Planes-1:0] par_i,
    input  logic                    par_signed_i,
    output logic [            31:0] acc_o
);
  // A lane's value needs a sign bit on top of its planes, the sum of 2^n of them n bits more.
  localparam int ValueWidth = Planes + 1;
  localparam int Levels = $clog2(Lanes);
  localparam int FirstLevels = Levels / 2;  // before the register
  localparam int Parts = Lanes >> FirstLevels;
  localparam int PartWidth = ValueWidth + FirstLevels;
  localparam int SumWidth = ValueWidth + Levels;
  // A brick has MaxBits planes, or 2 * MaxBits - 1 slices of pairs of planes. What is above 32 bits no result needs.
  localparam int FullWidth = SumWidth + (Planes > 1 ? MaxBits : 2 * MaxBits - 1);
  localparam int BrickWidth = FullWidth < 32 ? FullWidth : 32;

  // Tree, first half: node n of level v is the sum of nodes 2n and 2n+1 of level v-1, one bit wider.
  for (genvar v = 0; v <= FirstLevels; v++) begin : gen_first
    localparam int Width = ValueWidth + v;
    logic [(Lanes>>v)*Width-1:0] node;
    for (genvar n = 0; n < (Lanes >> v); n++) begin : gen_node
      if (v == 0) begin : gen_and
        logic [Planes-1:0] value;
        for (genvar b = 0; b < Planes; b++) begin : gen_bit
          assign value[b] = par_i[b*Lanes+n] & serial_i[n];
        end
        assign node[n*Width+:Width] = {value[Planes-1] & par_signed_i, value};
      end else begin : gen_add
        logic [Width-2:0] left;
        logic [Width-2:0] right;
        assign left  = gen_first[v-1].node[2*n*(Width-1)+:Width-1];
        assign right = gen_first[v-1].node[(2*n+1)*(Width-1)+:Width-1];
        assign node[n*Width+:Width] = {left[Width-2], left} + {right[Width-2], right};
      end
    end
  end

  logic [Parts*PartWidth-1:0] part_q;
  always_ff @(posedge clk_i) begin
    if (valid_i[0]) part_q <= gen_first[FirstLevels].node;
  end

  // Tree, second half.
  for (genvar v = FirstLevels; v <= Levels; v++) begin : gen_second
    localparam int Width = ValueWidth + v;
    logic [(Lanes>>v)*Width-1:0] node;
    if (v == FirstLevels) begin : gen_part
      assign node = part_q;
    end else begin : gen_level
      for (genvar n = 0; n < (Lanes >> v); n++) begin : gen_add
        logic [Width-2:0] left;
        logic [Width-2:0] right;
        assign left  = gen_second[v-1].node[2*n*(Width-1)+:Width-1];
        assign right = gen_second[v-1].node[(2*n+1)*(Width-1)+:Width-1];
        assign node[n*Width+:Width] = {left[Width-2], left} + {right[Width-2], right};
      end
    end
  end

  logic [SumWidth-1:0] sum_q;
  always_ff @(posedge clk_i) begin
    if (valid_i[1]) sum_q <= gen_second[Levels].node;
  end

  // Brick. Subtraction adds the inverted sum with a carry in.
  logic [BrickWidth-1:0] brick_q;
  logic [BrickWidth-1:0] base;
  logic [BrickWidth-1:0] addend;
  assign base   = first_i ? '0 : shift_i ? {brick_q[BrickWidth-2:0], 1'b0} : brick_q;
  assign addend = {BrickWidth{negate_i}} ^ {{(BrickWidth - SumWidth) {sum_q[SumWidth-1]}}, sum_q};
  always_ff @(posedge clk_i) begin
    if (valid_i[2]) brick_q <= base + addend + BrickWidth'(negate_i);
  end

  // Sum over bricks.
  logic [31:0] brick;
  if (BrickWidth < 32) begin : gen_extend
    assign brick = {{(32 - BrickWidth) {brick_q[BrickWidth-1]}}, brick_q};
  end else begin : gen_whole
    assign brick = brick_q;
  end
  always_ff @(posedge clk_i) begin
    if ((valid_i[3] & brick_i) | cascade_i) begin
      acc_o <= (clear_i & ~cascade_i ? 32'd0 : acc_o) + (cascade_i ? cascade_acc_i : brick);
    end
  end
endmodule
