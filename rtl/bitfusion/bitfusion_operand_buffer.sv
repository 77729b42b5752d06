// Input or weight buffer: words of Lanes * Banks parts of PortWidth bits, filled lane by lane, read in quarters of a word. A read
// takes 1, 2 or 4 quarters from an address that is a multiple of that, and has the first one in front.
//
// Latency: write in cycle c, readable from c+1; read address in c, data in c+1, kept until the next read.
// Bit r of a word is bit r mod PortWidth of bank r / PortWidth mod Banks of lane r / (Banks * PortWidth).
//
// Structural = 1 is a memory a lane, as wide as all its banks, and a multiplexer behind them. Structural = 0 is one memory of
// quarters, of which only those that are wanted are read: much less to move in a simulation. Both give the same in the
// quarters that are asked for; the others differ.
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
    /* verilator lint_off UNUSEDSIGNAL */  // addresses are as wide as instructions have them, banks as many as the larger side has
    input  logic [             16*Lanes-1:0] wr_addr_i,
    input  logic [      BankWidth*Lanes-1:0] wr_bank_i,
    input  logic [      PortWidth*Lanes-1:0] wr_data_i,
    input  logic                             rd_en_i,
    input  logic [                     17:0] rd_addr_i,      // in quarters
    /* verilator lint_on UNUSEDSIGNAL */
    input  logic [                      1:0] rd_quarters_i,  // 0: four, 1: two, 2: one
    output logic [Banks*Lanes*PortWidth-1:0] rd_data_o
);
  localparam int unsigned AddrWidth = $clog2(Depth);
  localparam int unsigned Width = Banks * Lanes * PortWidth;
  localparam int unsigned Quarter = Width / 4;

  if (Structural != 0) begin : gen_structural
    localparam int unsigned SelWidth = Banks > 1 ? $clog2(Banks) : 1;
    localparam int unsigned LaneWidth = Banks * PortWidth;
    logic [Width-1:0] word;
    logic [      1:0] first_q;  // quarter that comes first
    logic             third_q;  // the third one comes second

    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      bittern_ram #(
          .GroupWidth(PortWidth),
          .Groups    (Banks),
          .Depth     (Depth),
          .Structural(1)
      ) u_ram (
          .clk_i,
          .wr_en_i   (wr_en_i[l]),
          .wr_addr_i (wr_addr_i[16*l+:AddrWidth]),
          .wr_group_i(wr_bank_i[BankWidth*l+:SelWidth]),
          .wr_data_i (wr_data_i[PortWidth*l+:PortWidth]),
          .rd_en_i,
          .rd_addr_i (rd_addr_i[2+:AddrWidth]),
          .rd_data_o (word[LaneWidth*l+:LaneWidth])
      );
    end

    always_ff @(posedge clk_i) begin
      if (rd_en_i) begin
        first_q <= rd_addr_i[1:0] & {rd_quarters_i != 2'd0, rd_quarters_i[1]};
        third_q <= rd_addr_i[1] & (rd_quarters_i == 2'd1);
      end
    end
    assign rd_data_o[0+:Quarter] = first_q[1] ? (first_q[0] ? word[3*Quarter+:Quarter] : word[2*Quarter+:Quarter]) :
                                                (first_q[0] ? word[Quarter+:Quarter] : word[0+:Quarter]);
    assign rd_data_o[Quarter+:Quarter]     = third_q ? word[3*Quarter+:Quarter] : word[Quarter+:Quarter];
    assign rd_data_o[2*Quarter+:2*Quarter] = word[2*Quarter+:2*Quarter];
  end else begin : gen_flat
    logic [Quarter-1:0] mem [0:4*Depth-1];
    logic [Quarter-1:0] first_q;
    logic [Quarter-1:0] second_q;
    logic [Quarter-1:0] third_q;
    logic [Quarter-1:0] fourth_q;
    logic [AddrWidth+1:0] addr;
    assign addr = rd_addr_i[AddrWidth+1:0];

    always_ff @(posedge clk_i) begin
      if (rd_en_i) first_q <= mem[addr];
      if (rd_en_i & ~rd_quarters_i[1]) second_q <= mem[addr|(AddrWidth+2)'(1)];
      if (rd_en_i & (rd_quarters_i == 2'd0)) begin
        third_q  <= mem[addr|(AddrWidth+2)'(2)];
        fourth_q <= mem[addr|(AddrWidth+2)'(3)];
      end
    end
    assign rd_data_o = {fourth_q, third_q, second_q, first_q};

    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      logic [AddrWidth-1:0] row;
      assign row = wr_addr_i[16*l+:AddrWidth];
      if (Quarter >= PortWidth) begin : gen_part
        // A write is a part of one quarter.
        localparam int unsigned Parts = Quarter / PortWidth;
        localparam int unsigned LogParts = $clog2(Parts);
        localparam int unsigned PartWidth = 2 + LogParts;  // of the part's number in its word
        logic [PartWidth-1:0] part;
        assign part = PartWidth'(l * Banks) + PartWidth'(wr_bank_i[BankWidth*l+:BankWidth]);
        if (Parts == 1) begin : gen_whole
          always_ff @(posedge clk_i) begin
            if (wr_en_i[l]) mem[{row, part}] <= wr_data_i[PortWidth*l+:PortWidth];
          end
        end else begin : gen_slice
          always_ff @(posedge clk_i) begin
            if (wr_en_i[l]) begin
              mem[{row, part[PartWidth-1-:2]}][{part[LogParts-1:0], $clog2(PortWidth)'(0)}+:PortWidth] <=
                  wr_data_i[PortWidth*l+:PortWidth];
            end
          end
        end
      end else begin : gen_several
        // A write covers some quarters.
        localparam int unsigned Covered = PortWidth / Quarter;
        logic [1:0] first_quarter;
        assign first_quarter = 2'((32'(l) * Banks + 32'(wr_bank_i[BankWidth*l+:BankWidth])) * Covered);
        always_ff @(posedge clk_i) begin
          if (wr_en_i[l]) begin
            for (int unsigned k = 0; k < Covered; k++) begin
              mem[{row, first_quarter | 2'(k)}] <= wr_data_i[PortWidth*l+Quarter*k+:Quarter];
            end
          end
        end
      end
    end
  end
endmodule
