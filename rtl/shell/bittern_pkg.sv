// Generated from rtl/shell/register_map.json by scripts/gen_registers.py. Do not edit.
// Register offsets, identity and error codes of the shell.
package bittern_pkg;
  localparam logic [31:0] Magic = 32'h4254524e;
  localparam logic [31:0] MapVersion = 32'd1;
  localparam logic [11:0] RegMagic = 12'h000;
  localparam logic [11:0] RegMapVersion = 12'h004;
  localparam logic [11:0] RegCoreId = 12'h008;
  localparam logic [11:0] RegNumEvents = 12'h00c;
  localparam logic [11:0] RegRtlHashLo = 12'h010;
  localparam logic [11:0] RegRtlHashHi = 12'h014;
  localparam logic [11:0] RegCtrl = 12'h020;
  localparam logic [11:0] RegStatus = 12'h024;
  localparam logic [11:0] RegErrorCode = 12'h028;
  localparam logic [11:0] RegErrorInfo = 12'h02c;
  localparam logic [11:0] RegProgAddr = 12'h030;
  localparam logic [11:0] RegProgLength = 12'h034;
  localparam logic [11:0] RegMemLimit = 12'h038;
  localparam logic [11:0] RegParameterBase = 12'h080;
  localparam int unsigned NumParameters = 16;
  localparam logic [11:0] RegCounterBase = 12'h100;
  localparam logic [3:0] ErrorNone = 4'd0;
  localparam logic [3:0] ErrorIllegalInstruction = 4'd1;
  localparam logic [3:0] ErrorAddressOutOfRange = 4'd2;
  localparam logic [3:0] ErrorAxiReadError = 4'd3;
  localparam logic [3:0] ErrorAxiWriteError = 4'd4;
  localparam logic [3:0] ErrorMissingEnd = 4'd5;
  localparam logic [31:0] CoreBismo = 32'd1;
  localparam logic [31:0] CoreStripes = 32'd2;
  localparam logic [31:0] CoreBitfusion = 32'd3;
endpackage
