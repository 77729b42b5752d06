// NumPy's arrays: headers of .npy files, and whole .npz archives.
#include "agent/data/npy.h"
#include "agent/data/zip.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bittern;
  const auto read = [](Bytes file) {
    const NpyHeader header = parse_npy_header(file, file.size(), "array");
    const Bytes values = file.subspan(header.data_offset, file.size() - header.data_offset);
    if (header.bytes > 8) return;
    for (std::size_t i = 0; i < static_cast<std::size_t>(header.elements()); ++i) {
      npy_integer(header, values, i);
    }
  };
  fuzz::expect_value_or_error([&] { read({data, size}); });
  fuzz::expect_value_or_error([&] {
    for (const ZipMember& member : parse_zip(fuzz::as_text(data, size), "archive")) {
      read(unzip(member, 1 << 24, "archive"));
    }
  });
  return 0;
}
