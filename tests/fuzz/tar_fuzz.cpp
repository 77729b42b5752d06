// Archives with images: headers, long names, members.
#include "agent/data/tar.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bittern::fuzz::InputFile file(bittern::fuzz::as_text(data, size), ".tar");
  bittern::fuzz::expect_value_or_error([&] {
    const bittern::TarFile archive(file.path());
    for (const bittern::TarMember& member : archive.members()) archive.read(member);
  });
  return 0;
}
