// Reads a program of 128-bit instructions over a 64-bit AXI read port and hands it to the core.
//
// Bursts of at most 16 beats (8 instructions) never cross a 128-byte boundary; they are requested ahead as long as the
// prefetch queue of 32 instructions has room for all that is under way, so `m_rready_o` is always high. The stream stops at
// END (low four bits zero), which the core never sees. Errors: the program does not lie within `mem_limit_i` (checked before
// the first access) or is not 16-byte aligned, END with other bits set, an AXI error response, a program without END.
//
// Latency: `m_arvalid_o` rises 2 cycles after `start_i`; an instruction is offered in the cycle after its second beat.
module bittern_instr_fetch (
  input  logic         clk_i,
  input  logic         rst_ni,

  input  logic         start_i,         // one cycle: drop everything and begin
  input  logic         halt_i,          // stop: request and hand over nothing more
  input  logic [31:0]  prog_addr_i,
  input  logic [31:0]  prog_length_i,   // instructions, END included
  input  logic [31:0]  mem_limit_i,     // 0: no check
  output logic         idle_o,          // END seen or halted, and nothing outstanding
  output logic         error_valid_o,
  output logic [3:0]   error_code_o,

  output logic         instr_valid_o,
  input  logic         instr_ready_i,
  output logic [127:0] instr_data_o,

  output logic [31:0]  m_araddr_o,
  output logic [7:0]   m_arlen_o,
  output logic         m_arvalid_o,
  input  logic         m_arready_i,
  input  logic [63:0]  m_rdata_i,
  input  logic [1:0]   m_rresp_i,
  input  logic         m_rlast_i,
  input  logic         m_rvalid_i,
  output logic         m_rready_o
);
  localparam int unsigned Depth = 32;  // prefetched instructions

  logic         running_q;     // started, no END seen, no error of our own
  logic         check_q;       // first cycle after start: the range is checked
  logic [31:0]  addr_q;        // next byte to request
  logic [31:0]  to_request_q;  // instructions not yet requested
  logic [31:0]  to_hand_q;     // instructions not yet taken from the queue
  logic [5:0]   reserved_q;    // queue entries filled or promised to bursts under way
  logic [5:0]   in_flight_q;   // instructions requested and not yet received
  logic         arvalid_q;
  logic [31:0]  araddr_q;
  logic [7:0]   arlen_q;

  logic [63:0]  low_q;         // lower half of the instruction that is arriving
  logic         high_q;        // the next beat is the upper half of an instruction

  // Range check, with enough bits that nothing wraps.
  logic [36:0] last_byte;
  logic        range_error;
  assign last_byte   = {5'd0, prog_addr_i} + {1'b0, prog_length_i, 4'd0};
  assign range_error = (prog_addr_i[3:0] != 4'd0) || (last_byte > 37'h1_0000_0000) ||
                       ((mem_limit_i != 32'd0) && (last_byte > {5'd0, mem_limit_i}));

  // Head of the queue. Its space is reserved before a burst is requested, so a push always finds room.
  logic [127:0] head;
  logic         unused_ready, queue_valid, head_valid, head_end, head_bad, take, push;

  bittern_fifo #(
    .Width(128),
    .Depth(Depth)
  ) u_queue (
    .clk_i,
    .rst_ni,
    .clear_i(start_i),
    .push_i (push),
    .data_i ({m_rdata_i, low_q}),
    .ready_o(unused_ready),
    .pop_i  (take),
    .valid_o(queue_valid),
    .data_o (head)
  );

  assign head_valid   = running_q && !halt_i && queue_valid;
  assign head_end     = (head[3:0] == 4'd0);
  assign head_bad     = head_end && (head[127:4] != 124'd0);
  assign instr_valid_o = head_valid && !head_end;
  assign instr_data_o = head;
  assign take         = head_valid && (head_end || instr_ready_i);

  // Next burst: up to the boundary or the end of the program, if the queue can hold it.
  logic [3:0]  to_boundary, burst;
  logic        request;
  assign to_boundary = 4'd8 - {1'b0, addr_q[6:4]};
  assign burst       = (to_request_q < {28'd0, to_boundary}) ? to_request_q[3:0] : to_boundary;
  assign request     = running_q && !check_q && !halt_i && (to_request_q != 32'd0) && (!arvalid_q || m_arready_i) &&
                       (reserved_q + {2'd0, burst} <= 6'(Depth));

  logic receive, read_error, missing_end;
  assign receive     = m_rvalid_i;
  assign push        = receive && high_q;
  assign read_error  = receive && m_rresp_i[1] && running_q;
  assign missing_end = running_q && !check_q && (to_hand_q == 32'd0);

  always_comb begin
    error_valid_o = 1'b0;
    error_code_o  = bittern_pkg::ErrorNone;
    if (running_q && !halt_i) begin
      if (check_q && range_error) begin
        error_valid_o = 1'b1;
        error_code_o  = bittern_pkg::ErrorAddressOutOfRange;
      end else if (read_error) begin
        error_valid_o = 1'b1;
        error_code_o  = bittern_pkg::ErrorAxiReadError;
      end else if (head_valid && head_bad) begin
        error_valid_o = 1'b1;
        error_code_o  = bittern_pkg::ErrorIllegalInstruction;
      end else if (missing_end) begin
        error_valid_o = 1'b1;
        error_code_o  = bittern_pkg::ErrorMissingEnd;
      end
    end
  end

  assign idle_o      = !running_q && !arvalid_q && (in_flight_q == 6'd0);
  assign m_araddr_o  = araddr_q;
  assign m_arlen_o   = arlen_q;
  assign m_arvalid_o = arvalid_q;
  assign m_rready_o  = 1'b1;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      running_q    <= 1'b0;
      check_q      <= 1'b0;
      addr_q       <= 32'd0;
      to_request_q <= 32'd0;
      to_hand_q    <= 32'd0;
      reserved_q   <= 6'd0;
      in_flight_q  <= 6'd0;
      arvalid_q    <= 1'b0;
      araddr_q     <= 32'd0;
      arlen_q      <= 8'd0;
      high_q       <= 1'b0;
    end else if (start_i) begin
      // The previous run ended with nothing outstanding, so all state can be set afresh.
      running_q    <= 1'b1;
      check_q      <= 1'b1;
      addr_q       <= prog_addr_i;
      to_request_q <= prog_length_i;
      to_hand_q    <= prog_length_i;
      reserved_q   <= 6'd0;
      in_flight_q  <= 6'd0;
      arvalid_q    <= 1'b0;
      high_q       <= 1'b0;
    end else begin
      check_q <= 1'b0;
      if (error_valid_o || halt_i || (head_valid && head_end)) running_q <= 1'b0;

      if (request) begin
        arvalid_q    <= 1'b1;
        araddr_q     <= addr_q;
        arlen_q      <= {3'd0, burst, 1'b0} - 8'd1;
        addr_q       <= addr_q + {24'd0, burst, 4'd0};
        to_request_q <= to_request_q - {28'd0, burst};
      end else if (m_arready_i) begin
        arvalid_q <= 1'b0;
      end

      if (request || push || take) begin
        reserved_q  <= reserved_q + (request ? {2'd0, burst} : 6'd0) - {5'd0, take};
        in_flight_q <= in_flight_q + (request ? {2'd0, burst} : 6'd0) - {5'd0, push};
      end
      if (receive) high_q <= ~high_q;
      if (take) to_hand_q <= to_hand_q - 32'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (receive && !high_q) low_q <= m_rdata_i;
  end

  logic unused;
  assign unused = ^{m_rlast_i, m_rresp_i[0]};
endmodule
