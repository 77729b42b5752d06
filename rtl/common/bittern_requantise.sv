// What a write port makes of a chunk of sums: a beat of them as they are, or of results of 8, 4 or 2 bits:
//   result = clamp(floor(sum / 2^shift + 1/2)), to -2^(bits-1) .. 2^(bits-1) - 1 when signed, otherwise to 0 .. 2^bits - 1.
// A chunk is what fills a beat of the narrowest format, MinResultBits (8, 4 or 2); wider ones take several beats of it, the
// parts, of which the first has the first sums. Combinational; `data_o` is 0 while `enable_i` is low, for simulation's sake.
module bittern_requantise #(
    parameter int unsigned PortWidth     = 64,
    parameter int unsigned MinResultBits = 2,
    parameter int unsigned Ratio         = 32 / MinResultBits,  // parts of a chunk as sums
    parameter int unsigned PartWidth     = $clog2(Ratio)
) (
    input  logic                       enable_i,
    input  logic [                7:0] format_i,  // {shift[5], signed, width[2]}, width: 32, 8, 4 or 2 bits
    input  logic [      PartWidth-1:0] part_i,
    input  logic [PortWidth*Ratio-1:0] sums_i,
    output logic [      PortWidth-1:0] data_o
);
  localparam int unsigned Lanes = PortWidth / MinResultBits;

  function automatic logic [7:0] requantise(input logic [31:0] sum, input logic [7:0] format);
    logic [32:0] half;     // floor(2 sum / 2^shift)
    logic [32:0] rounded;
    logic [32:0] beyond;   // the bits that a value within the limits has equal to its sign
    begin
      half    = $unsigned($signed({sum, 1'b0}) >>> format[7:3]);
      rounded = {half[32], half[32:1]} + 33'(half[0]);
      beyond  = {33{1'b1}} << ((4'd8 >> (format[1:0] - 2'd1)) - 4'(format[2]));
      if (~rounded[32]) requantise = (rounded & beyond) != '0 ? ~beyond[7:0] : rounded[7:0];
      else if (~format[2]) requantise = 8'd0;
      else requantise = (~rounded & beyond) != '0 ? beyond[7:0] : rounded[7:0];
    end
  endfunction

  logic [8*Lanes-1:0] results;

  always_comb begin
    results = '0;
    data_o  = '0;
    if (enable_i) begin
      if (format_i[1:0] == 2'd0) begin
        data_o = sums_i[PortWidth*32'(part_i)+:PortWidth];
      end else begin
        for (int unsigned k = 0; k < Lanes; k++) results[8*k+:8] = requantise(sums_i[32*k+:32], format_i);
      end
      // Fewer results of a chunk a beat, the wider they are.
      for (int unsigned width = 1; width < 4; width++) begin
        for (int unsigned p = 0; p < (Ratio >> (width + 1)); p++) begin
          if (format_i[1:0] == 2'(width) && part_i == PartWidth'(p)) begin
            for (int unsigned k = 0; k < PortWidth / (16 >> width); k++) begin
              for (int unsigned b = 0; b < (16 >> width); b++) begin
                data_o[(16>>width)*k+b] = results[8*(p*PortWidth/(16>>width)+k)+b];
              end
            end
          end
        end
      end
    end
  end
endmodule
