// Test bench of bismo_dpa for a second simulator: reads one line of inputs a cycle from the file +stimuli=<file> (valid clear
// shift negate last tag lhs rhs, the first six in decimal, operands in hexadecimal), prints one line of outputs a cycle.
module dpa_tb;
  parameter int Dm = 4;
  parameter int Dk = 256;
  parameter int Dn = 2;
  parameter int Lanes = 4;
  parameter int PopStages = 2;
  parameter int Structural = 0;

  logic clk;
  logic rst_n;
  logic valid, clear, shift, negate, last;
  logic [1:0] tag;
  logic [Dm*Dk-1:0] lhs;
  logic [Dn*Dk-1:0] rhs;
  logic [32*Dm*Dn-1:0] acc;
  logic last_out;
  logic [1:0] tag_out;
  logic busy;
  integer stimuli, fields;
  reg [8*256-1:0] path;

  bismo_dpa #(
      .Dm(Dm), .Dk(Dk), .Dn(Dn), .Lanes(Lanes), .PopStages(PopStages), .TagWidth(2), .Structural(Structural)
  ) u_dpa (
      .clk_i(clk), .rst_ni(rst_n), .valid_i(valid), .clear_i(clear), .shift_i(shift), .negate_i(negate), .last_i(last),
      .tag_i(tag), .lhs_i(lhs), .rhs_i(rhs), .acc_o(acc), .last_o(last_out), .tag_o(tag_out), .busy_o(busy)
  );

  initial begin
    if (!$value$plusargs("stimuli=%s", path)) $finish(0);
    stimuli = $fopen(path, "r");
    clk = 0; rst_n = 0; valid = 0; clear = 0; shift = 0; negate = 0; last = 0; tag = 0; lhs = 0; rhs = 0;
    #1 clk = 1;
    #1 clk = 0; rst_n = 1;
    fields = 8;
    while (fields == 8) begin
      fields = $fscanf(stimuli, "%d %d %d %d %d %d %h %h", valid, clear, shift, negate, last, tag, lhs, rhs);
      if (fields == 8) begin
        #1 clk = 1;
        #1 $display("%0d %0d %h", last_out, tag_out, acc);
        clk = 0;
      end
    end
    $finish(0);
  end
endmodule
