// Input or weight buffer: words of `Banks * Lanes` fetch parts of PortWidth bits, filled lane by lane, read in quarters. As
// bittern_buffer, but a lane of which the step needs no quarter is not read: its data stay.
//
// Latency: write in cycle c, readable from c+1; read address in c, data in c+1, kept while the lane is not read.
// Bit r of the word is bit r mod PortWidth of bank r / PortWidth mod Banks of lane r / (Banks * PortWidth).
module bitfusion_operand_buffer #(
    parameter int unsigned Banks      = 2,
    parameter int unsigned Lanes      = 1,
    parameter int unsigned PortWidth  = 64,
    parameter int unsigned Depth      = 128,
    parameter int unsigned BankWidth  = Banks > 1 ? $clog2(Banks) : 1,  // of wr_bank_i, may be more than this side needs
    parameter int unsigned Structural = 0
) (
    input  logic                             clk_i,
    input  logic [                Lanes-1:0] wr_en_i,
    /* verilator lint_off UNUSEDSIGNAL */  // addresses have 16 bits whatever the depth, banks as many as the larger side
    input  logic [             16*Lanes-1:0] wr_addr_i,
    input  logic [      BankWidth*Lanes-1:0] wr_bank_i,
    input  logic [      PortWidth*Lanes-1:0] wr_data_i,
    input  logic                             rd_en_i,
    input  logic [                     15:0] rd_addr_i,
    /* verilator lint_on UNUSEDSIGNAL */
    input  logic [                      3:0] rd_quarters_i,
    output logic [Banks*Lanes*PortWidth-1:0] rd_data_o
);
  localparam int unsigned AddrWidth = $clog2(Depth);
  localparam int unsigned SelWidth = Banks > 1 ? $clog2(Banks) : 1;
  localparam int unsigned LaneWidth = Banks * PortWidth;

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    // The quarters that reach into this lane: 4 / Lanes of them, or one that several lanes share.
    localparam int unsigned First = 4 * l / Lanes;
    localparam int unsigned Last = (4 * l + 3) / Lanes;
    bittern_ram #(
        .GroupWidth(PortWidth),
        .Groups    (Banks),
        .Depth     (Depth),
        .Structural(Structural)
    ) u_ram (
        .clk_i,
        .wr_en_i   (wr_en_i[l]),
        .wr_addr_i (wr_addr_i[16*l+:AddrWidth]),
        .wr_group_i(wr_bank_i[BankWidth*l+:SelWidth]),
        .wr_data_i (wr_data_i[PortWidth*l+:PortWidth]),
        .rd_en_i   (rd_en_i & (rd_quarters_i[Last:First] != '0)),
        .rd_addr_i (rd_addr_i[AddrWidth-1:0]),
        .rd_data_o (rd_data_o[LaneWidth*l+:LaneWidth])
    );
  end
endmodule
