#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/network/io/onnx/file_node.h"

namespace bittern::onnx_io {

// Extents that operations of shapes give, for constants and maps alike; with the batch.

/// What Reshape, Flatten, Squeeze or Unsqueeze makes of extents: the same number of values.
Dims dims_with_same_values(const FileNode& node, const Dims& from);

/// The order that a Transpose states for so many extents. Throws Error where it is none.
std::vector<std::int64_t> transpose_order(const FileNode& node, std::size_t rank);

/// Extents in another order.
Dims transposed_dims(const FileNode& node, const Dims& dims,
                     const std::vector<std::int64_t>& order);

/// What Shape gives for a tensor of these extents.
Constant shape_constant(const FileNode& node, const Dims& dims);

/// What a Slice takes along one axis.
struct SliceAxis {
  std::int64_t begin;
  std::int64_t count;
  std::int64_t step;
};

/// What a Slice takes along each axis of a tensor of these extents.
std::vector<SliceAxis> slice_axes(const FileNode& node, const Dims& from);

}  // namespace bittern::onnx_io
