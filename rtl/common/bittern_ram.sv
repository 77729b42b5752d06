// Simple dual-port memory that infers as block RAM: one write port with an enable for each group of bits, one read port
// with a registered output that keeps its value while `rd_en_i` is low.
//
// Latency: 1 (address in cycle c, data in cycle c+1). A read sees the writes of earlier cycles, not those of its own.
module bittern_ram #(
    parameter int unsigned GroupWidth = 64,
    parameter int unsigned Groups     = 1,
    parameter int unsigned Depth      = 1024,
    parameter int unsigned AddrWidth  = $clog2(Depth)
) (
    input  logic                         clk_i,
    input  logic [           Groups-1:0] wr_en_i,
    input  logic [        AddrWidth-1:0] wr_addr_i,
    input  logic [       GroupWidth-1:0] wr_data_i,  // the same for every group
    input  logic                         rd_en_i,
    input  logic [        AddrWidth-1:0] rd_addr_i,
    output logic [Groups*GroupWidth-1:0] rd_data_o
);
  (* ram_style = "block" *)
  logic [Groups*GroupWidth-1:0] mem [0:Depth-1];

  always_ff @(posedge clk_i) begin
    if (rd_en_i) rd_data_o <= mem[rd_addr_i];
  end

  always_ff @(posedge clk_i) begin
    for (int unsigned g = 0; g < Groups; g++) begin
      if (wr_en_i[g]) mem[wr_addr_i][g*GroupWidth+:GroupWidth] <= wr_data_i;
    end
  end
endmodule
