#pragma once

#include <string>

#include "host/network/network.h"

namespace bittern {

/// A network of the given entries over images of `input`.
inline Network network_of(const std::string& layers, const std::string& input = "[1, 28, 28]") {
  return parse_network(
      YamlNode::parse("name: tiny\ninput: " + input + "\nlayers:\n" + layers, "tiny.yaml"));
}

/// A network that trains in a second: 28x28 image, 4 filters of 5x5 with stride 2, max pooling 2x2,
/// 16 hidden units, 10 outputs.
inline Network tiny_network() {
  return network_of(
      "  - conv: {name: conv, out: 4, kernel: 5, stride: 2}\n"
      "  - pool: {kernel: 2}\n"
      "  - linear: {name: hidden, out: 16}\n"
      "  - linear: {name: out, out: 10, relu: false}\n");
}

}  // namespace bittern
