// Policy files: JSON with the bits of every layer.
#include "host/network/network.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bittern::Network network = bittern::load_network("lenet");
  const bittern::fuzz::InputFile file(bittern::fuzz::as_text(data, size), ".json");
  bittern::fuzz::expect_value_or_error([&] { bittern::load_policy(file.path(), network); });
  return 0;
}
