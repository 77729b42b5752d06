// What yosys is asked to prove never to be high: that the fast form of the Stripes array and the
// one of SIPs differ. Two serial units and a parallel one of two lanes and two planes; any
// operands, signs, precisions and pauses; tiles of one brick of two steps.
module stripes_array_miter #(parameter logic [3 : 0] Columns = 4'd0,  // staggered columns, minus 1
                             parameter logic Cascade = 1'b0)(
    input logic clk_i, input logic rst_ni, input logic valid_i, input logic signed_i,
    input logic msb_i, input logic negate_i, input logic [3 : 0] serial_i,
    input logic [3 : 0] par_i, output logic differ_o);
// First and second step of a brick.
logic step_q;
always_ff @(posedge clk_i or negedge rst_ni) begin if (!rst_ni) step_q <= 1'b0;
else if (valid_i) step_q <= ~step_q;
end

logic [63:0] fast_acc;
logic [63:0] sip_acc;
logic fast_tile;
logic sip_tile;
logic fast_busy;
logic sip_busy;
logic [1:0] fast_tag;
logic [1:0] sip_tag;

stripes_array #(.SerialUnits(2), .ParUnits(1), .Lanes(2), .Planes(2), .FetchLanes(1), .PortWidth(4),
                .Stagger(1), .Transposed(0),
                .Structural(0))u_fast(.clk_i, .rst_ni, .valid_i, .load_i(~step_q), .signed_i,
                                      .msb_i({3'b000, msb_i}), .first_i(~step_q), .shift_i(step_q),
                                      .negate_i, .brick_i(step_q), .clear_i(1'b1), .last_i(1'b1),
                                      .accumulate_i(msb_i), .emit_i(negate_i), .columns_i(Columns),
                                      .cascade_i(Cascade), .serial_i, .par_i, .acc_o(fast_acc),
                                      .tile_o(fast_tile), .accumulate_o(fast_tag[0]),
                                      .emit_o(fast_tag[1]), .busy_o(fast_busy));
stripes_array #(.SerialUnits(2), .ParUnits(1), .Lanes(2), .Planes(2), .FetchLanes(1), .PortWidth(4),
                .Stagger(1), .Transposed(0),
                .Structural(1))u_sips(.clk_i, .rst_ni, .valid_i, .load_i(~step_q), .signed_i,
                                      .msb_i({3'b000, msb_i}), .first_i(~step_q), .shift_i(step_q),
                                      .negate_i, .brick_i(step_q), .clear_i(1'b1), .last_i(1'b1),
                                      .accumulate_i(msb_i), .emit_i(negate_i), .columns_i(Columns),
                                      .cascade_i(Cascade), .serial_i, .par_i, .acc_o(sip_acc),
                                      .tile_o(sip_tile), .accumulate_o(sip_tag[0]),
                                      .emit_o(sip_tag[1]), .busy_o(sip_busy));

assign differ_o = (fast_tile != sip_tile) | (fast_busy != sip_busy) |
                  (fast_tile & ((fast_acc != sip_acc) | (fast_tag != sip_tag)));
endmodule
