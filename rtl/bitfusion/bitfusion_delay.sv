// Shift register of `Cycles` stages, 0 to any. Without reset, so that synthesis makes it of the LUTs' shift registers.
//
// Latency: `Cycles`.
module bitfusion_delay #(
    parameter int Width  = 8,
    parameter int Cycles = 2
) (
    input  logic             clk_i,
    input  logic [Width-1:0] data_i,
    output logic [Width-1:0] data_o
);
  if (Cycles == 0) begin : gen_wire
    logic unused;
    assign unused = clk_i;
    assign data_o = data_i;
  end else begin : gen_stages
    logic [Width*Cycles-1:0] stages_q;
    always_ff @(posedge clk_i) begin
      stages_q[Width-1:0] <= data_i;
      for (int s = 1; s < Cycles; s++) stages_q[Width*s+:Width] <= stages_q[Width*(s-1)+:Width];
    end
    assign data_o = stages_q[Width*(Cycles-1)+:Width];
  end
endmodule
