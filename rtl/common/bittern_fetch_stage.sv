// The fetch stage of a core: one fetch group for both operands, or one for each (`Groups` 2: group 0 LHS, group 1 RHS), and
// the token channels between fetch and execute. BISMO's fetch stage and its synchronisation queues (Umuroglu et al.,
// FPL 2018).
//
// Latency: as bittern_fetch and bittern_token say; nothing is added here.
module bittern_fetch_stage #(
    parameter int unsigned Groups         = 1,
    parameter int unsigned Lanes          = 4,    // read ports of a group
    parameter int unsigned PortWidth      = 64,
    parameter int unsigned LhsBanks       = 8,
    parameter int unsigned RhsBanks       = 8,
    parameter int unsigned MaxBurstBeats  = 256,
    parameter int unsigned MaxOutstanding = 8,
    parameter int unsigned InFlight       = 8,
    parameter int unsigned BankField      = 0,
    parameter int unsigned BankWidth      = LhsBanks * RhsBanks > 1 ? $clog2(LhsBanks > RhsBanks ? LhsBanks : RhsBanks) : 1,
    parameter int unsigned AddrWidth      = 16,
    parameter int unsigned QueueWidth     = 91 + AddrWidth + BankField * BankWidth  // of an instruction in its queue
) (
    input  logic                              clk_i,
    input  logic                              rst_ni,
    input  logic                              clear_i,
    input  logic                              halt_i,
    // Queue heads.
    input  logic [                Groups-1:0] valid_i,
    input  logic [     QueueWidth*Groups-1:0] data_i,
    output logic [                Groups-1:0] pop_o,
    // What has arrived, and the filled tokens for it: connected, unless the data go on through something that takes time.
    output logic                              lhs_arrived_o,
    output logic                              rhs_arrived_o,
    input  logic                              lhs_give_i,
    input  logic                              rhs_give_i,
    // Tokens of the execute stage: operands in the buffers, taken and given back.
    output logic                              lhs_filled_o,
    output logic                              rhs_filled_o,
    input  logic                              lhs_take_i,
    input  logic                              rhs_take_i,
    input  logic                              lhs_free_i,
    input  logic                              rhs_free_i,
    // Buffer writes, one a lane.
    output logic [                 Lanes-1:0] lhs_wr_en_o,
    output logic [       AddrWidth*Lanes-1:0] lhs_wr_addr_o,
    output logic [       BankWidth*Lanes-1:0] lhs_wr_bank_o,
    output logic [       PortWidth*Lanes-1:0] lhs_wr_data_o,
    output logic [                 Lanes-1:0] rhs_wr_en_o,
    output logic [       AddrWidth*Lanes-1:0] rhs_wr_addr_o,
    output logic [       BankWidth*Lanes-1:0] rhs_wr_bank_o,
    output logic [       PortWidth*Lanes-1:0] rhs_wr_data_o,
    // AXI4 read channels.
    output logic [       32*Lanes*Groups-1:0] m_rd_araddr_o,
    output logic [        8*Lanes*Groups-1:0] m_rd_arlen_o,
    output logic [          Lanes*Groups-1:0] m_rd_arvalid_o,
    input  logic [          Lanes*Groups-1:0] m_rd_arready_i,
    input  logic [PortWidth*Lanes*Groups-1:0] m_rd_rdata_i,
    input  logic [        2*Lanes*Groups-1:0] m_rd_rresp_i,
    input  logic [          Lanes*Groups-1:0] m_rd_rlast_i,
    input  logic [          Lanes*Groups-1:0] m_rd_rvalid_i,
    output logic [          Lanes*Groups-1:0] m_rd_rready_o,
    // Status and events.
    output logic                              error_o,
    output logic                              busy_o,
    output logic                              lhs_run_o,
    output logic                              lhs_wait_memory_o,
    output logic                              lhs_wait_token_o,
    output logic                              rhs_run_o,
    output logic                              rhs_wait_memory_o,
    output logic                              rhs_wait_token_o
);
  localparam int unsigned FetchWidth = Lanes * PortWidth;

  // Tokens.
  logic              lhs_free;
  logic              rhs_free;
  logic [Groups-1:0] take_lhs;
  logic [Groups-1:0] take_rhs;
  logic [Groups-1:0] filled_lhs;
  logic [Groups-1:0] filled_rhs;

  bittern_token u_lhs_filled (
      .clk_i,
      .rst_ni,
      .clear_i,
      .give_i (lhs_give_i),
      .take_i (lhs_take_i),
      .avail_o(lhs_filled_o)
  );
  bittern_token u_rhs_filled (
      .clk_i,
      .rst_ni,
      .clear_i,
      .give_i (rhs_give_i),
      .take_i (rhs_take_i),
      .avail_o(rhs_filled_o)
  );
  bittern_token u_lhs_free (
      .clk_i,
      .rst_ni,
      .clear_i,
      .give_i (lhs_free_i),
      .take_i (take_lhs != '0),
      .avail_o(lhs_free)
  );
  bittern_token u_rhs_free (
      .clk_i,
      .rst_ni,
      .clear_i,
      .give_i (rhs_free_i),
      .take_i (take_rhs != '0),
      .avail_o(rhs_free)
  );

  // Groups.
  /* verilator lint_off UNUSEDSIGNAL */  // with two groups each writes for its own side only
  logic [          Lanes*Groups-1:0] wr_lhs;
  logic [          Lanes*Groups-1:0] wr_rhs;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [AddrWidth*Lanes*Groups-1:0] wr_addr;
  logic [BankWidth*Lanes*Groups-1:0] wr_bank;
  logic [PortWidth*Lanes*Groups-1:0] wr_data;
  logic [                Groups-1:0] read_error;
  logic [                Groups-1:0] busy;
  logic [                Groups-1:0] lhs_run;
  logic [                Groups-1:0] lhs_wait_memory;
  logic [                Groups-1:0] lhs_wait_token;
  logic [                Groups-1:0] rhs_run;
  logic [                Groups-1:0] rhs_wait_memory;
  logic [                Groups-1:0] rhs_wait_token;

  for (genvar g = 0; g < Groups; g++) begin : gen_fetch
    bittern_fetch #(
        .Lanes         (Lanes),
        .PortWidth     (PortWidth),
        .LhsBanks      (LhsBanks),
        .RhsBanks      (RhsBanks),
        .MaxBurstBeats (MaxBurstBeats),
        .MaxOutstanding(MaxOutstanding),
        .InFlight      (InFlight),
        .BankField     (BankField),
        .BankWidth     (BankWidth),
        .AddrWidth     (AddrWidth)
    ) u_fetch (
        .clk_i,
        .rst_ni,
        .clear_i,
        .halt_i,
        .valid_i          (valid_i[g]),
        .data_i           (data_i[QueueWidth*g+:QueueWidth]),
        .pop_o            (pop_o[g]),
        .lhs_free_i       (lhs_free),
        .rhs_free_i       (rhs_free),
        .lhs_take_o       (take_lhs[g]),
        .rhs_take_o       (take_rhs[g]),
        .lhs_filled_o     (filled_lhs[g]),
        .rhs_filled_o     (filled_rhs[g]),
        .wr_lhs_o         (wr_lhs[Lanes*g+:Lanes]),
        .wr_rhs_o         (wr_rhs[Lanes*g+:Lanes]),
        .wr_addr_o        (wr_addr[AddrWidth*Lanes*g+:AddrWidth*Lanes]),
        .wr_bank_o        (wr_bank[BankWidth*Lanes*g+:BankWidth*Lanes]),
        .wr_data_o        (wr_data[FetchWidth*g+:FetchWidth]),
        .m_rd_araddr_o    (m_rd_araddr_o[32*Lanes*g+:32*Lanes]),
        .m_rd_arlen_o     (m_rd_arlen_o[8*Lanes*g+:8*Lanes]),
        .m_rd_arvalid_o   (m_rd_arvalid_o[Lanes*g+:Lanes]),
        .m_rd_arready_i   (m_rd_arready_i[Lanes*g+:Lanes]),
        .m_rd_rdata_i     (m_rd_rdata_i[FetchWidth*g+:FetchWidth]),
        .m_rd_rresp_i     (m_rd_rresp_i[2*Lanes*g+:2*Lanes]),
        .m_rd_rlast_i     (m_rd_rlast_i[Lanes*g+:Lanes]),
        .m_rd_rvalid_i    (m_rd_rvalid_i[Lanes*g+:Lanes]),
        .m_rd_rready_o    (m_rd_rready_o[Lanes*g+:Lanes]),
        .error_o          (read_error[g]),
        .busy_o           (busy[g]),
        .lhs_run_o        (lhs_run[g]),
        .lhs_wait_memory_o(lhs_wait_memory[g]),
        .lhs_wait_token_o (lhs_wait_token[g]),
        .rhs_run_o        (rhs_run[g]),
        .rhs_wait_memory_o(rhs_wait_memory[g]),
        .rhs_wait_token_o (rhs_wait_token[g])
    );
  end

  // Group 0 serves LHS, the last one RHS.
  localparam int unsigned Rhs = Groups - 1;
  assign lhs_wr_en_o   = wr_lhs[Lanes-1:0];
  assign lhs_wr_addr_o = wr_addr[AddrWidth*Lanes-1:0];
  assign lhs_wr_bank_o = wr_bank[BankWidth*Lanes-1:0];
  assign lhs_wr_data_o = wr_data[FetchWidth-1:0];
  assign rhs_wr_en_o   = wr_rhs[Lanes*Rhs+:Lanes];
  assign rhs_wr_addr_o = wr_addr[AddrWidth*Lanes*Rhs+:AddrWidth*Lanes];
  assign rhs_wr_bank_o = wr_bank[BankWidth*Lanes*Rhs+:BankWidth*Lanes];
  assign rhs_wr_data_o = wr_data[FetchWidth*Rhs+:FetchWidth];

  assign lhs_arrived_o     = filled_lhs != '0;
  assign rhs_arrived_o     = filled_rhs != '0;
  assign error_o           = read_error != '0;
  assign busy_o            = busy != '0;
  assign lhs_run_o         = lhs_run != '0;
  assign lhs_wait_memory_o = lhs_wait_memory != '0;
  assign lhs_wait_token_o  = lhs_wait_token != '0;
  assign rhs_run_o         = rhs_run != '0;
  assign rhs_wait_memory_o = rhs_wait_memory != '0;
  assign rhs_wait_token_o  = rhs_wait_token != '0;
endmodule
