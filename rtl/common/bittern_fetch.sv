// One fetch group: `Lanes` read ports that fill the buffers, each from its own region of memory (the counterpart of the
// fetch stage of BISMO, with one port a lane instead of one DMA engine and an interconnect to the banks).
//
// The request side takes an instruction when its free token is there and every port can take it, and may run up to
// InFlight instructions ahead of the data; the data side writes the beats as they come, never stalls them, and needs no
// cycle between instructions. Ports are independent of each other within an instruction.
//
// Latency (cycles): instruction at the queue head and token there in c -> taken in c (`pop_o`) -> first ARVALID in c+2.
// With AR ready, one burst a cycle and port; the next instruction is taken in the cycle in which the slowest port loads
// its last burst into its address register (one cycle before that ARVALID).
// A beat accepted in c is on the write port of the buffer in c+1 and can be read by an address issued in c+2.
// The last beat of an instruction on all lanes accepted by c -> `filled_o` in c+1 -> token can be taken in c+2.
// A free token can let an instruction start in the cycle after it was given.
//
// Word i of an instruction goes to bank i mod banks. The number of banks is a constant of each side, or, with BankField, part
// of the instruction: `data_i` then carries the number minus one above its other fields.
module bittern_fetch #(
    parameter int unsigned Lanes          = 4,
    parameter int unsigned PortWidth      = 64,
    parameter int unsigned LhsBanks       = 8,
    parameter int unsigned RhsBanks       = 8,
    parameter int unsigned MaxBurstBeats  = 256,
    parameter int unsigned MaxOutstanding = 8,
    parameter int unsigned InFlight       = 8,
    parameter int unsigned BankField      = 0,
    parameter int unsigned BankWidth      = LhsBanks * RhsBanks > 1 ? $clog2(LhsBanks > RhsBanks ? LhsBanks : RhsBanks) : 1,
    parameter int unsigned AddrWidth      = 16    // of buffer addresses, as in the instruction
) (
    input  logic                       clk_i,
    input  logic                       rst_ni,
    input  logic                       clear_i,
    input  logic                       halt_i,
    // Queue head.
    input  logic                       valid_i,
    input  logic [91+AddrWidth+BankField*BankWidth-1:0] data_i,
    output logic                       pop_o,
    // Tokens.
    input  logic                       lhs_free_i,
    input  logic                       rhs_free_i,
    output logic                       lhs_take_o,
    output logic                       rhs_take_o,
    output logic                       lhs_filled_o,
    output logic                       rhs_filled_o,
    // Buffer writes, one a lane.
    output logic [          Lanes-1:0] wr_lhs_o,
    output logic [          Lanes-1:0] wr_rhs_o,
    output logic [AddrWidth*Lanes-1:0] wr_addr_o,
    output logic [BankWidth*Lanes-1:0] wr_bank_o,
    output logic [PortWidth*Lanes-1:0] wr_data_o,
    // AXI4 read channels.
    output logic [       32*Lanes-1:0] m_rd_araddr_o,
    output logic [        8*Lanes-1:0] m_rd_arlen_o,
    output logic [          Lanes-1:0] m_rd_arvalid_o,
    input  logic [          Lanes-1:0] m_rd_arready_i,
    input  logic [PortWidth*Lanes-1:0] m_rd_rdata_i,
    /* verilator lint_off UNUSEDSIGNAL */
    input  logic [        2*Lanes-1:0] m_rd_rresp_i,  // bit 1 of each tells errors
    /* verilator lint_on UNUSEDSIGNAL */
    input  logic [          Lanes-1:0] m_rd_rlast_i,
    input  logic [          Lanes-1:0] m_rd_rvalid_i,
    output logic [          Lanes-1:0] m_rd_rready_o,
    // Status and events.
    output logic                       error_o,
    output logic                       busy_o,
    output logic                       lhs_run_o,
    output logic                       lhs_wait_memory_o,
    output logic                       lhs_wait_token_o,
    output logic                       rhs_run_o,
    output logic                       rhs_wait_memory_o,
    output logic                       rhs_wait_token_o
);
  localparam int unsigned CountWidth = $clog2(InFlight + 1);

  logic        flush;
  logic        is_rhs;
  logic        wait_free;
  logic        send_filled;
  logic [AddrWidth-1:0] base;
  logic [23:0] words;
  logic [31:0] dram_base;
  logic [31:0] stride;

  assign flush       = clear_i | halt_i;
  assign is_rhs      = data_i[0];
  assign wait_free   = data_i[1];
  assign send_filled = data_i[2];
  assign base        = data_i[3+:AddrWidth];
  assign words       = data_i[3+AddrWidth+:24];
  assign dram_base   = data_i[27+AddrWidth+:32];
  assign stride      = data_i[59+AddrWidth+:32];

  // The last bank of each side is known from the parameters or comes with the instruction.
  logic [BankWidth-1:0] last_of_instr;
  if (BankField != 0) begin : gen_bank_field
    assign last_of_instr = data_i[91+AddrWidth+:BankWidth];
  end else begin : gen_bank_constant
    assign last_of_instr = is_rhs ? BankWidth'(RhsBanks - 1) : BankWidth'(LhsBanks - 1);
  end

  // Request side.
  logic             token_ok;
  logic             order_ready;
  logic             start;
  logic [Lanes-1:0] job_ready;
  logic [Lanes-1:0] outstanding;

  assign token_ok   = ~wait_free | (is_rhs ? rhs_free_i : lhs_free_i);
  assign start      = valid_i & token_ok & order_ready & (job_ready == '1) & ~flush;
  assign pop_o      = start;
  assign lhs_take_o = start & wait_free & ~is_rhs;
  assign rhs_take_o = start & wait_free & is_rhs;

  // Instructions whose data are under way, in order. The queues of the ports never hold more than this one.
  logic       order_valid;
  logic [1:0] order;         // send_filled, rhs
  logic       fire;          // the oldest instruction is complete

  bittern_fifo #(
      .Width(2),
      .Depth(InFlight)
  ) u_order (
      .clk_i,
      .rst_ni,
      .clear_i(flush),
      .push_i (start),
      .data_i ({send_filled, is_rhs}),
      .ready_o(order_ready),
      .pop_i  (fire),
      .valid_o(order_valid),
      .data_o (order)
  );

  // Data side.
  logic [Lanes-1:0] lane_done;   // at least one instruction complete and not yet counted off
  logic [Lanes-1:0] lane_lhs;    // an LHS beat arrived
  logic [Lanes-1:0] lane_rhs;
  logic [Lanes-1:0] lane_error;

  assign fire         = order_valid & (lane_done == '1);
  assign lhs_filled_o = fire & order[1] & ~order[0];
  assign rhs_filled_o = fire & order[1] & order[0];
  assign error_o      = lane_error != '0;

  for (genvar p = 0; p < Lanes; p++) begin : gen_lane
    logic                 beat;
    logic                 desc_valid;
    logic                 desc_rhs;
    logic [AddrWidth-1:0] desc_base;
    logic [         23:0] desc_words;
    logic [BankWidth-1:0] desc_last;
    logic [         23:0] word_q;    // words of this instruction that have arrived
    logic [AddrWidth-1:0] row_q;
    logic [BankWidth-1:0] bank_q;
    logic                 last_bank;
    logic                 last_word;
    logic [CountWidth-1:0] done_q;
    logic                  done;

    logic                  wr_lhs_q;
    logic                  wr_rhs_q;
    logic [ AddrWidth-1:0] wr_addr_q;
    logic [ BankWidth-1:0] wr_bank_q;
    logic [ PortWidth-1:0] wr_data_q;

    /* verilator lint_off PINCONNECTEMPTY */
    bittern_burst #(
        .PortWidth     (PortWidth),
        .MaxBurstBeats (MaxBurstBeats),
        .BeatsWidth    (24),
        .MaxOutstanding(MaxOutstanding)
    ) u_burst (
        .clk_i,
        .rst_ni,
        .clear_i,
        .stop_i       (halt_i),
        .job_valid_i  (start),
        .job_ready_o  (job_ready[p]),
        .job_addr_i   (dram_base + 32'(p) * stride),
        .job_beats_i  (words),
        .addr_o       (m_rd_araddr_o[32*p+:32]),
        .len_o        (m_rd_arlen_o[8*p+:8]),
        .valid_o      (m_rd_arvalid_o[p]),
        .ready_i      (m_rd_arready_i[p]),
        .burst_o      (),
        .burst_len_o  (),
        .done_i       (beat & m_rd_rlast_i[p]),
        .active_o     (),
        .outstanding_o(outstanding[p])
    );

    bittern_fifo #(
        .Width(25 + AddrWidth + BankWidth),
        .Depth(InFlight)
    ) u_desc (
        .clk_i,
        .rst_ni,
        .clear_i(flush),
        .push_i (start),
        .data_i ({last_of_instr, words, base, is_rhs}),
        .ready_o(),
        .pop_i  (done),
        .valid_o(desc_valid),
        .data_o ({desc_last, desc_words, desc_base, desc_rhs})
    );
    /* verilator lint_on PINCONNECTEMPTY */

    assign m_rd_rready_o[p]   = 1'b1;
    assign beat          = m_rd_rvalid_i[p];
    assign last_word     = word_q == desc_words - 24'd1;
    assign last_bank     = bank_q == desc_last;
    assign done          = beat & desc_valid & last_word;
    assign lane_done[p]  = done_q != '0;
    assign lane_lhs[p]   = beat & desc_valid & ~desc_rhs;
    assign lane_rhs[p]   = beat & desc_valid & desc_rhs;
    assign lane_error[p] = beat & m_rd_rresp_i[2*p+1];

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        word_q   <= '0;
        row_q    <= '0;
        bank_q   <= '0;
        done_q   <= '0;
        wr_lhs_q <= 1'b0;
        wr_rhs_q <= 1'b0;
      end else if (flush) begin
        word_q   <= '0;
        row_q    <= '0;
        bank_q   <= '0;
        done_q   <= '0;
        wr_lhs_q <= 1'b0;
        wr_rhs_q <= 1'b0;
      end else begin
        wr_lhs_q <= lane_lhs[p];
        wr_rhs_q <= lane_rhs[p];
        if (beat) begin
          word_q <= last_word ? '0 : word_q + 24'd1;
          if (last_word) begin
            bank_q <= '0;
            row_q  <= '0;
          end else if (last_bank) begin
            bank_q <= '0;
            row_q  <= row_q + AddrWidth'(1);
          end else begin
            bank_q <= bank_q + BankWidth'(1);
          end
        end
        if (done != fire) done_q <= done ? done_q + CountWidth'(1) : done_q - CountWidth'(1);
      end
    end

    always_ff @(posedge clk_i) begin
      if (beat) begin
        wr_addr_q <= desc_base + row_q;
        wr_bank_q <= bank_q;
        wr_data_q <= m_rd_rdata_i[PortWidth*p+:PortWidth];
      end
    end

    assign wr_lhs_o[p]                        = wr_lhs_q;
    assign wr_rhs_o[p]                        = wr_rhs_q;
    assign wr_addr_o[AddrWidth*p+:AddrWidth]  = wr_addr_q;
    assign wr_bank_o[BankWidth*p+:BankWidth]  = wr_bank_q;
    assign wr_data_o[PortWidth*p+:PortWidth]  = wr_data_q;
  end

  // Instructions in flight, by side, for the events.
  logic [CountWidth-1:0] lhs_count_q;
  logic [CountWidth-1:0] rhs_count_q;
  logic                  lhs_start;
  logic                  rhs_start;
  logic                  lhs_end;
  logic                  rhs_end;

  assign lhs_start = start & ~is_rhs;
  assign rhs_start = start & is_rhs;
  assign lhs_end   = fire & ~order[0];
  assign rhs_end   = fire & order[0];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      lhs_count_q <= '0;
      rhs_count_q <= '0;
    end else if (flush) begin
      lhs_count_q <= '0;
      rhs_count_q <= '0;
    end else begin
      if (lhs_start != lhs_end) lhs_count_q <= lhs_start ? lhs_count_q + CountWidth'(1) : lhs_count_q - CountWidth'(1);
      if (rhs_start != rhs_end) rhs_count_q <= rhs_start ? rhs_count_q + CountWidth'(1) : rhs_count_q - CountWidth'(1);
    end
  end

  assign lhs_run_o         = (lhs_count_q != '0) & (lane_lhs != '0);
  assign rhs_run_o         = (rhs_count_q != '0) & (lane_rhs != '0);
  assign lhs_wait_memory_o = (lhs_count_q != '0) & (lane_lhs == '0);
  assign rhs_wait_memory_o = (rhs_count_q != '0) & (lane_rhs == '0);
  assign lhs_wait_token_o  = valid_i & ~is_rhs & ~token_ok & (lhs_count_q == '0);
  assign rhs_wait_token_o  = valid_i & is_rhs & ~token_ok & (rhs_count_q == '0);
  assign busy_o            = order_valid | (outstanding != '0);
endmodule
