// Run control: one run of a program from start to done.
//
//   idle --start--> clear (1 cycle) --> run --> flush (16 cycles) --> idle, done
//
// The run ends when the fetcher is idle (END seen or halted, no read outstanding) and the core is not busy. The first error
// is kept with the number of instructions handed over so far, and halts fetcher and core until the run has ended. `flush`
// lets the counters catch up before done is reported. Cycles are counted in clear and run.
module bittern_run_ctrl (
  input  logic        clk_i,
  input  logic        rst_ni,

  input  logic        start_i,             // ignored while busy
  input  logic        clear_i,             // ignored while busy
  output logic        busy_o,
  output logic        done_o,
  output logic [3:0]  error_code_o,
  output logic [31:0] error_info_o,

  output logic        clear_o,             // first cycle of a run, to fetcher and core
  output logic        halt_o,
  input  logic        fetch_idle_i,
  input  logic        fetch_error_valid_i,
  input  logic [3:0]  fetch_error_code_i,
  input  logic        handed_i,            // an instruction was handed to the core
  input  logic        core_busy_i,
  input  logic        core_error_valid_i,
  input  logic [3:0]  core_error_code_i,

  output logic        counters_zero_o,
  output logic        counters_count_o,
  output logic        counters_run_o,
  output logic        counters_flush_o
);
  typedef enum logic [1:0] {
    StateIdle,
    StateClear,
    StateRun,
    StateFlush
  } state_e;

  state_e      state_q;
  logic        done_q;
  logic [3:0]  error_q;
  logic [31:0] error_info_q, handed_q;
  logic [3:0]  flush_q;

  logic error_valid;
  assign error_valid = fetch_error_valid_i | core_error_valid_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q      <= StateIdle;
      done_q       <= 1'b0;
      error_q      <= bittern_pkg::ErrorNone;
      error_info_q <= 32'd0;
      handed_q     <= 32'd0;
      flush_q      <= 4'd0;
    end else begin
      unique case (state_q)
        StateIdle: begin
          if (start_i || clear_i) begin
            done_q       <= 1'b0;
            error_q      <= bittern_pkg::ErrorNone;
            error_info_q <= 32'd0;
            handed_q     <= 32'd0;
          end
          if (start_i) state_q <= StateClear;
        end
        StateClear: state_q <= StateRun;
        StateRun: begin
          if (fetch_idle_i && !core_busy_i) begin
            state_q <= StateFlush;
            flush_q <= 4'd0;
          end
          if (handed_i) handed_q <= handed_q + 32'd1;
        end
        StateFlush: begin
          flush_q <= flush_q + 4'd1;
          if (flush_q == 4'd15) begin
            state_q <= StateIdle;
            done_q  <= 1'b1;
          end
        end
        default: state_q <= StateIdle;
      endcase
      // A pulse in the cycle in which the run ends counts too.
      if (error_valid && (error_q == bittern_pkg::ErrorNone) && (state_q == StateRun || state_q == StateFlush)) begin
        error_q      <= core_error_valid_i ? core_error_code_i : fetch_error_code_i;
        error_info_q <= handed_q;
      end
    end
  end

  assign busy_o           = (state_q != StateIdle);
  assign done_o           = done_q;
  assign error_code_o     = error_q;
  assign error_info_o     = error_info_q;
  assign clear_o          = (state_q == StateClear);
  assign halt_o           = (state_q == StateRun) && (error_q != bittern_pkg::ErrorNone);
  assign counters_zero_o  = (state_q == StateIdle) && (start_i || clear_i);
  assign counters_count_o = (state_q == StateClear) || (state_q == StateRun);
  assign counters_run_o   = (state_q == StateRun);
  assign counters_flush_o = (state_q == StateFlush);
endmodule
