// Checkpoints of searches. The hash at the end is made to fit, so that what stands before it is
// looked at.
#include <cstring>

#include "host/search/checkpoint.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string content(bittern::fuzz::as_text(data, size));
  constexpr std::size_t kHashBytes = sizeof(std::uint64_t);
  if (content.size() >= kHashBytes) {
    const std::size_t end = content.size() - kHashBytes;
    const std::uint64_t hash = bittern::checkpoint_hash(std::string_view(content).substr(0, end));
    std::memcpy(content.data() + end, &hash, kHashBytes);
  }
  const bittern::fuzz::InputFile file(content, ".bin");
  bittern::fuzz::expect_value_or_error([&] { bittern::read_checkpoint(file.path()); });
  return 0;
}
