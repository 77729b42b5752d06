// Output buffer: two halves of Depth / 2 words of M x 32 bits. The array fills one half, or adds to it; the write ports read
// the other, each its own bits of every word. A half goes back and forth as a whole, so its memories, one a port, need one
// read and one write port.
//
// Latency (cycles): word from the array in c -> written in c+1, seen by reads of c+2 and later; the tile that it closes is
// told by `emit_o` in c. One word a cycle, new or added to; what was written in the cycle before is forwarded.
// Read by a write port: address in c, data from c+1 until its next read of that half.
// Port p has bits [(beat * Ports + p) * PortWidth +: PortWidth] of a word as bits [beat * PortWidth +: PortWidth].
module bitfusion_obuf #(
    parameter int unsigned M          = 2,
    parameter int unsigned Depth      = 128,
    parameter int unsigned Ports      = 1,
    parameter int unsigned PortWidth  = 64,
    parameter int unsigned AddrWidth  = $clog2(Depth / 2),
    parameter int unsigned SliceWidth = 32 * M / Ports,
    parameter int unsigned Structural = 0
) (
    input  logic                         clk_i,
    input  logic                         rst_ni,
    input  logic                         clear_i,
    // Words from the array.
    input  logic                         valid_i,
    input  logic [                  2:0] tag_i,         // {it closes its tile, it is added to the tile, first of its COMPUTE}
    input  logic [             32*M-1:0] word_i,
    output logic                         emit_o,
    // Write ports.
    input  logic [            Ports-1:0] rd_en_i,
    input  logic [            Ports-1:0] rd_half_i,
    input  logic [  AddrWidth*Ports-1:0] rd_addr_i,
    output logic [ SliceWidth*Ports-1:0] rd_data0_o,    // of each half
    output logic [ SliceWidth*Ports-1:0] rd_data1_o,
    // Status and events.
    output logic                         accumulate_o,  // a word is read to be added to
    output logic                         write_o
);
  localparam int unsigned Beats = SliceWidth / PortWidth;  // of a word on one port

  logic                 half_q;  // that the array fills
  logic [AddrWidth-1:0] next_q;  // the word after the last one
  logic [AddrWidth-1:0] addr;
  logic                 add;

  assign addr         = tag_i[0] ? '0 : next_q;
  assign add          = valid_i & tag_i[1];
  assign emit_o       = valid_i & tag_i[2];
  assign accumulate_o = add;

  // The write, one cycle later.
  logic                 write_q;
  logic                 write_half_q;
  logic                 add_q;
  logic                 forward_q;
  logic [AddrWidth-1:0] write_addr_q;
  logic [     32*M-1:0] word_q;
  logic [     32*M-1:0] old;
  logic [     32*M-1:0] sum;
  logic [     32*M-1:0] last_q;  // written in the cycle before

  assign write_o = write_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      half_q  <= 1'b0;
      write_q <= 1'b0;
    end else if (clear_i) begin
      half_q  <= 1'b0;
      write_q <= 1'b0;
    end else begin
      half_q  <= half_q ^ emit_o;
      write_q <= valid_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      next_q       <= addr + AddrWidth'(1);
      write_addr_q <= addr;
      write_half_q <= half_q;
      add_q        <= tag_i[1];
      forward_q    <= write_q & (write_addr_q == addr) & (write_half_q == half_q);
      word_q       <= word_i;
    end
  end

  always_comb begin
    old = '0;
    if (add_q) begin
      for (int unsigned p = 0; p < Ports; p++) begin
        for (int unsigned b = 0; b < Beats; b++) begin
          old[(b*Ports+p)*PortWidth+:PortWidth] = write_half_q ? rd_data1_o[p*SliceWidth+b*PortWidth+:PortWidth] :
                                                                 rd_data0_o[p*SliceWidth+b*PortWidth+:PortWidth];
        end
      end
      if (forward_q) old = last_q;
    end
  end

  // Simulated only when a word is added to.
  always_comb begin
    sum = word_q;
    if (add_q || Structural != 0) begin
      for (int unsigned m = 0; m < M; m++) sum[32*m+:32] = word_q[32*m+:32] + old[32*m+:32];
    end
  end

  always_ff @(posedge clk_i) begin
    if (write_q) last_q <= sum;
  end

  for (genvar p = 0; p < Ports; p++) begin : gen_port
    logic [SliceWidth-1:0] slice;
    for (genvar b = 0; b < Beats; b++) begin : gen_beat
      assign slice[b*PortWidth+:PortWidth] = sum[(b*Ports+p)*PortWidth+:PortWidth];
    end
    logic [AddrWidth-1:0] port_addr;
    logic                 port_half;
    assign port_addr = rd_addr_i[AddrWidth*p+:AddrWidth];
    assign port_half = rd_half_i[p];

    bittern_ram #(
        .GroupWidth(SliceWidth),
        .Groups    (1),
        .Depth     (Depth / 2),
        .Structural(Structural)
    ) u_half0 (
        .clk_i,
        .wr_en_i   (write_q & ~write_half_q),
        .wr_addr_i (write_addr_q),
        .wr_group_i(1'b0),
        .wr_data_i (slice),
        .rd_en_i   ((add & ~half_q) | (rd_en_i[p] & ~port_half)),
        .rd_addr_i ((add & ~half_q) ? addr : port_addr),
        .rd_data_o (rd_data0_o[SliceWidth*p+:SliceWidth])
    );
    bittern_ram #(
        .GroupWidth(SliceWidth),
        .Groups    (1),
        .Depth     (Depth / 2),
        .Structural(Structural)
    ) u_half1 (
        .clk_i,
        .wr_en_i   (write_q & write_half_q),
        .wr_addr_i (write_addr_q),
        .wr_group_i(1'b0),
        .wr_data_i (slice),
        .rd_en_i   ((add & half_q) | (rd_en_i[p] & port_half)),
        .rd_addr_i ((add & half_q) ? addr : port_addr),
        .rd_data_o (rd_data1_o[SliceWidth*p+:SliceWidth])
    );
  end
endmodule
