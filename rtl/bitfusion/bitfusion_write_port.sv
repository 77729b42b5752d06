// One write port of the store stage: writes its bits of a tile's words, `Beats` beats a word, as AXI4 bursts.
//
// Latency: tile taken in cycle c -> AW burst loaded in c+1 -> AWVALID in c+2; first beat loaded (its word read) in c+2 ->
// WVALID in c+3, straight from the output register of the memory. Beats follow without a gap within a burst, between bursts
// and between tiles. `tile_done_o` comes in the cycle in which the last beat of the tile is transferred.
// After `stop_i` no burst is begun, but those begun are written to their end.
// Sums leave as they are or requantised (`tile_format_i`, latched with the tile; see bittern_requantise, which then stands between
// the memory and the port): a word has fewer beats then, and every word begins a beat.
module bitfusion_write_port #(
    parameter int unsigned Beats          = 1,    // of a word of sums
    parameter int unsigned PortWidth      = 64,
    parameter int unsigned AddrWidth      = 6,    // of a word in its half
    parameter int unsigned MaxBurstBeats  = 256,
    parameter int unsigned MaxOutstanding = 8,
    parameter int unsigned MinResultBits  = 32,   // the narrowest format: 32 (no other), 8, 4 or 2; at least a beat a word
    parameter int unsigned BeatsWidth     = 18    // of the beats of a tile
) (
    input  logic                       clk_i,
    input  logic                       rst_ni,
    input  logic                       clear_i,
    input  logic                       stop_i,
    input  logic                       tile_valid_i,
    output logic                       tile_ready_o,
    input  logic [               31:0] tile_addr_i,
    input  logic [     BeatsWidth-1:0] tile_beats_i,
    /* verilator lint_off UNUSEDSIGNAL */
    input  logic [                7:0] tile_format_i,  // {shift[5], signed, width[2]}, width: 32, 8, 4 or 2 bits; see MinResultBits
    /* verilator lint_on UNUSEDSIGNAL */
    output logic                       tile_done_o,
    // Output buffer.
    output logic                       rd_en_o,
    output logic                       rd_half_o,
    output logic [      AddrWidth-1:0] rd_addr_o,
    input  logic [PortWidth*Beats-1:0] rd_data0_i,
    input  logic [PortWidth*Beats-1:0] rd_data1_i,
    // AXI4 write channels.
    output logic [               31:0] awaddr_o,
    output logic [                7:0] awlen_o,
    output logic                       awvalid_o,
    input  logic                       awready_i,
    output logic [      PortWidth-1:0] wdata_o,
    output logic                       wlast_o,
    output logic                       wvalid_o,
    input  logic                       wready_i,
    /* verilator lint_off UNUSEDSIGNAL */
    input  logic [                1:0] bresp_i,  // bit 1 tells errors
    /* verilator lint_on UNUSEDSIGNAL */
    input  logic                       bvalid_i,
    output logic                       bready_o,
    // Status.
    output logic                       error_o,
    output logic                       writing_o,  // a tile is being cut into bursts or its beats are not all written
    output logic                       busy_o      // a burst is begun and has no response yet
);
  localparam int unsigned BeatWidth = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned Narrow = MinResultBits < 32 ? 1 : 0;
  localparam int unsigned QueueWidth = Narrow != 0 ? 17 : 9;
  localparam int unsigned QueueDepth = 2 ** $clog2(MaxOutstanding);

  logic                 burst;
  logic [          7:0] burst_len;
  logic                 active;
  logic                 len_valid;
  logic [          7:0] len;
  logic [QueueWidth-1:0] queue_in;
  logic [QueueWidth-1:0] queue_out;
  logic [BeatWidth-1:0] last_beat;   // of a word
  logic                 tile_end;    // the burst is the last one of its tile
  logic                 load;
  logic                 burst_last;
  logic                 tile_last;
  logic                 word_last;
  logic [          7:0] in_burst_q;  // beats of the burst that are loaded
  logic [BeatWidth-1:0] beat_q;      // beats of the word that are loaded
  logic [AddrWidth-1:0] word_q;      // words of the tile that are loaded
  logic                 half_q;
  // The beat on the port.
  logic                 wvalid_q;
  logic                 wlast_q;
  logic                 out_last_q;  // last one of its tile
  logic                 out_half_q;
  logic [BeatWidth-1:0] out_beat_q;

  bittern_burst #(
      .PortWidth     (PortWidth),
      .MaxBurstBeats (MaxBurstBeats),
      .BeatsWidth    (BeatsWidth),
      .MaxOutstanding(MaxOutstanding)
  ) u_burst (
      .clk_i,
      .rst_ni,
      .clear_i,
      .stop_i,
      .job_valid_i  (tile_valid_i),
      .job_ready_o  (tile_ready_o),
      .job_addr_i   (tile_addr_i),
      .job_beats_i  (tile_beats_i),
      .addr_o       (awaddr_o),
      .len_o        (awlen_o),
      .valid_o      (awvalid_o),
      .ready_i      (awready_i),
      .burst_o      (burst),
      .burst_len_o  (burst_len),
      .done_i       (bvalid_i),
      .active_o     (active),
      .outstanding_o(busy_o)
  );
  logic tile_loaded;  // the last burst of a tile is loaded
  assign tile_loaded = burst & tile_ready_o;

  // Bursts begun whose beats are not all loaded: never more than MaxOutstanding, so the queue cannot overflow.
  /* verilator lint_off PINCONNECTEMPTY */
  bittern_fifo #(
      .Width(QueueWidth),
      .Depth(QueueDepth)
  ) u_bursts (
      .clk_i,
      .rst_ni,
      .clear_i,
      .push_i (burst),
      .data_i (queue_in),
      .ready_o(),
      .pop_i  (load & burst_last),
      .valid_o(len_valid),
      .data_o (queue_out)
  );
  /* verilator lint_on PINCONNECTEMPTY */

  assign {tile_end, len} = queue_out[8:0];
  assign load        = len_valid & (~wvalid_q | wready_i);
  assign burst_last  = in_burst_q == len;
  assign tile_last   = burst_last & tile_end;
  assign word_last   = beat_q == last_beat;
  assign tile_done_o = wvalid_q & wready_i & out_last_q;
  assign rd_en_o     = load & (beat_q == '0);
  assign rd_half_o   = half_q;
  assign rd_addr_o   = word_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wvalid_q   <= 1'b0;
      in_burst_q <= '0;
      beat_q     <= '0;
      word_q     <= '0;
      half_q     <= 1'b0;
    end else if (clear_i) begin
      wvalid_q   <= 1'b0;
      in_burst_q <= '0;
      beat_q     <= '0;
      word_q     <= '0;
      half_q     <= 1'b0;
    end else begin
      wvalid_q <= load | (wvalid_q & ~wready_i);
      if (load) begin
        in_burst_q <= burst_last ? '0 : in_burst_q + 8'd1;
        beat_q     <= word_last ? '0 : beat_q + BeatWidth'(1);
        if (word_last) word_q <= tile_last ? '0 : word_q + AddrWidth'(1);
        half_q     <= half_q ^ tile_last;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (load) begin
      wlast_q    <= burst_last;
      out_last_q <= tile_last;
      out_half_q <= half_q;
      out_beat_q <= beat_q;
    end
  end

  if (Narrow == 0) begin : gen_sums
    assign last_beat = BeatWidth'(Beats - 1);
    assign queue_in  = {tile_loaded, burst_len};
    if (Beats == 1) begin : gen_one_beat
      logic unused;
      assign unused  = out_beat_q[0];
      assign wdata_o = out_half_q ? rd_data1_i : rd_data0_i;
    end else begin : gen_beats
      localparam int unsigned LsbWidth = $clog2(PortWidth * Beats);
      logic [LsbWidth-1:0] lsb;
      assign lsb     = {out_beat_q, {(LsbWidth - BeatWidth) {1'b0}}};
      assign wdata_o = out_half_q ? rd_data1_i[lsb+:PortWidth] : rd_data0_i[lsb+:PortWidth];
    end
  end else begin : gen_narrow
    localparam int unsigned Ratio = 32 / MinResultBits;
    localparam int unsigned RatioShift = $clog2(Ratio);
    localparam int unsigned Chunks = Beats / Ratio;
    localparam int unsigned ChunkWidth = Chunks > 1 ? $clog2(Chunks) : 1;

    logic [7:0] format_q;      // of the tile that is cut into bursts
    logic [7:0] format;        // of the tile whose beats are loaded
    logic [7:0] out_format_q;  // of the beat on the port
    always_ff @(posedge clk_i) begin
      if (tile_valid_i & tile_ready_o) format_q <= tile_format_i;
      if (load) out_format_q <= format;
    end
    assign queue_in  = {format_q, tile_loaded, burst_len};
    assign format    = queue_out[16:9];
    assign last_beat = BeatWidth'(((BeatWidth + 1)'(Beats) >> bittern_result_pkg::halvings(format[1:0])) - (BeatWidth + 1)'(1));

    // The beat on the port in its format: the part `part` of chunk `chunk` of its word.
    logic [            2:0] parts_shift;
    logic [ ChunkWidth-1:0] chunk;
    logic [ RatioShift-1:0] part;
    logic [PortWidth*Ratio-1:0] sums;
    assign parts_shift = 3'(RatioShift) - bittern_result_pkg::halvings(out_format_q[1:0]);
    assign chunk       = ChunkWidth'(out_beat_q >> parts_shift);
    assign part        = RatioShift'(out_beat_q) & ~(RatioShift'((2 ** RatioShift) - 1) << parts_shift);

    always_comb begin
      sums = '0;
      for (int unsigned c = 0; c < Chunks; c++) begin
        if (chunk == ChunkWidth'(c)) begin
          sums = out_half_q ? rd_data1_i[c*PortWidth*Ratio+:PortWidth*Ratio] :
                              rd_data0_i[c*PortWidth*Ratio+:PortWidth*Ratio];
        end
      end
    end

    bittern_requantise #(
        .PortWidth    (PortWidth),
        .MinResultBits(MinResultBits)
    ) u_requantise (
        .enable_i(wvalid_q),
        .format_i(out_format_q),
        .part_i  (part),
        .sums_i  (sums),
        .data_o  (wdata_o)
    );
  end

  assign wlast_o   = wlast_q;
  assign wvalid_o  = wvalid_q;
  assign bready_o  = 1'b1;
  assign error_o   = bvalid_i & bresp_i[1];
  assign writing_o = active | len_valid | wvalid_q;
endmodule
