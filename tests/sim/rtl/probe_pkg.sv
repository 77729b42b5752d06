// Instructions of the probe core, low four bits.
package probe_pkg;
  localparam logic [3:0] OpLine = 4'd1;   // one line of the script, see probe_core
  localparam logic [3:0] OpPlay = 4'd2;   // play all lines since the last one
  localparam logic [3:0] OpCount = 4'd3;  // for [63:32] cycles event e counts e mod 16
  localparam logic [3:0] OpHang = 4'd4;   // be busy for ever
  localparam logic [3:0] OpFault = 4'd5;  // raise error code [11:8]
  localparam logic [3:0] OpAssert = 4'd6; // fail an assertion of the core itself
  localparam int unsigned NumEvents = 35;  // more than one group of counter banks
endpackage
