// Store stage: writes the tiles that the array has closed, word after word, from the output buffer to memory, each write port
// its own bits of every word.
//
// Latency (cycles): tile closed (`emit_i`) in cycle c -> counted in c+1 -> taken by all ports in c+1 when a STORE is loaded and
// the ports are ready -> AWVALID in c+3, first WVALID in c+4. Its half is released (`half_release_o`) in the cycle in
// which the slowest port transfers its last beat. Tiles that are there follow each other without a gap. A STORE at
// the queue head in c is loaded in c and can take a tile in c+1; it is replaced in the cycle in which its last tile is
// taken. Responses are not waited for, only counted: `busy_o` stays high until the last one.
module bitfusion_store #(
    parameter int unsigned M              = 2,
    parameter int unsigned PortWidth      = 64,
    parameter int unsigned NumWritePorts  = 1,
    parameter int unsigned AddrWidth      = 6,   // of a word in its half
    parameter int unsigned MaxBurstBeats  = 256,
    parameter int unsigned MaxOutstanding = 8,
    parameter int unsigned MinResultBits  = 32,  // the narrowest results that can be written: 32, 8, 4 or 2 bits
    parameter int unsigned SliceWidth     = 32 * M / NumWritePorts
) (
    input  logic                                clk_i,
    input  logic                                rst_ni,
    input  logic                                clear_i,
    input  logic                                halt_i,
    // Queue head.
    input  logic                                valid_i,
    input  logic [                       111:0] data_i,  // {shift[5], signed, width[2], stride[32], base[32], words[16], tiles[24]}
    output logic                                pop_o,
    // Output buffer.
    input  logic                                emit_i,
    output logic                                half_release_o,
    output logic [           NumWritePorts-1:0] rd_en_o,
    output logic [           NumWritePorts-1:0] rd_half_o,
    output logic [ AddrWidth*NumWritePorts-1:0] rd_addr_o,
    input  logic [SliceWidth*NumWritePorts-1:0] rd_data0_i,
    input  logic [SliceWidth*NumWritePorts-1:0] rd_data1_i,
    // AXI4 write channels.
    output logic [        32*NumWritePorts-1:0] m_wr_awaddr_o,
    output logic [         8*NumWritePorts-1:0] m_wr_awlen_o,
    output logic [           NumWritePorts-1:0] m_wr_awvalid_o,
    input  logic [           NumWritePorts-1:0] m_wr_awready_i,
    output logic [ PortWidth*NumWritePorts-1:0] m_wr_wdata_o,
    output logic [           NumWritePorts-1:0] m_wr_wlast_o,
    output logic [           NumWritePorts-1:0] m_wr_wvalid_o,
    input  logic [           NumWritePorts-1:0] m_wr_wready_i,
    input  logic [         2*NumWritePorts-1:0] m_wr_bresp_i,
    input  logic [           NumWritePorts-1:0] m_wr_bvalid_i,
    output logic [           NumWritePorts-1:0] m_wr_bready_o,
    // Status and events.
    output logic                                error_o,
    output logic                                busy_o,
    output logic                                run_o,
    output logic                                wait_memory_o,
    output logic                                wait_token_o,
    output logic                                word_read_o    // by port 0, which stands for all
);
  localparam int unsigned Beats = SliceWidth / PortWidth;
  localparam int unsigned BeatShift = $clog2(Beats);
  localparam int unsigned ByteShift = $clog2(PortWidth / 8);
  localparam int unsigned BurstWidth = $clog2(MaxBurstBeats) + 1;
  localparam int unsigned TileWidth = AddrWidth + 1 + BeatShift;
  localparam int unsigned BeatsWidth = TileWidth > BurstWidth ? TileWidth : BurstWidth;

  // Tiles that are closed and not yet taken by the ports.
  logic [1:0] tiles_q;
  logic       take;

  // The loaded instruction.
  logic                        active_q;
  logic [                23:0] left_q;
  logic [      BeatsWidth-1:0] beats_q;
  logic [                 7:0] format_q;
  logic [      BeatsWidth-1:0] sum_beats;  // of a tile as sums
  logic [32*NumWritePorts-1:0] addr_q;
  logic                        last;
  logic                        load;
  logic [   NumWritePorts-1:0] port_ready;
  logic [   NumWritePorts-1:0] port_done;
  logic [   NumWritePorts-1:0] port_error;
  logic [   NumWritePorts-1:0] port_writing;
  logic [   NumWritePorts-1:0] port_busy;

  // The dispatcher has checked that words fit a half. Results of 8, 4 and 2 bits take a quarter, an eighth and a sixteenth.
  assign sum_beats = BeatsWidth'(data_i[24+:16]) << BeatShift;

  assign last  = left_q == 24'd1;
  assign take  = active_q & (tiles_q != '0) & (port_ready == '1) & ~halt_i;
  assign load  = valid_i & (~active_q | (take & last)) & ~halt_i & ~clear_i;
  assign pop_o = load;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      tiles_q  <= '0;
      active_q <= 1'b0;
    end else if (clear_i) begin
      tiles_q  <= '0;
      active_q <= 1'b0;
    end else begin
      if (emit_i != take) tiles_q <= take ? tiles_q - 2'd1 : tiles_q + 2'd1;
      active_q <= ~halt_i & (load | (active_q & ~(take & last)));
    end
  end

  always_ff @(posedge clk_i) begin
    if (load) begin
      left_q  <= data_i[23:0];
      format_q <= data_i[104+:8];
      beats_q <= (MinResultBits == 32 || data_i[105:104] == 2'd0) ? sum_beats :
                                                                    sum_beats >> (3'(data_i[105:104]) + 3'd1);
      for (int unsigned p = 0; p < NumWritePorts; p++) begin
        addr_q[32*p+:32] <= data_i[40+:32] + 32'(p) * data_i[72+:32];
      end
    end else if (take) begin
      left_q <= left_q - 24'd1;
      for (int unsigned p = 0; p < NumWritePorts; p++) begin
        addr_q[32*p+:32] <= addr_q[32*p+:32] + (32'(beats_q) << ByteShift);
      end
    end
  end

  // A half is free when the slowest port has written it; a faster one may be a tile ahead.
  logic [2*NumWritePorts-1:0] done_q;
  logic [  NumWritePorts-1:0] done_any;
  always_comb begin
    for (int unsigned p = 0; p < NumWritePorts; p++) done_any[p] = port_done[p] | (done_q[2*p+:2] != '0);
  end
  assign half_release_o = done_any == '1;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      done_q <= '0;
    end else if (clear_i) begin
      done_q <= '0;
    end else begin
      for (int unsigned p = 0; p < NumWritePorts; p++) begin
        if (port_done[p] & ~half_release_o) done_q[2*p+:2] <= done_q[2*p+:2] + 2'd1;
        if (~port_done[p] & half_release_o) done_q[2*p+:2] <= done_q[2*p+:2] - 2'd1;
      end
    end
  end

  for (genvar p = 0; p < NumWritePorts; p++) begin : gen_port
    bitfusion_write_port #(
        .Beats         (Beats),
        .PortWidth     (PortWidth),
        .AddrWidth     (AddrWidth),
        .MaxBurstBeats (MaxBurstBeats),
        .MaxOutstanding(MaxOutstanding),
        .MinResultBits (MinResultBits),
        .BeatsWidth    (BeatsWidth)
    ) u_port (
        .clk_i,
        .rst_ni,
        .clear_i,
        .stop_i      (halt_i),
        .tile_valid_i(take),
        .tile_ready_o(port_ready[p]),
        .tile_addr_i (addr_q[32*p+:32]),
        .tile_beats_i(beats_q),
        .tile_format_i(format_q),
        .tile_done_o (port_done[p]),
        .rd_en_o     (rd_en_o[p]),
        .rd_half_o   (rd_half_o[p]),
        .rd_addr_o   (rd_addr_o[AddrWidth*p+:AddrWidth]),
        .rd_data0_i  (rd_data0_i[SliceWidth*p+:SliceWidth]),
        .rd_data1_i  (rd_data1_i[SliceWidth*p+:SliceWidth]),
        .awaddr_o    (m_wr_awaddr_o[32*p+:32]),
        .awlen_o     (m_wr_awlen_o[8*p+:8]),
        .awvalid_o   (m_wr_awvalid_o[p]),
        .awready_i   (m_wr_awready_i[p]),
        .wdata_o     (m_wr_wdata_o[PortWidth*p+:PortWidth]),
        .wlast_o     (m_wr_wlast_o[p]),
        .wvalid_o    (m_wr_wvalid_o[p]),
        .wready_i    (m_wr_wready_i[p]),
        .bresp_i     (m_wr_bresp_i[2*p+:2]),
        .bvalid_i    (m_wr_bvalid_i[p]),
        .bready_o    (m_wr_bready_o[p]),
        .error_o     (port_error[p]),
        .writing_o   (port_writing[p]),
        .busy_o      (port_busy[p])
    );
  end

  assign error_o       = port_error != '0;
  assign busy_o        = active_q | (port_writing != '0) | (port_busy != '0);
  assign run_o         = (m_wr_wvalid_o & m_wr_wready_i) != '0;
  assign wait_memory_o = (port_writing != '0) & ~run_o;
  assign wait_token_o  = active_q & (tiles_q == '0) & (port_writing == '0);
  assign word_read_o   = rd_en_o[0];
endmodule
