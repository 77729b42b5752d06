#pragma once

#include <cstdint>
#include <vector>

#include "host/network/io/onnx/file_node.h"

namespace bittern::onnx_io {

/// How a constant is spread over a value (with NumPy's rules): one number, or one for each channel.
/// Where it differs within a channel, `each` is set and there is one for every value.
struct Spread {
  std::vector<double> values;
  bool each = false;
};

/// Values of a constant that a node makes. Throws Error where there are too many to hold.
std::int64_t checked_count(const FileNode& node, const Dims& dims);

/// Extents of two tensors that are spread over one another. Throws Error where they do not fit.
Dims joint_dims(const FileNode& node, const Dims& a, const Dims& b);

/// For every place of a tensor of `dims` the index that it has in one of `inner`, which is spread
/// over it.
std::vector<std::int64_t> spread_indices(const Dims& dims, const Dims& inner);

/// Throws Error where the constant does not fit, or differs between images.
Spread spread_over(const FileNode& node, const Constant& constant, const Dims& full, bool batched);

}  // namespace bittern::onnx_io
