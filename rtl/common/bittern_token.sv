// One token channel between two stages: a counter, as BISMO's token queues carry no data (EECS-NTNU/bismo, its
// "synchronisation" queues). Holds up to 2^Width - 1 tokens and stays there when more are given.
//
// Latency: a token given in cycle c can be taken in cycle c+1.
module bittern_token #(
    parameter int unsigned Width = 8
) (
    input  logic clk_i,
    input  logic rst_ni,
    input  logic clear_i,
    input  logic give_i,
    input  logic take_i,  // only when avail_o
    output logic avail_o
);
  logic [Width-1:0] count_q;

  assign avail_o = count_q != '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q <= '0;
    end else if (clear_i) begin
      count_q <= '0;
    end else if (give_i != take_i) begin
      if (take_i) count_q <= count_q - Width'(1);
      else if (count_q != '1) count_q <= count_q + Width'(1);
    end
  end
endmodule
