// Test bench of one fusion unit for a second simulator: reads one line from the file +stimuli=<file> (modes and signs in decimal,
// operands in hexadecimal), prints both sums after each.
module bitfusion_unit_tb;
  logic [1:0] lhs_mode, rhs_mode;
  logic lhs_signed, rhs_signed;
  logic [31:0] lhs, rhs, fast_sum;
  logic [16:0] bricks_sum;
  integer stimuli, fields;
  reg [8*256-1:0] path;

  bitfusion_unit u_unit (
      .lhs_mode_i(lhs_mode), .rhs_mode_i(rhs_mode), .lhs_signed_i(lhs_signed), .rhs_signed_i(rhs_signed), .lhs_i(lhs),
      .rhs_i(rhs), .bricks_sum_o(bricks_sum), .fast_sum_o(fast_sum)
  );

  initial begin
    if (!$value$plusargs("stimuli=%s", path)) $finish(0);
    stimuli = $fopen(path, "r");
    fields = 6;
    while (fields == 6) begin
      fields = $fscanf(stimuli, "%d %d %d %d %h %h", lhs_mode, rhs_mode, lhs_signed, rhs_signed, lhs, rhs);
      if (fields == 6) begin
        #1 $display("%0d %0d", $signed(bricks_sum), $signed(fast_sum));
      end
    end
    $finish(0);
  end
endmodule
