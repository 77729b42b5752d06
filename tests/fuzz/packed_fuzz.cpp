// Compressed files, read whole and by what their end announces.
#include "agent/data/packed_file.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bittern::fuzz::InputFile file(bittern::fuzz::as_text(data, size), ".packed");
  bittern::fuzz::expect_value_or_error([&] { bittern::read_packed(file.path(), 1 << 20); });
  bittern::fuzz::expect_value_or_error([&] { bittern::unpacked_size(file.path()); });
  return 0;
}
