// Result stage of a core whose array holds a whole tile: two slots of Units x 32 bits (BISMO's double-buffered result memory),
// and the write ports that empty them.
//
// Latency (cycles): `store_i` in cycle c -> slot written, tile counted in c+1 -> taken by all ports in c+1 when a RESULT
// instruction is loaded and the ports are ready -> AWVALID in c+3, first WVALID in c+4. The slot is released
// (`slot_release_o`) in the cycle in which the last of its beats is loaded into an output register, one cycle before that
// beat's WVALID. Tiles that are there follow each other without a gap. An instruction at the queue head in c is loaded
// in c and can take a tile in c+1; it is replaced in the cycle in which its last tile is taken. Responses are not waited for, only counted: `busy_o`
// stays high until the last one.
// Tiles leave as sums of 32 bits or, with MinResultBits below 32, requantised (see bittern_tile_write_port).
module bittern_tile_result #(
    parameter int unsigned Units          = 64,  // 32-bit results of a tile
    parameter int unsigned PortWidth      = 64,
    parameter int unsigned NumWritePorts  = 4,
    parameter int unsigned MaxBurstBeats  = 256,
    parameter int unsigned MaxOutstanding = 8,
    parameter int unsigned MinResultBits  = 32,  // the narrowest results that can be written: 32, 8, 4 or 2 bits
    parameter int unsigned Structural     = 0    // see bismo_core
) (
    input  logic                               clk_i,
    input  logic                               rst_ni,
    input  logic                               clear_i,
    input  logic                               halt_i,
    // Queue head.
    input  logic                               valid_i,
    input  logic [                       95:0] data_i,   // {shift[5], signed, width[2], stride[32], dram_base[32], tiles[24]}
    output logic                               pop_o,
    // Tile from the array.
    input  logic                               store_i,
    input  logic                               accumulate_i,
    input  logic                               emit_i,
    input  logic [                32*Units-1:0] acc_i,
    output logic                               slot_release_o,
    // AXI4 write channels.
    output logic [       32*NumWritePorts-1:0] m_wr_awaddr_o,
    output logic [        8*NumWritePorts-1:0] m_wr_awlen_o,
    output logic [          NumWritePorts-1:0] m_wr_awvalid_o,
    input  logic [          NumWritePorts-1:0] m_wr_awready_i,
    output logic [PortWidth*NumWritePorts-1:0] m_wr_wdata_o,
    output logic [          NumWritePorts-1:0] m_wr_wlast_o,
    output logic [          NumWritePorts-1:0] m_wr_wvalid_o,
    input  logic [          NumWritePorts-1:0] m_wr_wready_i,
    input  logic [        2*NumWritePorts-1:0] m_wr_bresp_i,
    input  logic [          NumWritePorts-1:0] m_wr_bvalid_i,
    output logic [          NumWritePorts-1:0] m_wr_bready_o,
    // Status and events.
    output logic                               error_o,
    output logic                               busy_o,
    output logic                               run_o,
    output logic                               wait_memory_o,
    output logic                               wait_token_o
);
  localparam int unsigned SlotBits = 32 * Units;
  localparam int unsigned TileBytes = Units * 4 / NumWritePorts;  // of one port, as sums

  // Slots. A new tile replaces what the slot holds, an accumulating one adds to it.
  logic [SlotBits-1:0] slot0_q;
  logic [SlotBits-1:0] slot1_q;
  logic [SlotBits-1:0] slot_d;
  logic                wr_slot_q;

  // Simulated only when a tile is stored; gates for that would cost 2 x 32 LUTs a unit.
  /* verilator lint_off WIDTHCONCAT */  // slots of large arrays have more than 8k bits
  always_comb begin
    slot_d = '0;
    if (store_i || Structural != 0) begin
      for (int unsigned k = 0; k < Units; k++) begin
        slot_d[32*k+:32] = acc_i[32*k+:32] +
                           (accumulate_i ? (wr_slot_q ? slot1_q[32*k+:32] : slot0_q[32*k+:32]) : '0);
      end
    end
  end
  /* verilator lint_on WIDTHCONCAT */
  always_ff @(posedge clk_i) begin
    if (store_i & ~wr_slot_q) slot0_q <= slot_d;
  end
  always_ff @(posedge clk_i) begin
    if (store_i & wr_slot_q) slot1_q <= slot_d;
  end

  // Tiles that are in a slot and not yet taken by the ports.
  logic [1:0] tiles_q;
  logic       take;

  // The loaded instruction.
  logic                        active_q;
  logic [                23:0] left_q;
  logic [32*NumWritePorts-1:0] addr_q;
  logic [                 7:0] format_q;
  logic [                31:0] tile_bytes;
  logic                        last;
  logic                        load;
  logic [   NumWritePorts-1:0] port_ready;
  logic [   NumWritePorts-1:0] port_done;
  logic [   NumWritePorts-1:0] port_error;
  logic [   NumWritePorts-1:0] port_writing;
  logic [   NumWritePorts-1:0] port_busy;

  // Results of 8, 4 and 2 bits take a quarter, an eighth and a sixteenth of the place of sums.
  assign tile_bytes = (MinResultBits == 32 || format_q[1:0] == 2'd0) ? 32'(TileBytes) :
                                                                       32'(TileBytes) >> (3'(format_q[1:0]) + 3'd1);

  assign last  = left_q == 24'd1;
  assign take  = active_q & (tiles_q != '0) & (port_ready == '1) & ~halt_i;
  assign load  = valid_i & (~active_q | (take & last)) & ~halt_i & ~clear_i;
  assign pop_o = load;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wr_slot_q <= 1'b0;
      tiles_q   <= '0;
      active_q  <= 1'b0;
    end else if (clear_i) begin
      wr_slot_q <= 1'b0;
      tiles_q   <= '0;
      active_q  <= 1'b0;
    end else begin
      if (store_i & emit_i) wr_slot_q <= ~wr_slot_q;
      if ((store_i & emit_i) != take) tiles_q <= take ? tiles_q - 2'd1 : tiles_q + 2'd1;
      active_q <= ~halt_i & (load | (active_q & ~(take & last)));
    end
  end

  always_ff @(posedge clk_i) begin
    if (load) begin
      left_q   <= data_i[23:0];
      format_q <= data_i[95:88];
      for (int unsigned p = 0; p < NumWritePorts; p++) begin
        addr_q[32*p+:32] <= data_i[24+:32] + 32'(p) * data_i[56+:32];
      end
    end else if (take) begin
      left_q <= left_q - 24'd1;
      for (int unsigned p = 0; p < NumWritePorts; p++) begin
        addr_q[32*p+:32] <= addr_q[32*p+:32] + tile_bytes;
      end
    end
  end

  // A slot is free when the slowest port has read it; a faster one may be a tile ahead.
  logic [2*NumWritePorts-1:0] done_q;
  logic [  NumWritePorts-1:0] done_any;
  always_comb begin
    for (int unsigned p = 0; p < NumWritePorts; p++) done_any[p] = port_done[p] | (done_q[2*p+:2] != '0);
  end
  assign slot_release_o = done_any == '1;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      done_q <= '0;
    end else if (clear_i) begin
      done_q <= '0;
    end else begin
      for (int unsigned p = 0; p < NumWritePorts; p++) begin
        if (port_done[p] & ~slot_release_o) done_q[2*p+:2] <= done_q[2*p+:2] + 2'd1;
        if (~port_done[p] & slot_release_o) done_q[2*p+:2] <= done_q[2*p+:2] - 2'd1;
      end
    end
  end

  for (genvar p = 0; p < NumWritePorts; p++) begin : gen_port
    bittern_tile_write_port #(
        .PortWidth     (PortWidth),
        .NumWritePorts (NumWritePorts),
        .Port          (p),
        .SlotBits      (SlotBits),
        .MinResultBits (MinResultBits),
        .MaxBurstBeats (MaxBurstBeats),
        .MaxOutstanding(MaxOutstanding)
    ) u_port (
        .clk_i,
        .rst_ni,
        .clear_i,
        .stop_i      (halt_i),
        .tile_valid_i(take),
        .tile_ready_o(port_ready[p]),
        .tile_addr_i (addr_q[32*p+:32]),
        .tile_format_i(format_q),
        .tile_done_o (port_done[p]),
        .slot0_i     (slot0_q),
        .slot1_i     (slot1_q),
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
endmodule
