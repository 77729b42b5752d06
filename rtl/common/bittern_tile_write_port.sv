// One write port of the result stage: writes its share of a tile, `Beats` beats, as AXI4 bursts.
//
// Latency: tile taken in cycle c -> AW burst loaded in c+1 -> AWVALID in c+2; first beat loaded in c+2 -> WVALID in c+3.
// Beats follow without a gap within a burst, between bursts and between tiles. `tile_done_o` comes in the cycle in which
// the last beat of the tile is loaded into the output register (one cycle before its WVALID): the slot is no longer read.
// After `stop_i` no burst is begun, but those begun are written to their end.
//
// Sums leave as they are, with 32 bits each, or requantised to 8, 4 or 2 bits (`tile_format_i`, latched with the tile; see
// bittern_requantise). A port carries the same sums of a tile in the same order whatever the format; narrower ones take fewer beats.
module bittern_tile_write_port #(
    parameter int unsigned PortWidth      = 64,
    parameter int unsigned NumWritePorts  = 4,
    parameter int unsigned Port           = 0,
    parameter int unsigned SlotBits       = 2048,
    parameter int unsigned MinResultBits  = 32,    // the narrowest format: 32 (no other), 8, 4 or 2
    parameter int unsigned MaxBurstBeats  = 256,
    parameter int unsigned MaxOutstanding = 8
) (
    input  logic                  clk_i,
    input  logic                  rst_ni,
    input  logic                  clear_i,
    input  logic                  stop_i,
    input  logic                  tile_valid_i,
    output logic                  tile_ready_o,
    input  logic [          31:0] tile_addr_i,
    /* verilator lint_off UNUSEDSIGNAL */
    input  logic [           7:0] tile_format_i,  // {shift[5], signed, width[2]}, width: 32, 8, 4 or 2 bits; see MinResultBits
    /* verilator lint_on UNUSEDSIGNAL */
    output logic                  tile_done_o,
    input  logic [  SlotBits-1:0] slot0_i,
    input  logic [  SlotBits-1:0] slot1_i,
    output logic [          31:0] awaddr_o,
    output logic [           7:0] awlen_o,
    output logic                  awvalid_o,
    input  logic                  awready_i,
    output logic [ PortWidth-1:0] wdata_o,
    output logic                  wlast_o,
    output logic                  wvalid_o,
    input  logic                  wready_i,
    /* verilator lint_off UNUSEDSIGNAL */
    input  logic [           1:0] bresp_i,  // bit 1 tells errors
    /* verilator lint_on UNUSEDSIGNAL */
    input  logic                  bvalid_i,
    output logic                  bready_o,
    output logic                  error_o,
    output logic                  writing_o,  // a tile is being cut into bursts or its beats are not all written
    output logic                  busy_o      // a burst is begun and has no response yet
);
  localparam int unsigned Beats = SlotBits / (PortWidth * NumWritePorts);  // of a tile of sums
  localparam int unsigned Narrow = MinResultBits < 32 ? 1 : 0;
  localparam int unsigned BeatWidth = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned BurstWidth = $clog2(MaxBurstBeats) + 1;
  localparam int unsigned BeatsWidth = BeatWidth + 1 > BurstWidth ? BeatWidth + 1 : BurstWidth;
  localparam int unsigned QueueWidth = Narrow != 0 ? 16 : 8;
  localparam int unsigned QueueDepth = 2 ** $clog2(MaxOutstanding);

  logic                 burst;
  logic [          7:0] burst_len;
  logic                 active;
  logic                 len_valid;
  logic [          7:0] len;
  logic [BeatsWidth-1:0] tile_beats;       // of the tile that is offered
  logic [BeatWidth-1:0] last_beat;         // of the tile whose beats are loaded
  logic [QueueWidth-1:0] queue_in;
  logic [QueueWidth-1:0] queue_out;
  logic                 load;
  logic                 burst_last;
  logic                 tile_last;
  logic [          7:0] in_burst_q;  // beats of the burst that are loaded
  logic [BeatWidth-1:0] beat_q;      // beats of the tile that are loaded
  logic                 slot_q;
  logic                 wvalid_q;
  logic                 wlast_q;
  logic [PortWidth-1:0] wdata_q;

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
      .job_beats_i  (tile_beats),
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

  assign len         = queue_out[7:0];
  assign load        = len_valid & (~wvalid_q | wready_i);
  assign burst_last  = in_burst_q == len;
  assign tile_last   = beat_q == last_beat;
  assign tile_done_o = load & tile_last;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wvalid_q   <= 1'b0;
      in_burst_q <= '0;
      beat_q     <= '0;
      slot_q     <= 1'b0;
    end else if (clear_i) begin
      wvalid_q   <= 1'b0;
      in_burst_q <= '0;
      beat_q     <= '0;
      slot_q     <= 1'b0;
    end else begin
      wvalid_q <= load | (wvalid_q & ~wready_i);
      if (load) begin
        in_burst_q <= burst_last ? '0 : in_burst_q + 8'd1;
        beat_q     <= tile_last ? '0 : beat_q + BeatWidth'(1);
        slot_q     <= slot_q ^ tile_last;
      end
    end
  end

  if (Narrow == 0) begin : gen_sums
    // Beat b of the tile: bits [(b * NumWritePorts + Port) * PortWidth +: PortWidth] of its slot.
    localparam int unsigned LsbWidth = $clog2(SlotBits);
    logic [LsbWidth-1:0] lsb;
    assign lsb        = LsbWidth'(beat_q) * LsbWidth'(PortWidth * NumWritePorts) + LsbWidth'(Port * PortWidth);
    assign tile_beats = BeatsWidth'(Beats);
    assign last_beat  = BeatWidth'(Beats - 1);
    assign queue_in   = burst_len;

    always_ff @(posedge clk_i) begin
      if (load) wdata_q <= slot_q ? slot1_i[lsb+:PortWidth] : slot0_i[lsb+:PortWidth];
    end
  end else begin : gen_narrow
    // A chunk is what fills a beat of the narrowest format: Ratio times the sums of a beat of them.
    localparam int unsigned Ratio = 32 / MinResultBits;
    localparam int unsigned RatioShift = $clog2(Ratio);
    localparam int unsigned Chunks = Beats / Ratio;
    localparam int unsigned ChunkWidth = Chunks > 1 ? $clog2(Chunks) : 1;

    logic [7:0] format_q;  // of the tile that is cut into bursts
    logic [7:0] format;    // of the tile whose beats are loaded
    always_ff @(posedge clk_i) begin
      if (tile_valid_i & tile_ready_o) format_q <= tile_format_i;
    end
    assign tile_beats = BeatsWidth'(Beats) >> bittern_result_pkg::halvings(tile_format_i[1:0]);
    assign queue_in   = {format_q, burst_len};
    assign format     = queue_out[15:8];
    assign last_beat  = BeatWidth'((BeatsWidth'(Beats) >> bittern_result_pkg::halvings(format[1:0])) - BeatsWidth'(1));

    // Beat b in its format: the part `part` of chunk `chunk`.
    logic [            2:0] parts_shift;
    logic [ ChunkWidth-1:0] chunk;
    logic [ RatioShift-1:0] part;
    logic [PortWidth*Ratio-1:0] sums;
    logic [      PortWidth-1:0] data;
    assign parts_shift = 3'(RatioShift) - bittern_result_pkg::halvings(format[1:0]);
    assign chunk       = ChunkWidth'(beat_q >> parts_shift);
    assign part        = RatioShift'(beat_q) & ~(RatioShift'((2 ** RatioShift) - 1) << parts_shift);

    always_comb begin
      sums = '0;
      if (load) begin
        for (int unsigned c = 0; c < Chunks; c++) begin
          if (chunk == ChunkWidth'(c)) begin
            for (int unsigned r = 0; r < Ratio; r++) begin
              sums[PortWidth*r+:PortWidth] =
                  slot_q ? slot1_i[((c*Ratio+r)*NumWritePorts+Port)*PortWidth+:PortWidth] :
                           slot0_i[((c*Ratio+r)*NumWritePorts+Port)*PortWidth+:PortWidth];
            end
          end
        end
      end
    end

    bittern_requantise #(
        .PortWidth    (PortWidth),
        .MinResultBits(MinResultBits)
    ) u_requantise (
        .enable_i(load),
        .format_i(format),
        .part_i  (part),
        .sums_i  (sums),
        .data_o  (data)
    );
    always_ff @(posedge clk_i) begin
      if (load) wdata_q <= data;
    end
  end

  always_ff @(posedge clk_i) begin
    if (load) wlast_q <= burst_last;
  end

  assign wdata_o   = wdata_q;
  assign wlast_o   = wlast_q;
  assign wvalid_o  = wvalid_q;
  assign bready_o  = 1'b1;
  assign error_o   = bvalid_i & bresp_i[1];
  assign writing_o = active | len_valid | wvalid_q;
endmodule
