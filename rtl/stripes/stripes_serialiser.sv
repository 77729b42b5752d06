// Serialises the bricks of one operand on their way from memory into its buffer: the dispatcher of Stripes (Judd, Albericio,
// Hetherington, Aamodt, Moshovos, MICRO 2016), which reads bricks of whole values and hands their bits to the tiles one after
// the other. Here it stands in front of the buffer instead of behind it, so that values that are read for many filters are
// serialised once; Loom (Sharify et al., DAC 2018) keeps its operands by bits too.
//
// A lane (read port) brings groups of PortWidth elements of p = bits_i + 1 bits, element e at bits e * p and up of the group,
// whatever the beats cut: p beats. They leave as the p bit planes of the group, most significant first, element e at bit e.
// Words of a plane follow each other in memory, each a group for every lane, and bricks follow them. Plane k of word w is
// written to bank w at the address of the first beat of the brick plus k: bricks take p addresses, and the beats of a brick
// come with that many. Lanes are independent. bits_i is constant from the first beat after clear_i on.
//
// Latency: the last beat of a group at the input in c -> its planes at the output in c+1 to c+p. `filled_i` in c, at the
// earliest the cycle in which the last beat is at the input -> `filled_o` in c+p. A beat a cycle, without gaps between groups.
//
// Structural = 1 shifts a group through registers and picks the top bit of every element; Structural = 0 makes all planes when
// the group is complete, which simulates faster. Both do the same in every cycle (tests/rtl).
module stripes_serialiser #(
    parameter int unsigned Lanes      = 4,
    parameter int unsigned PortWidth  = 64,
    parameter int unsigned Words      = 1,   // of a bit plane
    parameter int unsigned MaxBits    = 8,
    parameter int unsigned BankWidth  = 8,
    parameter int unsigned AddrWidth  = 17,
    parameter int unsigned Structural = 0
) (
    input  logic                       clk_i,
    input  logic                       rst_ni,
    input  logic                       clear_i,
    input  logic [                3:0] bits_i,     // of an element, minus 1
    input  logic                       filled_i,   // tokens: these data are in the buffer
    output logic                       filled_o,
    input  logic [          Lanes-1:0] wr_en_i,
    input  logic [AddrWidth*Lanes-1:0] wr_addr_i,
    input  logic [PortWidth*Lanes-1:0] wr_data_i,
    output logic [          Lanes-1:0] wr_en_o,
    output logic [AddrWidth*Lanes-1:0] wr_addr_o,
    output logic [BankWidth*Lanes-1:0] wr_bank_o,
    output logic [PortWidth*Lanes-1:0] wr_data_o,
    output logic                       busy_o
);
  localparam int unsigned GroupWidth = MaxBits * PortWidth;

  // Tokens wait as long as the data: a shift register that is entered at place bits_i.
  logic [MaxBits-1:0] filled_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) filled_q <= '0;
    else if (clear_i) filled_q <= '0;
    else filled_q <= (filled_q >> 1) | (filled_i ? MaxBits'(1) << bits_i : '0);
  end
  assign filled_o = filled_q[0];
  assign busy_o   = (filled_q != '0) | (wr_en_o != '0);

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [          3:0] beat_q;   // of the group
    logic [BankWidth-1:0] word_q;   // of the brick
    logic [AddrWidth-1:0] first_q;  // address of the brick
    logic [          4:0] left_q;   // planes to write
    logic [AddrWidth-1:0] addr_q;
    logic [BankWidth-1:0] bank_q;
    logic [AddrWidth-1:0] first;
    logic [PortWidth-1:0] beat;
    logic                 new_brick;
    logic                 last_word;
    logic                 complete;  // with this beat

    assign beat      = wr_data_i[PortWidth*l+:PortWidth];
    assign new_brick = (beat_q == '0) & (word_q == '0);
    assign first     = new_brick ? wr_addr_i[AddrWidth*l+:AddrWidth] : first_q;
    assign last_word = word_q == BankWidth'(Words - 1);
    assign complete  = wr_en_i[l] & (beat_q == bits_i);

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        beat_q <= '0;
        word_q <= '0;
        left_q <= '0;
      end else if (clear_i) begin
        beat_q <= '0;
        word_q <= '0;
        left_q <= '0;
      end else begin
        if (wr_en_i[l]) beat_q <= complete ? '0 : beat_q + 4'd1;
        if (complete) begin
          word_q <= last_word ? '0 : word_q + BankWidth'(1);
          left_q <= 5'(bits_i) + 5'd1;
        end else if (left_q != '0) begin
          left_q <= left_q - 5'd1;
        end
      end
    end

    always_ff @(posedge clk_i) begin
      if (wr_en_i[l]) first_q <= first;
      if (complete) begin
        addr_q <= first;
        bank_q <= word_q;
      end else begin
        addr_q <= addr_q + AddrWidth'(1);
      end
    end

    logic [PortWidth-1:0] plane;
    if (Structural != 0) begin : gen_structural
      logic [GroupWidth-PortWidth-1:0] collect_q;  // the beats before this one, the newest on top
      logic [          GroupWidth-1:0] group_q;    // ends at the top; shifted up with every plane

      always_ff @(posedge clk_i) begin
        if (wr_en_i[l]) collect_q <= {beat, collect_q[GroupWidth-PortWidth-1:PortWidth]};
        group_q <= complete ? {beat, collect_q} : group_q << 1;
      end

      always_comb begin
        plane = '0;
        for (int unsigned p = 1; p <= MaxBits; p++) begin
          if (bits_i == 4'(p - 1)) begin
            for (int unsigned e = 0; e < PortWidth; e++) plane[e] = group_q[(MaxBits-p)*PortWidth+e*p+p-1];
          end
        end
      end
    end else begin : gen_flat
      logic [GroupWidth-1:0] beats_q;   // the first one at the bottom
      logic [GroupWidth-1:0] planes_q;  // likewise

      always_ff @(posedge clk_i) begin
        if (wr_en_i[l]) begin
          for (int unsigned j = 0; j < MaxBits; j++) begin
            if (beat_q == 4'(j)) beats_q[j*PortWidth+:PortWidth] <= beat;
          end
        end
      end
      for (genvar k = 0; k < MaxBits; k++) begin : gen_plane
        always_ff @(posedge clk_i) begin
          if (complete) begin
            for (int unsigned p = k + 1; p <= MaxBits; p++) begin
              if (bits_i == 4'(p - 1)) begin
                for (int unsigned e = 0; e < PortWidth; e++) begin
                  planes_q[k*PortWidth+e] <= (e * p + p - 1 - k) / PortWidth == p - 1 ? beat[(e*p+p-1-k)%PortWidth] :
                                             beats_q[e*p+p-1-k];
                end
              end
            end
          end
        end
      end
      assign plane = planes_q[(32'(bits_i)+32'd1-32'(left_q))*PortWidth+:PortWidth];
    end

    assign wr_en_o[l]                        = left_q != '0;
    assign wr_addr_o[AddrWidth*l+:AddrWidth] = addr_q;
    assign wr_bank_o[BankWidth*l+:BankWidth] = bank_q;
    assign wr_data_o[PortWidth*l+:PortWidth] = plane;
  end
endmodule
