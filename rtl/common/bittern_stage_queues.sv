// The instruction queues of a core, one in front of each of its stages: fetch (one, or one for each operand), execute, and
// result or store. BISMO's decoupling of stages (Umuroglu et al., FPL 2018), used by the dispatchers of all cores.
//
// `valid_i` offers an instruction with the stage that it is for in `kind_i` (one hot; none for one that is dropped: a no-op or
// an error). It is taken in the cycle in which `ready_o` is high, which does not depend on `valid_i`; the head of line blocks
// while the queue of its stage is full.
// Latency: taken in cycle c -> at the head of an empty queue in c+1. `clear_i` empties all queues.
module bittern_stage_queues #(
    parameter int unsigned FetchGroups = 1,    // 1: one fetch stage for both operands; 2: one each
    parameter int unsigned FetchWidth  = 107,  // bits of a queue word
    parameter int unsigned ExecWidth   = 122,
    parameter int unsigned ResultWidth = 96,
    parameter int unsigned Depth       = 32
) (
    input  logic                              clk_i,
    input  logic                              rst_ni,
    input  logic                              clear_i,
    input  logic                              valid_i,
    input  logic [                       3:0] kind_i,  // fetch_lhs, fetch_rhs, exec, result
    input  logic [            FetchWidth-1:0] fetch_data_i,
    input  logic [             ExecWidth-1:0] exec_data_i,
    input  logic [           ResultWidth-1:0] result_data_i,
    output logic                              ready_o,
    output logic [           FetchGroups-1:0] fetch_valid_o,
    output logic [FetchWidth*FetchGroups-1:0] fetch_data_o,
    input  logic [           FetchGroups-1:0] fetch_pop_i,
    output logic                              exec_valid_o,
    output logic [             ExecWidth-1:0] exec_data_o,
    input  logic                              exec_pop_i,
    output logic                              result_valid_o,
    output logic [           ResultWidth-1:0] result_data_o,
    input  logic                              result_pop_i
);
  logic [FetchGroups-1:0] fetch_push;
  logic [FetchGroups-1:0] fetch_ready;
  logic                   exec_ready;
  logic                   result_ready;
  logic                   push;

  always_comb begin
    fetch_push = '0;
    if (FetchGroups == 1) begin
      fetch_push[0] = kind_i[0] | kind_i[1];
    end else begin
      fetch_push[0]             = kind_i[0];
      fetch_push[FetchGroups-1] = kind_i[1];
    end
  end
  assign ready_o = ((fetch_push & ~fetch_ready) == '0) & (exec_ready | ~kind_i[2]) & (result_ready | ~kind_i[3]);
  assign push    = valid_i & ready_o & ~clear_i;

  for (genvar g = 0; g < FetchGroups; g++) begin : gen_fetch
    bittern_fifo #(
        .Width(FetchWidth),
        .Depth(Depth)
    ) u_queue (
        .clk_i,
        .rst_ni,
        .clear_i,
        .push_i (push & fetch_push[g]),
        .data_i (fetch_data_i),
        .ready_o(fetch_ready[g]),
        .pop_i  (fetch_pop_i[g]),
        .valid_o(fetch_valid_o[g]),
        .data_o (fetch_data_o[FetchWidth*g+:FetchWidth])
    );
  end

  bittern_fifo #(
      .Width(ExecWidth),
      .Depth(Depth)
  ) u_exec_queue (
      .clk_i,
      .rst_ni,
      .clear_i,
      .push_i (push & kind_i[2]),
      .data_i (exec_data_i),
      .ready_o(exec_ready),
      .pop_i  (exec_pop_i),
      .valid_o(exec_valid_o),
      .data_o (exec_data_o)
  );

  bittern_fifo #(
      .Width(ResultWidth),
      .Depth(Depth)
  ) u_result_queue (
      .clk_i,
      .rst_ni,
      .clear_i,
      .push_i (push & kind_i[3]),
      .data_i (result_data_i),
      .ready_o(result_ready),
      .pop_i  (result_pop_i),
      .valid_o(result_valid_o),
      .data_o (result_data_o)
  );
endmodule
