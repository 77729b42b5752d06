// Images and labels of MNIST's format, plain or compressed.
#include "agent/data/idx.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bittern::fuzz::InputFile file(bittern::fuzz::as_text(data, size), ".idx");
  for (const int dimensions : {1, 3}) {
    bittern::fuzz::expect_value_or_error([&] { bittern::read_idx(file.path(), dimensions); });
  }
  return 0;
}
