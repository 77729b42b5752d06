// Model files: protobuf, tensors of every layout, nodes of every operation that is read.
#include "host/network/io/network_yaml.h"
#include "host/network/io/onnx/import.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using bittern::fuzz::expect_value_or_error;
  for (const bool one_image : {false, true}) {
    expect_value_or_error([&] {
      bittern::OnnxOptions options;
      options.one_image = one_image;
      const auto read = bittern::parse_onnx(bittern::fuzz::as_text(data, size), "fuzz.onnx",
                                            "/nonexistent", options);
      // What was read can be written and read again.
      bittern::Network network;
      network.name = "fuzz";
      network.graph = read.graph;
      const std::string text = bittern::network_yaml(network);
      bittern::parse_network(bittern::YamlNode::parse(text, "fuzz.yaml"));
    });
  }
  return 0;
}
