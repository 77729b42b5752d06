// Look-up tables: what was read and written again is the same.
#include "host/cost/lut.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bittern::fuzz::expect_value_or_error([&] {
    const auto rows = bittern::parse_lut(bittern::fuzz::as_text(data, size), "fuzz.csv");
    if (!(bittern::parse_lut(bittern::lut_csv(rows), "again.csv") == rows)) __builtin_trap();
  });
  return 0;
}
