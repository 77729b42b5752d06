// Weights: headers, offsets and types of safetensors files.
#include "host/network/io/safetensors.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using bittern::fuzz::expect_value_or_error;
  expect_value_or_error([&] {
    const auto file =
        bittern::parse_safetensors(bittern::fuzz::as_text(data, size), "fuzz.safetensors");
    for (const auto& [name, tensor] : file.tensors) {
      expect_value_or_error([&t = tensor] { t.to_floats(); });
    }
    bittern::content_hash(file);
  });
  return 0;
}
