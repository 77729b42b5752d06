// Formats of results, as instructions that write them say them (`width` of RESULT and STORE): 0: 32 bits, the sums as they are;
// 1: 8, 2: 4, 3: 2 bits, requantised (bittern_requantise).
package bittern_result_pkg;
  // How often the 32 bits of a sum are halved: log2 of how many times fewer beats a format takes than sums do.
  function automatic logic [2:0] halvings(input logic [1:0] width);
    halvings = width == 2'd0 ? 3'd0 : 3'(width) + 3'd1;
  endfunction
endpackage
