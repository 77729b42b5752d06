// The cycle counter and the event counters of the shell, 64 bits each.
//
// Counter 0 counts the cycles with `count_i`. Counter 1 + e adds `event_i[4*e +: 4]` in every cycle with `run_i`. After the
// run the shell gives 16 cycles of `flush_i` that carry the last increments over (see bittern_counter_bank). Reads are
// combinational; until the first sweep of a run is complete, event counters read as zero.
module bittern_counters #(
  parameter int unsigned NumEvents = 1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   zero_i,        // forget everything (start and clear)
  input  logic                   count_i,
  input  logic                   run_i,
  input  logic                   flush_i,
  input  logic [4*NumEvents-1:0] event_i,
  input  logic [8:0]             read_index_i,
  output logic                   read_valid_o,  // there is such a counter
  output logic [63:0]            read_data_o
);
  localparam int unsigned NumGroups = (NumEvents + 31) / 32;
  localparam logic [63:0] LaneMask = 64'h0f0f_0f0f_0f0f_0f0f;

  logic [63:0] cycles_q;
  logic [3:0]  index_q;
  logic        valid_q;
  logic        sweep;

  assign sweep = run_i | flush_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      cycles_q <= 64'd0;
      index_q  <= 4'd0;
      valid_q  <= 1'b0;
    end else begin
      if (zero_i) begin
        cycles_q <= 64'd0;
        index_q  <= 4'd0;
        valid_q  <= 1'b0;
      end else begin
        if (count_i) cycles_q <= cycles_q + 64'd1;
        if (sweep) begin
          index_q <= index_q + 4'd1;
          if (index_q == 4'd15) valid_q <= 1'b1;
        end
      end
    end
  end

  logic [128*NumGroups-1:0] padded;
  always_comb begin
    padded = '0;
    if (run_i) padded[4*NumEvents-1:0] = event_i;
  end

  // Event number of the counter to read: bits 8:5 group, bits 4:1 lane, bit 0 bank.
  logic [8:0]               event_index;
  logic [128*NumGroups-1:0] bank_data;
  assign event_index = read_index_i - 9'd1;

  for (genvar g = 0; g < NumGroups; g++) begin : gen_group
    logic [63:0] lo, hi;
    assign lo = padded[128*g+:64];
    assign hi = padded[128*g+64+:64];

    bittern_counter_bank u_even (
      .clk_i,
      .rst_ni,
      .sweep_i     (sweep),
      .first_i     (~valid_q),
      .index_i     (index_q),
      .inc_lo_i    (lo & LaneMask),
      .inc_hi_i    (hi & LaneMask),
      .read_index_i(event_index[4:1]),
      .read_data_o (bank_data[128*g+:64])
    );
    bittern_counter_bank u_odd (
      .clk_i,
      .rst_ni,
      .sweep_i     (sweep),
      .first_i     (~valid_q),
      .index_i     (index_q),
      .inc_lo_i    ((lo >> 4) & LaneMask),
      .inc_hi_i    ((hi >> 4) & LaneMask),
      .read_index_i(event_index[4:1]),
      .read_data_o (bank_data[128*g+64+:64])
    );
  end

  assign read_valid_o = ({23'd0, read_index_i} <= NumEvents);

  always_comb begin
    read_data_o = 64'd0;
    if (read_index_i == 9'd0) begin
      read_data_o = cycles_q;
    end else if (valid_q && read_valid_o) begin
      for (int unsigned g = 0; g < NumGroups; g++) begin
        if ({28'd0, event_index[8:5]} == g) begin
          read_data_o = event_index[0] ? bank_data[128*g+64+:64] : bank_data[128*g+:64];
        end
      end
    end
  end
endmodule
