// Operand buffer of one side: `Banks` rows of Dk-bit words (BISMO's LHS or RHS tile memories), each word cut into `Lanes`
// lanes of PortWidth bits. Every lane has its own write port, so that lanes are filled independently; a write enables one
// bank of it. All banks and lanes are read at one address.
//
// Latency: write in cycle c, readable from c+1; read address in c, data in c+1, kept while `rd_en_i` is low.
// Read data are lane major: bits [(lane * Banks + bank) * PortWidth +: PortWidth]. The dot product does not care about the
// order of bits as long as both sides have the same, and this one needs no shuffle.
//
// Structural = 1 makes each lane one memory with one write port, which infers as block RAM; Structural = 0 keeps all lanes in
// one memory, which simulates faster: a read is one copy. Both do the same (tests/rtl).
module bittern_buffer #(
    parameter int unsigned Banks     = 8,
    parameter int unsigned Lanes     = 4,
    parameter int unsigned PortWidth = 64,
    parameter int unsigned Depth     = 1024,
    parameter int unsigned BankWidth = Banks > 1 ? $clog2(Banks) : 1,  // of wr_bank_i, may be more than this side needs
    parameter int unsigned AddrWidth = 16,                            // of addresses, may be more than Depth needs
    parameter int unsigned Structural = 0
) (
    input  logic                             clk_i,
    input  logic [                Lanes-1:0] wr_en_i,
    /* verilator lint_off UNUSEDSIGNAL */  // addresses have AddrWidth bits whatever the depth, banks as many as the larger side
    input  logic [      AddrWidth*Lanes-1:0] wr_addr_i,
    input  logic [      BankWidth*Lanes-1:0] wr_bank_i,
    input  logic [      PortWidth*Lanes-1:0] wr_data_i,
    input  logic                             rd_en_i,
    input  logic [            AddrWidth-1:0] rd_addr_i,
    /* verilator lint_on UNUSEDSIGNAL */
    output logic [Banks*Lanes*PortWidth-1:0] rd_data_o
);
  localparam int unsigned DepthWidth = $clog2(Depth);
  localparam int unsigned SelWidth = Banks > 1 ? $clog2(Banks) : 1;

  if (Structural != 0) begin : gen_structural
    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      bittern_ram #(
          .GroupWidth(PortWidth),
          .Groups    (Banks),
          .Depth     (Depth),
          .Structural(Structural)
      ) u_ram (
          .clk_i,
          .wr_en_i   (wr_en_i[l]),
          .wr_addr_i (wr_addr_i[AddrWidth*l+:DepthWidth]),
          .wr_group_i(wr_bank_i[BankWidth*l+:SelWidth]),
          .wr_data_i (wr_data_i[PortWidth*l+:PortWidth]),
          .rd_en_i,
          .rd_addr_i (rd_addr_i[DepthWidth-1:0]),
          .rd_data_o (rd_data_o[Banks*PortWidth*l+:Banks*PortWidth])
      );
    end
  end else begin : gen_flat
    logic [Banks*Lanes*PortWidth-1:0] mem [0:Depth-1];

    always_ff @(posedge clk_i) begin
      if (rd_en_i) rd_data_o <= mem[rd_addr_i[DepthWidth-1:0]];
    end
    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      always_ff @(posedge clk_i) begin
        if (wr_en_i[l]) begin
          mem[wr_addr_i[AddrWidth*l+:DepthWidth]][(l*Banks+32'(wr_bank_i[BankWidth*l+:SelWidth]))*PortWidth+:PortWidth] <=
              wr_data_i[PortWidth*l+:PortWidth];
        end
      end
    end
  end
endmodule
