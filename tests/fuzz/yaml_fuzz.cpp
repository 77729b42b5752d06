// YAML documents: the strict reader, and every getter on every node.
#include "host/base/yaml.h"
#include "tests/fuzz/fuzz.h"

namespace {

using bittern::YamlNode;
using bittern::fuzz::expect_value_or_error;

void visit(const YamlNode& node) {
  expect_value_or_error([&] { node.text(true); });
  expect_value_or_error([&] { node.integer(-100, 100); });
  expect_value_or_error([&] { node.real(-1e6, 1e6); });
  expect_value_or_error([&] { node.boolean(); });
  expect_value_or_error([&] { node.choice({"rtl", "model"}); });
  expect_value_or_error([&] {
    for (const YamlNode& item : node.items()) visit(item);
  });
  expect_value_or_error([&] {
    for (const auto& [key, value] : node.entries()) visit(value);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  expect_value_or_error(
      [&] { visit(YamlNode::parse(bittern::fuzz::as_text(data, size), "fuzz.yaml")); });
  return 0;
}
