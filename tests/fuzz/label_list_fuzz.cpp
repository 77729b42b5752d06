// Lists of labels and of classes.
#include "agent/data/label_list.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = bittern::fuzz::as_text(data, size);
  bittern::fuzz::expect_value_or_error([&] { bittern::parse_label_list(text, "list"); });
  bittern::fuzz::expect_value_or_error([&] { bittern::parse_class_list(text, "list"); });
  return 0;
}
