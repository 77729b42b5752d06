// Simple dual-port memory that infers as block RAM: one write port that writes one group of bits of a word, one read port
// with a registered output that keeps its value while `rd_en_i` is low.
//
// Latency: 1 (address in cycle c, data in cycle c+1). A read sees the writes of earlier cycles, not those of its own.
//
// Structural = 0 writes a part of the word at a computed place, which simulates fast; Structural = 1 writes each group
// under its own enable, which synthesis maps to the byte enables of a block RAM. Both do the same (tests/rtl).
module bittern_ram #(
    parameter int GroupWidth = 64,
    parameter int Groups     = 2,
    parameter int Depth      = 1024,
    parameter int AddrWidth  = $clog2(Depth),
    parameter int SelWidth   = Groups > 1 ? $clog2(Groups) : 1,
    parameter int Structural = 0
) (
    input  logic                         clk_i,
    input  logic                         wr_en_i,
    input  logic [        AddrWidth-1:0] wr_addr_i,
    input  logic [         SelWidth-1:0] wr_group_i,
    input  logic [       GroupWidth-1:0] wr_data_i,
    input  logic                         rd_en_i,
    input  logic [        AddrWidth-1:0] rd_addr_i,
    output logic [Groups*GroupWidth-1:0] rd_data_o
);
  (* ram_style = "block" *)
  logic [Groups*GroupWidth-1:0] mem [0:Depth-1];

  always_ff @(posedge clk_i) begin
    if (rd_en_i) rd_data_o <= mem[rd_addr_i];
  end

  if (Structural != 0) begin : gen_structural
    always_ff @(posedge clk_i) begin
      for (int g = 0; g < Groups; g++) begin
        if (wr_en_i && wr_group_i == SelWidth'(g)) mem[wr_addr_i][g*GroupWidth+:GroupWidth] <= wr_data_i;
      end
    end
  end else begin : gen_flat
    always_ff @(posedge clk_i) begin
      if (wr_en_i) mem[wr_addr_i][wr_group_i*GroupWidth+:GroupWidth] <= wr_data_i;
    end
  end
endmodule
