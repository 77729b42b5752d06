// JPEG and PNG files: what is done around the libraries that decode them, and scaling.
#include <vector>

#include "agent/data/decode_image.h"
#include "agent/data/fit_image.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bittern;
  for (const int channels : {1, 3}) {
    fuzz::expect_value_or_error([&] {
      const Pixels pixels = decode_image({data, size}, channels, "image");
      const ImageFit fit{channels, 12, 10, size % 2 == 0 ? 0 : 16};
      std::vector<std::uint8_t> planes(fit.bytes());
      fit_image(pixels, fit, planes, "image");
    });
  }
  return 0;
}
