// First-word-fall-through queue of `Depth` words (a power of two), registers or LUT RAM.
//
// Latency: a word pushed in cycle c is at `data_o` with `valid_o` in cycle c+1; the place of a word popped in cycle c can
// be pushed to in cycle c+1. A push while `ready_o` is low is ignored, and so is a pop while `valid_o` is low.
// `clear_i` empties the queue and wins over both.
module bittern_fifo #(
    parameter int unsigned Width = 32,
    parameter int unsigned Depth = 16
) (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic             clear_i,
    input  logic             push_i,
    input  logic [Width-1:0] data_i,
    output logic             ready_o,
    input  logic             pop_i,
    output logic             valid_o,
    output logic [Width-1:0] data_o
);
  localparam int unsigned PtrWidth = $clog2(Depth);
  localparam int unsigned CountWidth = $clog2(Depth + 1);

  logic [     Width-1:0] mem [0:Depth-1];
  logic [  PtrWidth-1:0] wr_ptr_q;
  logic [  PtrWidth-1:0] rd_ptr_q;
  logic [CountWidth-1:0] count_q;
  logic                  push;
  logic                  pop;

  assign ready_o = count_q != CountWidth'(Depth);
  assign valid_o = count_q != '0;
  assign data_o  = mem[rd_ptr_q];
  assign push    = push_i & ready_o;
  assign pop     = pop_i & valid_o;

  always_ff @(posedge clk_i) begin
    if (push) mem[wr_ptr_q] <= data_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wr_ptr_q <= '0;
      rd_ptr_q <= '0;
      count_q  <= '0;
    end else if (clear_i) begin
      wr_ptr_q <= '0;
      rd_ptr_q <= '0;
      count_q  <= '0;
    end else begin
      if (push) wr_ptr_q <= wr_ptr_q + PtrWidth'(1);
      if (pop) rd_ptr_q <= rd_ptr_q + PtrWidth'(1);
      if (push != pop) count_q <= push ? count_q + CountWidth'(1) : count_q - CountWidth'(1);
    end
  end
endmodule
