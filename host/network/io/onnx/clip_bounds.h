#pragma once

#include <limits>

#include "host/network/io/onnx/file_node.h"

namespace bittern::onnx_io {

/// Bounds of a Clip, from attributes or inputs; infinite where there is none.
struct ClipBounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// Those of a node. Throws Error where the lower one is the greater.
ClipBounds clip_bounds(const FileNode& node);

}  // namespace bittern::onnx_io
