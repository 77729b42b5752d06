// Array of SerialUnits x ParUnits serial inner-product units. Serial unit s brings one bit of each of its `Lanes` channels a
// cycle, parallel unit p holds `Planes` bits of its: activations of windows and weights of filters, or the reverse. After the
// tile of Stripes (Judd et al., MICRO 2016): the serial bits of a window go to all filters, the weights of a filter to all
// windows. With Planes = 1 both operands are serial, as in Loom.
//
// Staggered (`columns_i` not 0; needs Stagger): serial unit s is `s` cycles behind unit 0, gets the bits of unit 0, and holds
// parallel operands of its own, loaded when a brick starts there; units above `columns_i` rest. `tile_o` comes with the last
// of them: the sums of the others stand until the next brick has passed, which is not before.
//
// Cascade (`cascade_i`, staggered only): the columns hold parts of one reduction. Serial unit s gets its own bits, `s` cycles
// late, and in the cycle after the last brick of a tile, in which its adder is free, adds the sum of unit s - 1, complete since
// then. The last unit has the result, and `tile_o` comes, a cycle later than without; the other units may have gone on.
//
// Operand words. Serial: bits of unit s, lane l at s * Lanes + l. Parallel: bits of plane b, unit p, lane l at
// (b * ParUnits + p) * Lanes + l. Words are cut into fetch words of FetchLanes * PortWidth bits, one a bank, and the buffers
// deliver fetch lane f of bank k at (f * banks + k) * PortWidth.
// Result of units s, p: acc_o[32 * (s * ParUnits + p) +: 32], or s + p * SerialUnits in place of it with Transposed.
//
// Latency: operands in cycle c -> operand registers c+1 -> tree c+2 -> sums c+3 -> bricks c+4 -> `acc_o`, `tile_o` c+5, plus
// `columns_i`, plus one in cascade. Nothing is clocked without a valid step.
// Structural = 0 writes the array as flat vectors, which simulate fast; Structural = 1 builds it from stripes_sip, for
// synthesis. Both do the same, cycle for cycle (tests/rtl).
module stripes_array #(
    parameter int SerialUnits = 8,
    parameter int ParUnits    = 8,
    parameter int Lanes       = 32,
    parameter int Planes      = 8,
    parameter int MaxBits     = 8,  // of an operand
    parameter int FetchLanes  = 4,
    parameter int PortWidth   = 64,
    parameter int Stagger     = 1,
    parameter int Transposed  = 0,
    parameter int Structural  = 0,
    parameter int SerialWidth = SerialUnits * Lanes,
    parameter int ParWidth    = ParUnits * Lanes
) (
    input  logic                            clk_i,
    input  logic                            rst_ni,
    input  logic                            valid_i,
    input  logic                            load_i,
    input  logic                            signed_i,
    /* verilator lint_off UNUSEDSIGNAL */
    input  logic [                     3:0] msb_i,  // below MaxBits
    /* verilator lint_on UNUSEDSIGNAL */
    input  logic                            first_i,
    input  logic                            shift_i,
    input  logic                            negate_i,
    input  logic                            brick_i,
    input  logic                            clear_i,
    input  logic                            last_i,
    input  logic                            accumulate_i,
    input  logic                            emit_i,
    input  logic [                     3:0] columns_i,
    input  logic                            cascade_i,
    input  logic [         SerialWidth-1:0] serial_i,
    input  logic [     ParWidth*Planes-1:0] par_i,
    output logic [32*SerialUnits*ParUnits-1:0] acc_o,
    output logic                            tile_o,
    output logic                            accumulate_o,
    output logic                            emit_o,
    output logic                            busy_o
);
  localparam int Units = SerialUnits * ParUnits;
  localparam int FetchWidth = FetchLanes * PortWidth;
  localparam int SerialWords = SerialWidth / FetchWidth;
  localparam int ParBanks = ParWidth * Planes / FetchWidth;
  // Columns whose control differs: all serial units, or one for all of them.
  localparam int Skews = Stagger != 0 ? SerialUnits : 1;
  localparam int Staggered = Skews < 16 ? Skews : 16;  // that can work staggered

  // Control of a step, low bits first: load, first, shift, negate, brick, clear, last, accumulate, emit.
  localparam int Ctl = 9;
  logic [Ctl-1:0] step_ctl;
  assign step_ctl = {emit_i, accumulate_i, last_i, clear_i, brick_i, negate_i, shift_i, first_i, load_i};

  // What enters the operand registers of each skew: from outside, or from the one before it.
  logic [    Skews-1:0] in_valid;
  logic [Ctl*Skews-1:0] in_ctl;
  // Stages 1 (operands) to 4 (bricks), and 5: the sums are there.
  logic [    Skews-1:0] valid1_q;
  logic [    Skews-1:0] valid2_q;
  logic [    Skews-1:0] valid3_q;
  logic [    Skews-1:0] valid4_q;
  logic [    Skews-1:0] tile_q;
  logic [Ctl*Skews-1:0] ctl1_q;
  logic [Ctl*Skews-1:0] ctl2_q;
  logic [Ctl*Skews-1:0] ctl3_q;
  logic [Ctl*Skews-1:0] ctl4_q;
  logic [2*Skews-1:0]   tag_q;

  always_comb begin
    in_valid = '0;
    in_ctl   = '0;
    in_valid[0]     = valid_i;
    in_ctl[0+:Ctl]  = step_ctl;
    for (int unsigned s = 1; s < Skews; s++) begin
      in_valid[s]          = columns_i == '0 ? valid_i : valid1_q[s-1] & (s <= 32'(columns_i));
      in_ctl[Ctl*s+:Ctl]   = columns_i == '0 ? step_ctl : ctl1_q[Ctl*(s-1)+:Ctl];
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid1_q <= '0;
      valid2_q <= '0;
      valid3_q <= '0;
      valid4_q <= '0;
      tile_q   <= '0;
    end else begin
      valid1_q <= in_valid;
      valid2_q <= valid1_q;
      valid3_q <= valid2_q;
      valid4_q <= valid3_q;
      for (int unsigned s = 0; s < Skews; s++) tile_q[s] <= valid4_q[s] & ctl4_q[Ctl*s+4] & ctl4_q[Ctl*s+6];
    end
  end

  always_ff @(posedge clk_i) begin
    if (in_valid != '0) ctl1_q <= in_ctl;
    if (valid1_q != '0) ctl2_q <= ctl1_q;
    if (valid2_q != '0) ctl3_q <= ctl2_q;
    if (valid3_q != '0) ctl4_q <= ctl3_q;
    if (valid4_q != '0) begin
      for (int unsigned s = 0; s < Skews; s++) tag_q[2*s+:2] <= ctl4_q[Ctl*s+7+:2];
    end
  end

  // The last column that works tells that the tile is complete.
  localparam int SelectWidth = Skews > 1 ? $clog2(Skews) : 1;
  logic [SelectWidth-1:0] select;
  assign select       = Skews > 1 ? SelectWidth'(columns_i) : '0;
  assign busy_o       = (valid1_q | valid2_q | valid3_q | valid4_q | tile_q) != '0 || late_q;

  // In cascade a cycle later, when it has added the sum of the others.
  logic       late_q;
  logic [1:0] late_tag_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) late_q <= 1'b0;
    else late_q <= cascade_i & tile_q[select];
  end
  always_ff @(posedge clk_i) begin
    if (cascade_i) late_tag_q <= tag_q[2*select+:2];
  end
  assign tile_o       = cascade_i ? late_q : tile_q[select];
  assign accumulate_o = cascade_i ? late_tag_q[0] : tag_q[2*select];
  assign emit_o       = cascade_i ? late_tag_q[1] : tag_q[2*select+1];

  // No wider than needed: it is compared for every plane.
  localparam int MsbWidth = $clog2(MaxBits);
  logic [MsbWidth-1:0] msb;
  assign msb = MsbWidth'(msb_i);

  // Operand registers. Parallel words of all columns come while the steps of their brick do, so that their precision is that
  // of the step. Planes above the most significant one repeat it (signed) or are zero.
  localparam int UnitBits = Lanes * Planes;
  localparam int ParBits = ParUnits * UnitBits;
  logic [   SerialWidth-1:0] serial_q;
  logic [ParBits*Skews-1:0]  par_q;      // plane b of unit p of skew k at ((k * ParUnits + p) * Planes + b) * Lanes
  logic [         Skews-1:0] signed_q;
  logic [         Skews-1:0] load;

  always_comb begin
    for (int unsigned k = 0; k < Skews; k++) load[k] = in_valid[k] & in_ctl[Ctl*k];
  end
  always_ff @(posedge clk_i) begin
    for (int unsigned k = 0; k < Skews; k++) if (load[k]) signed_q[k] <= signed_i;
  end

  if (Structural != 0) begin : gen_structural
    logic [ParBits-1:0] par;
    logic [ Planes-1:0] used;
    always_comb begin
      for (int unsigned b = 0; b < Planes; b++) used[b] = MsbWidth'(b) <= msb;
    end
    for (genvar p = 0; p < ParUnits; p++) begin : gen_par_in
      logic [UnitBits-1:0] own_planes;
      logic [   Lanes-1:0] top;
      for (genvar b = 0; b < Planes; b++) begin : gen_plane
        localparam int Bit = b * ParWidth + p * Lanes;
        localparam int Lane = Bit % FetchWidth / PortWidth;
        assign own_planes[b*Lanes+:Lanes] = par_i[(Lane*ParBanks+Bit/FetchWidth)*PortWidth+Bit%PortWidth+:Lanes];
        assign par[p*UnitBits+b*Lanes+:Lanes] = used[b] ? own_planes[b*Lanes+:Lanes] : {Lanes{signed_i}} & top;
      end
      always_comb begin
        top = '0;
        for (int b = 0; b < Planes; b++) if (MsbWidth'(b) == msb) top = own_planes[b*Lanes+:Lanes];
      end
    end

    for (genvar k = 0; k < Skews; k++) begin : gen_par
      always_ff @(posedge clk_i) begin
        if (load[k]) par_q[k*ParBits+:ParBits] <= par;
      end
    end

    for (genvar s = 0; s < SerialUnits; s++) begin : gen_serial
      localparam int Bit = s * Lanes;
      localparam int Lane = Bit % FetchWidth / PortWidth;
      localparam int Skew = Skews > 1 ? s : 0;
      logic [Lanes-1:0] serial;
      if (s > 0 && s < Staggered) begin : gen_skew
        // Own bits now, those of the column before, or own bits of s cycles ago.
        logic [    Lanes-1:0] own;
        logic [  s*Lanes-1:0] delay_q;
        logic [s*Lanes+Lanes-1:0] delay_line;
        assign own        = serial_i[(Lane*SerialWords+Bit/FetchWidth)*PortWidth+Bit%PortWidth+:Lanes];
        assign delay_line = {delay_q, own};
        always_ff @(posedge clk_i) begin
          if (cascade_i & (in_valid != '0)) delay_q <= delay_line[s*Lanes-1:0];
        end
        assign serial = cascade_i ? delay_line[s*Lanes+:Lanes] : columns_i != '0 ? serial_q[Bit-Lanes+:Lanes] : own;
      end else begin : gen_direct
        assign serial = serial_i[(Lane*SerialWords+Bit/FetchWidth)*PortWidth+Bit%PortWidth+:Lanes];
      end
      always_ff @(posedge clk_i) begin
        if (in_valid[Skew]) serial_q[Bit+:Lanes] <= serial;
      end

      for (genvar p = 0; p < ParUnits; p++) begin : gen_unit
        localparam int Unit = Transposed != 0 ? s + p * SerialUnits : s * ParUnits + p;
        localparam int Before = s > 0 && s < Staggered ? Unit - ParUnits : Unit;  // of the column before
        stripes_sip #(
            .Lanes  (Lanes),
            .Planes (Planes),
            .MaxBits(MaxBits)
        ) u_sip (
            .clk_i,
            .valid_i     ({valid4_q[Skew], valid3_q[Skew], valid2_q[Skew], valid1_q[Skew]}),
            .first_i     (ctl3_q[Ctl*Skew+1]),
            .shift_i     (ctl3_q[Ctl*Skew+2]),
            .negate_i    (ctl3_q[Ctl*Skew+3]),
            .brick_i     (ctl4_q[Ctl*Skew+4]),
            .clear_i     (ctl4_q[Ctl*Skew+5]),
            .cascade_i   (s > 0 && s < Staggered ? cascade_i & tile_q[Skew] : 1'b0),
            .cascade_acc_i(acc_o[32*Before+:32]),
            .serial_i    (serial_q[Bit+:Lanes]),
            .par_i       (par_q[(Skew*ParUnits+p)*UnitBits+:UnitBits]),
            .par_signed_i(signed_q[Skew]),
            .acc_o       (acc_o[32*Unit+:32])
        );
      end
    end
  end else begin : gen_flat
    logic [SerialWidth-1:0]   serial_d;
    logic [ParBits*Skews-1:0] par_d;
    logic [32*Units-1:0]      sum_d;
    logic [32*Units-1:0]      sum1_q;
    logic [32*Units-1:0]      sum2_q;
    logic [32*Units-1:0]      brick_d;
    logic [32*Units-1:0]      brick_q;
    logic [32*Units-1:0]      acc_d;
    // Cascade: own bits of serial unit s, s cycles late; the last of them at Lanes * (s * (s + 1) / 2 - 1).
    localparam int DelayWidth = Lanes * (Skews > 1 ? Staggered * (Staggered - 1) / 2 : 1);
    logic [DelayWidth-1:0]    delay_q;
    logic [DelayWidth-1:0]    delay_d;

    always_comb begin
      delay_d = delay_q;
      if (cascade_i) begin
        for (int unsigned s = 1; s < Staggered; s++) begin
          for (int unsigned d = 1; d < s; d++) begin
            delay_d[Lanes*(s*(s-1)/2+d)+:Lanes] = delay_q[Lanes*(s*(s-1)/2+d-1)+:Lanes];
          end
          delay_d[Lanes*(s*(s-1)/2)+:Lanes] = serial_i[((s*Lanes)%FetchWidth/PortWidth*SerialWords+(s*Lanes)/FetchWidth)*
                                                       PortWidth+(s*Lanes)%PortWidth+:Lanes];
        end
      end
    end

    always_comb begin
      serial_d = serial_q;
      if (in_valid != '0) begin
        if (cascade_i) begin
          for (int unsigned s = 1; s < Staggered; s++) serial_d[s*Lanes+:Lanes] = delay_q[Lanes*(s*(s+1)/2-1)+:Lanes];
          serial_d[0+:Lanes] = serial_i[0+:Lanes];
        end else if (columns_i != '0) begin
          for (int unsigned s = 1; s < Skews; s++) serial_d[s*Lanes+:Lanes] = serial_q[(s-1)*Lanes+:Lanes];
          serial_d[0+:Lanes] = serial_i[0+:Lanes];
        end else begin
          for (int unsigned s = 0; s < SerialUnits; s++) begin
            serial_d[s*Lanes+:Lanes] = serial_i[((s*Lanes)%FetchWidth/PortWidth*SerialWords+(s*Lanes)/FetchWidth)*PortWidth+
                                                (s*Lanes)%PortWidth+:Lanes];
          end
        end
      end
    end

    /* verilator lint_off WIDTHCONCAT */  // vectors of large arrays have more than 8k bits
    // One set of planes, kept for every skew that loads it.
    logic [ParBits-1:0] par;
    always_comb begin
      par = '0;
      if (load != '0) begin
        for (int unsigned p = 0; p < ParUnits; p++) begin
          for (int unsigned b = 0; b < Planes; b++) begin
            if (MsbWidth'(b) <= msb) begin
              par[(p*Planes+b)*Lanes+:Lanes] =
                  par_i[((b*ParWidth+p*Lanes)%FetchWidth/PortWidth*ParBanks+(b*ParWidth+p*Lanes)/FetchWidth)*PortWidth+
                        (b*ParWidth+p*Lanes)%PortWidth+:Lanes];
            end else if (b != 0 && signed_i) begin
              par[(p*Planes+b)*Lanes+:Lanes] = par[(p*Planes+(b == 0 ? 0 : b-1))*Lanes+:Lanes];
            end
          end
        end
      end
    end
    always_comb begin
      par_d = par_q;
      for (int unsigned k = 0; k < Skews; k++) if (load[k]) par_d[k*ParBits+:ParBits] = par;
    end
    always_ff @(posedge clk_i) begin
      if (in_valid != '0) serial_q <= serial_d;
      if (cascade_i & (in_valid != '0)) delay_q <= delay_d;
      if (load != '0) par_q <= par_d;
    end

    // The top plane counts below with its sign. Where no unit at work has a plane in the upper half that is not a copy of the one
    // below it, or zero, the lower half is enough: low precisions simulate faster.
    localparam int Half = Planes > 1 ? Planes / 2 : 1;
    logic [Skews-1:0] low_q;
    logic             low;
    always_ff @(posedge clk_i) begin
      for (int unsigned k = 0; k < Skews; k++) if (load[k]) low_q[k] <= 32'(msb) < Half;
    end
    assign low = Planes > 1 && (valid1_q & ~low_q) == '0;

    always_comb begin
      sum_d = '0;
      if (valid1_q != '0) begin
        for (int unsigned h = 0; h < (Planes > 1 ? 2 : 1); h++) begin
          if (low == (h == 1)) begin
            for (int unsigned s = 0; s < SerialUnits; s++) begin
              for (int unsigned p = 0; p < ParUnits; p++) begin
                for (int b = 0; b < (h == 1 ? Half : Planes) - 1; b++) begin
                  sum_d[32*(s*ParUnits+p)+:32] = sum_d[32*(s*ParUnits+p)+:32] + (32'($countones(
                      serial_q[s*Lanes+:Lanes] & par_q[(((Skews > 1 ? s : 0)*ParUnits+p)*Planes+b)*Lanes+:Lanes])) << b);
                end
                if (signed_q[Skews > 1 ? s : 0]) begin
                  sum_d[32*(s*ParUnits+p)+:32] = sum_d[32*(s*ParUnits+p)+:32] - (32'($countones(
                      serial_q[s*Lanes+:Lanes] &
                      par_q[(((Skews > 1 ? s : 0)*ParUnits+p)*Planes+(h == 1 ? Half : Planes)-1)*Lanes+:Lanes])) <<
                      ((h == 1 ? Half : Planes) - 1));
                end else begin
                  sum_d[32*(s*ParUnits+p)+:32] = sum_d[32*(s*ParUnits+p)+:32] + (32'($countones(
                      serial_q[s*Lanes+:Lanes] &
                      par_q[(((Skews > 1 ? s : 0)*ParUnits+p)*Planes+(h == 1 ? Half : Planes)-1)*Lanes+:Lanes])) <<
                      ((h == 1 ? Half : Planes) - 1));
                end
              end
            end
          end
        end
      end
    end
    always_ff @(posedge clk_i) begin
      if (valid1_q != '0) sum1_q <= sum_d;
      if (valid2_q != '0) sum2_q <= sum1_q;
    end

    always_comb begin
      brick_d = brick_q;
      for (int unsigned s = 0; s < SerialUnits; s++) begin
        if (valid3_q[Skews > 1 ? s : 0]) begin
          for (int unsigned p = 0; p < ParUnits; p++) begin
            brick_d[32*(s*ParUnits+p)+:32] =
                (ctl3_q[Ctl*(Skews > 1 ? s : 0)+1] ? 32'd0 :
                 ctl3_q[Ctl*(Skews > 1 ? s : 0)+2] ? brick_q[32*(s*ParUnits+p)+:32] << 1 : brick_q[32*(s*ParUnits+p)+:32]) +
                (ctl3_q[Ctl*(Skews > 1 ? s : 0)+3] ? 32'd0 - sum2_q[32*(s*ParUnits+p)+:32] : sum2_q[32*(s*ParUnits+p)+:32]);
          end
        end
      end
    end

    logic [32*Units-1:0] acc_q;
    always_comb begin
      acc_d = acc_q;
      for (int unsigned s = 0; s < SerialUnits; s++) begin
        if (valid4_q[Skews > 1 ? s : 0] & ctl4_q[Ctl*(Skews > 1 ? s : 0)+4]) begin
          for (int unsigned p = 0; p < ParUnits; p++) begin
            acc_d[32*(Transposed != 0 ? s+p*SerialUnits : s*ParUnits+p)+:32] = brick_q[32*(s*ParUnits+p)+:32] +
                (ctl4_q[Ctl*(Skews > 1 ? s : 0)+5] ? 32'd0 : acc_q[32*(Transposed != 0 ? s+p*SerialUnits : s*ParUnits+p)+:32]);
          end
        end
      end
      if (cascade_i) begin
        for (int unsigned s = 1; s < Staggered; s++) begin
          if (tile_q[s]) begin
            for (int unsigned p = 0; p < ParUnits; p++) begin
              acc_d[32*(s*ParUnits+p)+:32] = acc_q[32*(s*ParUnits+p)+:32] + acc_q[32*((s-1)*ParUnits+p)+:32];
            end
          end
        end
      end
    end
    always_ff @(posedge clk_i) begin
      if (valid3_q != '0) brick_q <= brick_d;
      if (valid4_q != '0 || (cascade_i & (tile_q != '0))) acc_q <= acc_d;
    end
    assign acc_o = acc_q;
    /* verilator lint_on WIDTHCONCAT */
  end
endmodule
