// Stripes core: fetch, execute and result stages that run concurrently on one instruction stream, coupled by tokens, as in the
// BISMO core (rtl/bismo), around an array of serial inner-product units: Columns windows x (Rows x Tiles) filters, each of
// `Lanes` channels. After Stripes (Judd, Albericio, Hetherington, Aamodt, Moshovos, MICRO 2016).
// Serial = 0: activations are serial (Stripes), 1: weights are (the reading of ReLeQ), 2: both (as Loom).
// Behaviour, data layout and ports: docs/stripes.md; instructions and events: rtl/shell/register_map.json.
//
// Latency (cycles, everything idle, ports ready):
//   FETCH accepted c   -> first ARVALID c+5 (dispatch 3, bittern_fetch 2)
//   EXEC accepted c    -> first step c+4 (dispatch 3, stripes_exec 1)
//   last beat c        -> token can be taken c+2 -> first step c+3; of a serial operand of p bits p cycles later, in which its
//                         last brick is serialised
//   last step of a tile c -> sum complete c+7 + columns (0 unless staggered), one more in cascade -> in its slot, tile counted one later
//                      -> AWVALID two and first WVALID three cycles after that
//   last step of an EXEC c -> free token can be taken by fetch c+1 -> ARVALID c+3
//   last beat of a tile loaded c (its WVALID c+1) -> slot can be taken c+1
// Rates: one instruction, one burst a port, one beat a port, one step of the array each cycle, without gaps between bursts,
// instructions and tiles.
module stripes_core #(
    parameter int unsigned Rows           = 8,    // filters of a tile of units
    parameter int unsigned Columns        = 8,    // windows
    parameter int unsigned Tiles          = 1,
    parameter int unsigned Lanes          = 32,   // channels
    parameter int unsigned Serial         = 0,    // operand that is serial: 0 activations, 1 weights, 2 both
    parameter int unsigned MaxBits        = 8,    // of an operand: 8 or 16
    parameter int unsigned LhsDepth       = 8192,
    parameter int unsigned RhsDepth       = 1024,
    parameter int unsigned FetchLanes     = 4,    // read ports of a fetch group
    parameter int unsigned NumReadPorts   = 4,
    parameter int unsigned NumWritePorts  = 4,
    parameter int unsigned PortWidth      = 64,
    parameter int unsigned MaxBurstBeats  = 256,
    parameter int unsigned MaxOutstanding = 8,
    parameter int unsigned QueueDepth     = 32,   // instructions that wait for each stage
    parameter int unsigned InFlight       = 8,    // FETCH instructions of a group that are under way
    parameter int unsigned MinResultBits  = 32,   // the narrowest results: 32 (sums), 8, 4 or 2
    parameter int unsigned Structural     = 0,    // 1: written for synthesis; 0: for fast simulation; both do the same
    parameter int unsigned NumEvents      = stripes_isa_pkg::NumFixedEvents + NumReadPorts + NumWritePorts
) (
    input  logic                               clk_i,
    input  logic                               rst_ni,
    input  logic                               clear_i,
    input  logic                               instr_valid_i,
    output logic                               instr_ready_o,
    input  logic [                      127:0] instr_data_i,
    input  logic                               halt_i,
    output logic                               busy_o,
    output logic                               error_valid_o,
    output logic [                        3:0] error_code_o,
    input  logic [                       31:0] mem_limit_i,
    output logic [            4*NumEvents-1:0] event_o,
    // Data read ports.
    output logic [        32*NumReadPorts-1:0] m_rd_araddr_o,
    output logic [         8*NumReadPorts-1:0] m_rd_arlen_o,
    output logic [           NumReadPorts-1:0] m_rd_arvalid_o,
    input  logic [           NumReadPorts-1:0] m_rd_arready_i,
    input  logic [ PortWidth*NumReadPorts-1:0] m_rd_rdata_i,
    input  logic [         2*NumReadPorts-1:0] m_rd_rresp_i,
    input  logic [           NumReadPorts-1:0] m_rd_rlast_i,
    input  logic [           NumReadPorts-1:0] m_rd_rvalid_i,
    output logic [           NumReadPorts-1:0] m_rd_rready_o,
    // Data write ports.
    output logic [       32*NumWritePorts-1:0] m_wr_awaddr_o,
    output logic [        8*NumWritePorts-1:0] m_wr_awlen_o,
    output logic [          NumWritePorts-1:0] m_wr_awvalid_o,
    input  logic [          NumWritePorts-1:0] m_wr_awready_i,
    output logic [PortWidth*NumWritePorts-1:0] m_wr_wdata_o,
    output logic [PortWidth/8*NumWritePorts-1:0] m_wr_wstrb_o,
    output logic [          NumWritePorts-1:0] m_wr_wlast_o,
    output logic [          NumWritePorts-1:0] m_wr_wvalid_o,
    input  logic [          NumWritePorts-1:0] m_wr_wready_i,
    input  logic [        2*NumWritePorts-1:0] m_wr_bresp_i,
    input  logic [          NumWritePorts-1:0] m_wr_bvalid_i,
    output logic [          NumWritePorts-1:0] m_wr_bready_o
);
  localparam int unsigned Filters = Rows * Tiles;
  localparam int unsigned Units = Columns * Filters;
  localparam int unsigned Groups = NumReadPorts / FetchLanes;
  localparam int unsigned FetchWidth = FetchLanes * PortWidth;
  // Planes that the buffer of each side holds side by side, and its banks: a fetch word each.
  localparam int unsigned LhsPlanes = Serial == 1 ? MaxBits : 1;
  localparam int unsigned RhsPlanes = Serial == 0 ? MaxBits : 1;
  localparam int unsigned LhsBanks = LhsPlanes * Columns * Lanes / FetchWidth;
  localparam int unsigned RhsBanks = RhsPlanes * Filters * Lanes / FetchWidth;
  localparam int unsigned MostBanks = LhsBanks > RhsBanks ? LhsBanks : RhsBanks;
  localparam int unsigned BankWidth = 8;   // as in the instruction
  localparam int unsigned AddrWidth = 17;  // likewise

  // Parameters that the core cannot be built with.
  if (Columns < 2 || Filters < 2 || 2 ** $clog2(Columns) != Columns || 2 ** $clog2(Filters) != Filters) begin : gen_bad_array
    $error("stripes_core: Columns and Rows * Tiles must be powers of two, at least 2");
  end
  if (Lanes < 4 || 2 ** $clog2(Lanes) != Lanes || Lanes > PortWidth || Serial > 2) begin : gen_bad_lanes
    $error("stripes_core: Lanes must be a power of two from 4 to PortWidth, Serial 0 to 2");
  end
  if (MaxBits != 8 && MaxBits != 16) begin : gen_bad_bits
    $error("stripes_core: MaxBits must be 8 or 16");
  end
  if (2 ** $clog2(PortWidth) != PortWidth || PortWidth < 32 || PortWidth > 512) begin : gen_bad_width
    $error("stripes_core: PortWidth must be a power of two from 32 to 512");
  end
  if (NumReadPorts != FetchLanes && NumReadPorts != 2 * FetchLanes) begin : gen_bad_ports
    $error("stripes_core: NumReadPorts must be FetchLanes or twice that");
  end
  if (LhsPlanes * Columns * Lanes % FetchWidth != 0 || RhsPlanes * Filters * Lanes % FetchWidth != 0 ||
      MostBanks > 256) begin : gen_bad_words
    $error("stripes_core: a bit plane of a serial operand and all of a parallel one must be whole fetch words, in up to 256 banks");
  end
  if (Units * 32 % (PortWidth * NumWritePorts) != 0 || 2 ** $clog2(NumWritePorts) != NumWritePorts) begin : gen_bad_writes
    $error("stripes_core: a tile must be a whole number of write beats on each port");
  end
  if ((MinResultBits != 32 && MinResultBits != 8 && MinResultBits != 4 && MinResultBits != 2) ||
      Units * MinResultBits % (PortWidth * NumWritePorts) != 0) begin : gen_bad_results
    $error("stripes_core: MinResultBits must be 32, 8, 4 or 2, and so many bits a result a whole number of write beats");
  end
  if (NumReadPorts > 15 || NumWritePorts > 15) begin : gen_bad_counts
    $error("stripes_core: at most 15 ports of a kind, an event counts so many beats a cycle");
  end
  if (LhsDepth < 2 || RhsDepth < 2 || LhsDepth > 131072 || RhsDepth > 65536) begin : gen_bad_depth
    $error("stripes_core: LhsDepth must be from 2 to 131072, RhsDepth from 2 to 65536");
  end
  if (MaxBurstBeats < 2 || 2 ** $clog2(MaxBurstBeats) != MaxBurstBeats || MaxBurstBeats > 256 ||
      MaxBurstBeats * PortWidth / 8 > 4096) begin : gen_bad_burst
    $error("stripes_core: MaxBurstBeats must be a power of two from 2 to 256 and a burst at most 4096 bytes");
  end

  // Dispatch.
  logic [    Groups-1:0] fetch_valid;
  logic [116*Groups-1:0] fetch_data;
  logic [    Groups-1:0] fetch_pop;
  logic                  exec_valid;
  logic [         123:0] exec_data;
  logic                  exec_pop;
  logic                  result_valid;
  logic [          95:0] result_data;
  logic                  result_pop;
  logic                  illegal;
  logic                  out_of_range;
  logic [           3:0] accepted;
  logic                  dispatch_busy;
  /* verilator lint_off UNUSEDSIGNAL */  // of the operand that is not serial
  logic [           3:0] lhs_bits;
  logic [           3:0] rhs_bits;
  /* verilator lint_on UNUSEDSIGNAL */

  stripes_dispatch #(
      .Units        (Units),
      .Columns      (Columns),
      .Serial       (Serial),
      .MaxBits      (MaxBits),
      .LhsBanks     (LhsBanks),
      .RhsBanks     (RhsBanks),
      .LhsDepth     (LhsDepth),
      .RhsDepth     (RhsDepth),
      .Lanes        (FetchLanes),
      .FetchGroups  (Groups),
      .NumWritePorts(NumWritePorts),
      .PortWidth    (PortWidth),
      .MinResultBits(MinResultBits),
      .QueueDepth   (QueueDepth)
  ) u_dispatch (
      .clk_i,
      .rst_ni,
      .clear_i,
      .halt_i,
      .instr_valid_i,
      .instr_ready_o,
      .instr_data_i,
      .mem_limit_i,
      .fetch_valid_o (fetch_valid),
      .fetch_data_o  (fetch_data),
      .fetch_pop_i   (fetch_pop),
      .exec_valid_o  (exec_valid),
      .exec_data_o   (exec_data),
      .exec_pop_i    (exec_pop),
      .result_valid_o(result_valid),
      .result_data_o (result_data),
      .result_pop_i  (result_pop),
      .illegal_o     (illegal),
      .range_o       (out_of_range),
      .accepted_o    (accepted),
      .lhs_bits_o    (lhs_bits),
      .rhs_bits_o    (rhs_bits),
      .busy_o        (dispatch_busy)
  );

  // Fetch.
  logic                            lhs_arrived;
  logic                            rhs_arrived;
  logic                            lhs_give;
  logic                            rhs_give;
  logic                            lhs_filled;
  logic                            rhs_filled;
  logic                            exec_take_lhs;
  logic                            exec_take_rhs;
  logic                            exec_free_lhs;
  logic                            exec_free_rhs;
  logic [          FetchLanes-1:0] lhs_in_en;
  logic [          FetchLanes-1:0] rhs_in_en;
  logic [AddrWidth*FetchLanes-1:0] lhs_in_addr;
  logic [AddrWidth*FetchLanes-1:0] rhs_in_addr;
  /* verilator lint_off UNUSEDSIGNAL */  // a serialiser counts words itself
  logic [BankWidth*FetchLanes-1:0] lhs_in_bank;
  logic [BankWidth*FetchLanes-1:0] rhs_in_bank;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [          FetchWidth-1:0] lhs_in_data;
  logic [          FetchWidth-1:0] rhs_in_data;
  logic [          FetchLanes-1:0] lhs_wr_en;
  logic [          FetchLanes-1:0] rhs_wr_en;
  logic [AddrWidth*FetchLanes-1:0] lhs_wr_addr;
  logic [AddrWidth*FetchLanes-1:0] rhs_wr_addr;
  logic [BankWidth*FetchLanes-1:0] lhs_wr_bank;
  logic [BankWidth*FetchLanes-1:0] rhs_wr_bank;
  logic [          FetchWidth-1:0] lhs_wr_data;
  logic [          FetchWidth-1:0] rhs_wr_data;
  logic                            read_error;
  logic                            fetch_busy;
  logic                            lhs_run;
  logic                            lhs_wait_memory;
  logic                            lhs_wait_token;
  logic                            rhs_run;
  logic                            rhs_wait_memory;
  logic                            rhs_wait_token;

  bittern_fetch_stage #(
      .Groups        (Groups),
      .Lanes         (FetchLanes),
      .PortWidth     (PortWidth),
      .MaxBurstBeats (MaxBurstBeats),
      .MaxOutstanding(MaxOutstanding),
      .InFlight      (InFlight),
      .BankField     (1),
      .BankWidth     (BankWidth),
      .AddrWidth     (AddrWidth)
  ) u_fetch (
      .clk_i,
      .rst_ni,
      .clear_i,
      .halt_i,
      .valid_i          (fetch_valid),
      .data_i           (fetch_data),
      .pop_o            (fetch_pop),
      .lhs_arrived_o    (lhs_arrived),
      .rhs_arrived_o    (rhs_arrived),
      .lhs_give_i       (lhs_give),
      .rhs_give_i       (rhs_give),
      .lhs_filled_o     (lhs_filled),
      .rhs_filled_o     (rhs_filled),
      .lhs_take_i       (exec_take_lhs),
      .rhs_take_i       (exec_take_rhs),
      .lhs_free_i       (exec_free_lhs),
      .rhs_free_i       (exec_free_rhs),
      .lhs_wr_en_o      (lhs_in_en),
      .lhs_wr_addr_o    (lhs_in_addr),
      .lhs_wr_bank_o    (lhs_in_bank),
      .lhs_wr_data_o    (lhs_in_data),
      .rhs_wr_en_o      (rhs_in_en),
      .rhs_wr_addr_o    (rhs_in_addr),
      .rhs_wr_bank_o    (rhs_in_bank),
      .rhs_wr_data_o    (rhs_in_data),
      .m_rd_araddr_o,
      .m_rd_arlen_o,
      .m_rd_arvalid_o,
      .m_rd_arready_i,
      .m_rd_rdata_i,
      .m_rd_rresp_i,
      .m_rd_rlast_i,
      .m_rd_rvalid_i,
      .m_rd_rready_o,
      .error_o          (read_error),
      .busy_o           (fetch_busy),
      .lhs_run_o        (lhs_run),
      .lhs_wait_memory_o(lhs_wait_memory),
      .lhs_wait_token_o (lhs_wait_token),
      .rhs_run_o        (rhs_run),
      .rhs_wait_memory_o(rhs_wait_memory),
      .rhs_wait_token_o (rhs_wait_token)
  );

  // Bricks of a serial operand become bit planes.
  logic lhs_serialising;
  logic rhs_serialising;

  if (Serial != 1) begin : gen_lhs_serial
    stripes_serialiser #(
        .Lanes     (FetchLanes),
        .PortWidth (PortWidth),
        .Words     (LhsBanks),
        .MaxBits   (MaxBits),
        .BankWidth (BankWidth),
        .AddrWidth (AddrWidth),
        .Structural(Structural)
    ) u_serialiser (
        .clk_i,
        .rst_ni,
        .clear_i  (clear_i | halt_i),
        .bits_i   (lhs_bits),
        .filled_i (lhs_arrived),
        .filled_o (lhs_give),
        .wr_en_i  (lhs_in_en),
        .wr_addr_i(lhs_in_addr),
        .wr_data_i(lhs_in_data),
        .wr_en_o  (lhs_wr_en),
        .wr_addr_o(lhs_wr_addr),
        .wr_bank_o(lhs_wr_bank),
        .wr_data_o(lhs_wr_data),
        .busy_o   (lhs_serialising)
    );
  end else begin : gen_lhs_parallel
    assign lhs_give        = lhs_arrived;
    assign lhs_wr_en       = lhs_in_en;
    assign lhs_wr_addr     = lhs_in_addr;
    assign lhs_wr_bank     = lhs_in_bank;
    assign lhs_wr_data     = lhs_in_data;
    assign lhs_serialising = 1'b0;
  end
  if (Serial != 0) begin : gen_rhs_serial
    stripes_serialiser #(
        .Lanes     (FetchLanes),
        .PortWidth (PortWidth),
        .Words     (RhsBanks),
        .MaxBits   (MaxBits),
        .BankWidth (BankWidth),
        .AddrWidth (AddrWidth),
        .Structural(Structural)
    ) u_serialiser (
        .clk_i,
        .rst_ni,
        .clear_i  (clear_i | halt_i),
        .bits_i   (rhs_bits),
        .filled_i (rhs_arrived),
        .filled_o (rhs_give),
        .wr_en_i  (rhs_in_en),
        .wr_addr_i(rhs_in_addr),
        .wr_data_i(rhs_in_data),
        .wr_en_o  (rhs_wr_en),
        .wr_addr_o(rhs_wr_addr),
        .wr_bank_o(rhs_wr_bank),
        .wr_data_o(rhs_wr_data),
        .busy_o   (rhs_serialising)
    );
  end else begin : gen_rhs_parallel
    assign rhs_give        = rhs_arrived;
    assign rhs_wr_en       = rhs_in_en;
    assign rhs_wr_addr     = rhs_in_addr;
    assign rhs_wr_bank     = rhs_in_bank;
    assign rhs_wr_data     = rhs_in_data;
    assign rhs_serialising = 1'b0;
  end

  // Buffers.
  localparam int unsigned LhsWidth = LhsBanks * FetchWidth;
  localparam int unsigned RhsWidth = RhsBanks * FetchWidth;

  logic                lhs_rd_en;
  logic                rhs_rd_en;
  logic [AddrWidth-1:0] lhs_addr;
  logic [        15:0] rhs_addr;
  logic [LhsWidth-1:0] lhs_data;
  logic [RhsWidth-1:0] rhs_data;

  bittern_buffer #(
      .Banks     (LhsBanks),
      .Lanes     (FetchLanes),
      .PortWidth (PortWidth),
      .Depth     (LhsDepth),
      .BankWidth (BankWidth),
      .AddrWidth (AddrWidth),
      .Structural(Structural)
  ) u_lhs_buffer (
      .clk_i,
      .wr_en_i  (lhs_wr_en),
      .wr_addr_i(lhs_wr_addr),
      .wr_bank_i(lhs_wr_bank),
      .wr_data_i(lhs_wr_data),
      .rd_en_i  (lhs_rd_en),
      .rd_addr_i(lhs_addr),
      .rd_data_o(lhs_data)
  );
  bittern_buffer #(
      .Banks     (RhsBanks),
      .Lanes     (FetchLanes),
      .PortWidth (PortWidth),
      .Depth     (RhsDepth),
      .BankWidth (BankWidth),
      .AddrWidth (AddrWidth),
      .Structural(Structural)
  ) u_rhs_buffer (
      .clk_i,
      .wr_en_i  (rhs_wr_en),
      .wr_addr_i(rhs_wr_addr),
      .wr_bank_i(rhs_wr_bank),
      .wr_data_i(rhs_wr_data),
      .rd_en_i  (rhs_rd_en),
      .rd_addr_i(AddrWidth'(rhs_addr)),
      .rd_data_o(rhs_data)
  );

  // Execute.
  logic       slot_release;
  logic       step_valid;
  logic       step_load;
  logic       step_signed;
  logic [3:0] step_msb;
  logic       step_first;
  logic       step_shift;
  logic       step_negate;
  logic       step_brick;
  logic       step_clear;
  logic       step_last;
  logic       step_accumulate;
  logic       step_emit;
  logic [3:0] exec_columns;
  logic       cascade;
  logic       array_busy;
  logic       exec_busy;
  logic       exec_run;
  logic       exec_wait_lhs;
  logic       exec_wait_rhs;
  logic       exec_wait_result;

  stripes_exec #(
      .Serial(Serial)
  ) u_exec (
      .clk_i,
      .rst_ni,
      .clear_i,
      .halt_i,
      .valid_i       (exec_valid),
      .data_i        (exec_data),
      .pop_o         (exec_pop),
      .lhs_filled_i  (lhs_filled),
      .rhs_filled_i  (rhs_filled),
      .lhs_take_o    (exec_take_lhs),
      .rhs_take_o    (exec_take_rhs),
      .lhs_free_o    (exec_free_lhs),
      .rhs_free_o    (exec_free_rhs),
      .slot_release_i(slot_release),
      .array_busy_i  (array_busy),
      .lhs_rd_en_o   (lhs_rd_en),
      .rhs_rd_en_o   (rhs_rd_en),
      .lhs_addr_o    (lhs_addr),
      .rhs_addr_o    (rhs_addr),
      .valid_o       (step_valid),
      .load_o        (step_load),
      .signed_o      (step_signed),
      .msb_o         (step_msb),
      .first_o       (step_first),
      .shift_o       (step_shift),
      .negate_o      (step_negate),
      .brick_o       (step_brick),
      .clear_o       (step_clear),
      .last_o        (step_last),
      .accumulate_o  (step_accumulate),
      .emit_o        (step_emit),
      .columns_o     (exec_columns),
      .cascade_o     (cascade),
      .busy_o        (exec_busy),
      .run_o         (exec_run),
      .wait_lhs_o    (exec_wait_lhs),
      .wait_rhs_o    (exec_wait_rhs),
      .wait_result_o (exec_wait_result)
  );

  logic [32*Units-1:0] acc;
  logic                store;
  logic                store_accumulate;
  logic                store_emit;

  // Windows are the serial units unless weights are serial. Results are row major: windows, then filters.
  logic [(Serial == 1 ? RhsWidth : LhsWidth)-1:0] serial_data;
  logic [(Serial == 1 ? LhsWidth : RhsWidth)-1:0] par_data;
  if (Serial == 1) begin : gen_serial_weights
    assign serial_data = rhs_data;
    assign par_data    = lhs_data;
  end else begin : gen_serial_activations
    assign serial_data = lhs_data;
    assign par_data    = rhs_data;
  end

  stripes_array #(
      .SerialUnits(Serial == 1 ? Filters : Columns),
      .ParUnits   (Serial == 1 ? Columns : Filters),
      .Lanes      (Lanes),
      .Planes     (Serial == 2 ? 1 : MaxBits),
      .MaxBits    (MaxBits),
      .FetchLanes (FetchLanes),
      .PortWidth  (PortWidth),
      .Stagger    (Serial == 0 ? 1 : 0),
      .Transposed (Serial == 1 ? 1 : 0),
      .Structural (Structural)
  ) u_array (
      .clk_i,
      .rst_ni,
      .valid_i     (step_valid),
      .load_i      (step_load),
      .signed_i    (step_signed),
      .msb_i       (step_msb),
      .first_i     (step_first),
      .shift_i     (step_shift),
      .negate_i    (step_negate),
      .brick_i     (step_brick),
      .clear_i     (step_clear),
      .last_i      (step_last),
      .accumulate_i(step_accumulate),
      .emit_i      (step_emit),
      .columns_i   (exec_columns),
      .cascade_i   (cascade),
      .serial_i    (serial_data),
      .par_i       (par_data),
      .acc_o       (acc),
      .tile_o      (store),
      .accumulate_o(store_accumulate),
      .emit_o      (store_emit),
      .busy_o      (array_busy)
  );

  // Result.
  logic write_error;
  logic result_busy;
  logic result_run;
  logic result_wait_memory;
  logic result_wait_token;

  bittern_tile_result #(
      .Units         (Units),
      .PortWidth     (PortWidth),
      .NumWritePorts (NumWritePorts),
      .MaxBurstBeats (MaxBurstBeats),
      .MaxOutstanding(MaxOutstanding),
      .MinResultBits (MinResultBits),
      .Structural    (Structural)
  ) u_result (
      .clk_i,
      .rst_ni,
      .clear_i,
      .halt_i,
      .valid_i       (result_valid),
      .data_i        (result_data),
      .pop_o         (result_pop),
      .store_i       (store),
      .accumulate_i  (store_accumulate),
      .emit_i        (store_emit),
      .acc_i         (acc),
      .slot_release_o(slot_release),
      .m_wr_awaddr_o      (m_wr_awaddr_o),
      .m_wr_awlen_o       (m_wr_awlen_o),
      .m_wr_awvalid_o     (m_wr_awvalid_o),
      .m_wr_awready_i     (m_wr_awready_i),
      .m_wr_wdata_o       (m_wr_wdata_o),
      .m_wr_wlast_o       (m_wr_wlast_o),
      .m_wr_wvalid_o      (m_wr_wvalid_o),
      .m_wr_wready_i      (m_wr_wready_i),
      .m_wr_bresp_i       (m_wr_bresp_i),
      .m_wr_bvalid_i      (m_wr_bvalid_i),
      .m_wr_bready_o      (m_wr_bready_o),
      .error_o       (write_error),
      .busy_o        (result_busy),
      .run_o         (result_run),
      .wait_memory_o (result_wait_memory),
      .wait_token_o  (result_wait_token)
  );

  assign m_wr_wstrb_o = '1;

  // Status.
  assign busy_o        = dispatch_busy | fetch_busy | lhs_serialising | rhs_serialising | exec_busy | array_busy | result_busy;
  assign error_valid_o = illegal | out_of_range | read_error | write_error;

  always_comb begin
    error_code_o = bittern_pkg::ErrorNone;
    if (illegal) error_code_o = bittern_pkg::ErrorIllegalInstruction;
    else if (out_of_range) error_code_o = bittern_pkg::ErrorAddressOutOfRange;
    else if (read_error) error_code_o = bittern_pkg::ErrorAxiReadError;
    else if (write_error) error_code_o = bittern_pkg::ErrorAxiWriteError;
  end

  // Events. One counts at most 15 a cycle: of 16 planes the lower and the upper 8 have one each.
  localparam int unsigned LowerLhs = LhsPlanes > 8 ? 8 : LhsPlanes;
  localparam int unsigned LowerRhs = RhsPlanes > 8 ? 8 : RhsPlanes;
  logic [ NumReadPorts-1:0] read_beat;
  logic [NumWritePorts-1:0] write_beat;
  assign read_beat  = m_rd_rvalid_i & m_rd_rready_o;
  assign write_beat = m_wr_wvalid_o & m_wr_wready_i;

  always_comb begin
    event_o = '0;
    event_o[4*stripes_isa_pkg::EventFetchLhsRun+:4]        = 4'(lhs_run);
    event_o[4*stripes_isa_pkg::EventFetchLhsWaitMemory+:4] = 4'(lhs_wait_memory);
    event_o[4*stripes_isa_pkg::EventFetchLhsWaitToken+:4]  = 4'(lhs_wait_token);
    event_o[4*stripes_isa_pkg::EventFetchRhsRun+:4]        = 4'(rhs_run);
    event_o[4*stripes_isa_pkg::EventFetchRhsWaitMemory+:4] = 4'(rhs_wait_memory);
    event_o[4*stripes_isa_pkg::EventFetchRhsWaitToken+:4]  = 4'(rhs_wait_token);
    event_o[4*stripes_isa_pkg::EventExecRun+:4]            = 4'(exec_run);
    event_o[4*stripes_isa_pkg::EventExecWaitLhs+:4]        = 4'(exec_wait_lhs);
    event_o[4*stripes_isa_pkg::EventExecWaitRhs+:4]        = 4'(exec_wait_rhs);
    event_o[4*stripes_isa_pkg::EventExecWaitResult+:4]     = 4'(exec_wait_result);
    event_o[4*stripes_isa_pkg::EventResultRun+:4]          = 4'(result_run);
    event_o[4*stripes_isa_pkg::EventResultWaitMemory+:4]   = 4'(result_wait_memory);
    event_o[4*stripes_isa_pkg::EventResultWaitToken+:4]    = 4'(result_wait_token);
    event_o[4*stripes_isa_pkg::EventLhsBufferWrites+:4]    = 4'($countones(lhs_wr_en));
    event_o[4*stripes_isa_pkg::EventRhsBufferWrites+:4]    = 4'($countones(rhs_wr_en));
    event_o[4*stripes_isa_pkg::EventLhsBufferReads+:4]     = lhs_rd_en ? 4'(LowerLhs) : 4'd0;
    event_o[4*stripes_isa_pkg::EventRhsBufferReads+:4]     = rhs_rd_en ? 4'(LowerRhs) : 4'd0;
    event_o[4*stripes_isa_pkg::EventArrayPlanes+:4]        = step_valid ? 4'(Serial == 2 ? 1 : 8) : 4'd0;
    event_o[4*stripes_isa_pkg::EventTilesEmitted+:4]       = {3'b000, store & store_emit};
    event_o[4*stripes_isa_pkg::EventReadBeats+:4]          = 4'($countones(read_beat));
    event_o[4*stripes_isa_pkg::EventWriteBeats+:4]         = 4'($countones(write_beat));
    event_o[4*stripes_isa_pkg::EventInstrFetchLhs+:4]      = 4'(accepted[0]);
    event_o[4*stripes_isa_pkg::EventInstrFetchRhs+:4]      = 4'(accepted[1]);
    event_o[4*stripes_isa_pkg::EventInstrExec+:4]          = 4'(accepted[2]);
    event_o[4*stripes_isa_pkg::EventInstrResult+:4]        = 4'(accepted[3]);
    event_o[4*stripes_isa_pkg::EventLhsBufferUpperReads+:4] = lhs_rd_en ? 4'(LhsPlanes - LowerLhs) : 4'd0;
    event_o[4*stripes_isa_pkg::EventRhsBufferUpperReads+:4] = rhs_rd_en ? 4'(RhsPlanes - LowerRhs) : 4'd0;
    event_o[4*stripes_isa_pkg::EventArrayUpperPlanes+:4]    = step_valid ? 4'(Serial == 2 ? 0 : MaxBits - 8) : 4'd0;
    for (int unsigned p = 0; p < NumReadPorts; p++) begin
      event_o[4*(stripes_isa_pkg::NumFixedEvents+p)+:4] = 4'(read_beat[p]);
    end
    for (int unsigned p = 0; p < NumWritePorts; p++) begin
      event_o[4*(stripes_isa_pkg::NumFixedEvents+NumReadPorts+p)+:4] = 4'(write_beat[p]);
    end
  end
endmodule
