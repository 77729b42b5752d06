#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bittern {

/// A tensor of weights: its extents and its values, the last extent innermost.
struct Tensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// Tensors by their names in checkpoints: "<node>.weight", "<node>.bias", ...
using NamedTensors = std::map<std::string, Tensor>;

}  // namespace bittern
