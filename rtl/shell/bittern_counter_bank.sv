// Sixteen 64-bit counters fed by sixteen 8-bit lanes of increments.
//
// Each lane first adds up in eight bits; in every cycle of a run one lane is swept into its 64-bit word in a small RAM,
// so the bank needs one 64-bit adder instead of sixteen and costs next to nothing in simulation. A lane is swept every 16
// cycles and increments are at most 15, so it never exceeds 240. The words are exact once 16 sweep cycles without
// increments have followed the run.
//
// Latency: an increment is in `read_data_o` at most 17 cycles later.
module bittern_counter_bank (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        sweep_i,       // sweep one lane in this cycle and add the increments
  input  logic        first_i,       // first sweep of a run: words start from zero
  input  logic [3:0]  index_i,       // lane that is swept
  input  logic [63:0] inc_lo_i,      // increments of lanes 0..7, 8 bits each, at most 15
  input  logic [63:0] inc_hi_i,      // increments of lanes 8..15
  input  logic [3:0]  read_index_i,
  output logic [63:0] read_data_o
);
  logic [63:0] acc_lo_q, acc_hi_q, keep, keep_lo, keep_hi, picked;
  logic [63:0] word_q[16];
  logic [5:0]  shift;

  assign shift   = {index_i[2:0], 3'b000};
  assign keep    = ~(64'h0000_0000_0000_00ff << shift);
  assign keep_lo = index_i[3] ? 64'hffff_ffff_ffff_ffff : keep;
  assign keep_hi = index_i[3] ? keep : 64'hffff_ffff_ffff_ffff;
  assign picked  = (index_i[3] ? acc_hi_q : acc_lo_q) >> shift;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      acc_lo_q <= 64'd0;
      acc_hi_q <= 64'd0;
    end else if (sweep_i) begin
      // Lanes cannot carry into each other, so one 64-bit addition serves eight of them.
      acc_lo_q <= (acc_lo_q & keep_lo) + inc_lo_i;
      acc_hi_q <= (acc_hi_q & keep_hi) + inc_hi_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (sweep_i) begin
      word_q[index_i] <= (first_i ? 64'd0 : word_q[index_i]) + {56'd0, picked[7:0]};
    end
  end

  assign read_data_o = word_q[read_index_i];

  logic unused_picked;
  assign unused_picked = ^picked[63:8];
endmodule
