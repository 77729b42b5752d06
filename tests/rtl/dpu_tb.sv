// Test bench of bismo_dpu for a second simulator: reads one line of inputs a cycle from the file +stimuli=<file> (valid of
// each stage, clear, shift, negate in decimal, operands in hexadecimal), prints the accumulator after each cycle.
module dpu_tb;
  parameter int Dk = 256;
  parameter int PopStages = 2;

  logic clk;
  logic [PopStages:0] valid;
  logic clear, shift, negate;
  logic [Dk-1:0] lhs, rhs;
  logic [31:0] acc;
  integer stimuli, fields;
  reg [8*256-1:0] path;

  bismo_dpu #(
      .Dk(Dk), .PopStages(PopStages)
  ) u_dpu (
      .clk_i(clk), .valid_i(valid), .acc_clear_i(clear), .acc_shift_i(shift), .acc_negate_i(negate), .lhs_i(lhs),
      .rhs_i(rhs), .acc_o(acc)
  );

  initial begin
    if (!$value$plusargs("stimuli=%s", path)) $finish(0);
    stimuli = $fopen(path, "r");
    clk = 0;
    fields = 6;
    while (fields == 6) begin
      fields = $fscanf(stimuli, "%d %d %d %d %h %h", valid, clear, shift, negate, lhs, rhs);
      if (fields == 6) begin
        #1 clk = 1;
        #1 $display("%h", acc);
        clk = 0;
      end
    end
    $finish(0);
  end
endmodule
